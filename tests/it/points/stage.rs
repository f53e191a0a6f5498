//! Where a subject is struck: an emulator of its own, with what the subject stands on already in it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use super::deed::Deed;
use super::subject::{Phase, Subject};
use crate::support::census::{Census, is_in, is_in_one_region};
use crate::support::emulator::Running;
use crate::support::strike::{Blow, Ended, Striker};
use crate::support::world::{World, shown, upload_certificate};

/// How long a run may take: longer than every timeout of the stack.
const PATIENCE: Duration = Duration::from_secs(75);

/// One point of the sweep.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// The changing call that is struck, from 0.
    pub at: usize,
    /// How.
    pub blow: Blow,
    /// What is done then.
    pub deed: Deed,
}

/// What became of a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It converged; with how many runs after the one that was struck.
    Converged(usize),
    /// It was refused as the deed deserves, and converged when what was in the way was taken away.
    Refused,
    /// The deed could not be done here.
    NotDone(String),
    /// It did not converge.
    Failed(String),
}

/// A stage.
pub struct Stage {
    /// Who is on it.
    pub subject: Arc<Subject>,
    _emulator: Running,
    striker: Striker,
    world: World,
    census: Census,
    /// What there is of the subject's type without the subject.
    base: BTreeSet<String>,
    /// The state then.
    before: Vec<(OsString, Vec<u8>)>,
    /// What the subject is.
    size: Size,
}

/// How many objects a subject is, as the census counts, and whether the emulator has them in one region only.
#[derive(Clone, Copy, Debug, Default)]
pub struct Size {
    /// How many.
    pub objects: usize,
    /// Whether another region does not have them.
    pub regional: bool,
}

/// What a deed has put beside the stack's own.
#[derive(Default)]
struct Done {
    foreign: Option<World>,
    made: BTreeSet<String>,
}

impl Stage {
    /// An emulator of its own with the scaffold in it. Where it is not known how many objects the subject is, it is made
    /// and deleted once to see.
    ///
    /// # Errors
    /// When it cannot even be made undisturbed.
    pub async fn new(subject: &Arc<Subject>, size: Option<Size>) -> Result<Self, String> {
        let emulator = subject.emulator.alone().ok_or("the emulator is not installed")?;
        let striker = Striker::new(&emulator.endpoint);
        for name in ["a", "b", "c"] {
            upload_certificate(&emulator.endpoint, name).await;
        }
        let mut world = World::new(striker.endpoint(), "points").await;
        if subject.type_name.is_none() {
            // The n-th call of a whole stack is then the same in every run.
            world.parallelism = 1;
        }
        let census = Census::new(&emulator.endpoint, "test", &["us-east-1", "us-west-2"]);
        world.apply(&subject.body(None)).await?;
        let before = world.files();
        let base = of(&census, subject).await;
        let mut stage =
            Self { subject: Arc::clone(subject), _emulator: emulator, striker, world, census, base, before, size: Size::default() };
        if let Some(size) = size {
            stage.size = size;
            return Ok(stage);
        }
        stage.world.apply(&subject.body(subject.phases[0].to.as_deref())).await?;
        let own = stage.own().await;
        let size = Size { objects: own.len(), regional: own.iter().all(|one| is_in_one_region(one)) };
        if !stage.clean().await {
            return Err(format!("what was made undisturbed is not gone when it is deleted: {:?}", stage.own().await));
        }
        if stage.is_used_up() {
            return Box::pin(Self::new(subject, Some(size))).await;
        }
        stage.size = size;
        Ok(stage)
    }

    /// What the subject is.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Whether another point needs another stage: a secret's name stays taken for days, and fakecloud keeps the tags of a
    /// dashboard that is deleted for the next of its name.
    pub fn is_used_up(&self) -> bool {
        matches!(self.subject.type_name, None | Some("secretsmanager_secret" | "cloudwatch_dashboard"))
    }

    /// What there is of the subject's type beside the scaffold.
    async fn own(&self) -> BTreeSet<String> {
        of(&self.census, &self.subject).await.difference(&self.base).cloned().collect()
    }

    /// The changing calls of an undisturbed phase.
    ///
    /// # Errors
    /// When it fails.
    pub async fn undisturbed(&self, phase: &Phase) -> Result<Vec<String>, String> {
        self.begin(phase).await?;
        let body = self.subject.body(phase.to.as_deref());
        let run = self.world.apply(&body);
        match self.striker.run(None, PATIENCE, run).await {
            Ended::Done(Ok(_)) => Ok(self.striker.calls()),
            Ended::Done(Err(error)) => Err(error),
            Ended::Killed | Ended::Never => Err("it never ends".to_owned()),
        }
    }

    /// Makes what the phase begins with.
    async fn begin(&self, phase: &Phase) -> Result<(), String> {
        match &phase.from {
            Some(from) => self.world.apply(&self.subject.body(Some(from))).await.map(drop),
            None => Ok(()),
        }
    }

    /// Removes the subject; whether nothing of it is left.
    pub async fn clean(&self) -> bool {
        let body = self.subject.body(None);
        let gone = tokio::time::timeout(PATIENCE, self.world.apply(&body)).await.is_ok_and(|outcome| outcome.is_ok());
        self.world.restore(&self.before);
        gone && self.own().await.is_empty()
    }

    /// Strikes, does the deed, runs again, and looks at what there is.
    pub async fn strike(&self, phase: &Phase, point: Point) -> Verdict {
        if let Err(error) = self.begin(phase).await {
            return Verdict::NotDone(format!("before the blow: {error}"));
        }
        let older = self.world.files();
        let body = self.subject.body(phase.to.as_deref());
        let run = self.world.apply(&body);
        let first = match self.striker.run(Some((point.at, point.blow)), PATIENCE, run).await {
            Ended::Never => return Verdict::Failed("the run that was struck never ends".to_owned()),
            Ended::Done(outcome) => outcome.map(drop),
            Ended::Killed => Err("killed".to_owned()),
        };
        let done = match self.deed(phase, point.deed, &older).await {
            Ok(done) => done,
            Err(why) => return Verdict::NotDone(why),
        };
        let verdict = self.rerun(phase, point.deed, &first, &done).await;
        if let Some(foreign) = done.foreign {
            drop(foreign.apply("").await);
        }
        verdict
    }

    async fn rerun(&self, phase: &Phase, deed: Deed, first: &Result<(), String>, done: &Done) -> Verdict {
        let mut goal = deed.goal(self, phase);
        let mut runs = 0;
        let mut refused = false;
        if first.is_err() || deed != Deed::Nothing {
            runs += 1;
            if let Err(error) = self.run(&goal.body).await {
                refused = true;
                // Refused, as it should be: what the error advises is done, once.
                match self.heed(phase, &error, done).await {
                    Ok(Some(imports)) => goal.body.push_str(&imports),
                    Ok(None) => return Verdict::Failed(format!("the run after it fails: {error}")),
                    Err(why) => return Verdict::NotDone(why),
                }
                match self.run(&goal.body).await {
                    // The name of another stack's secret stays taken for days.
                    Err(error) if error.contains("is scheduled for deletion and was") => return Verdict::NotDone(error),
                    Err(error) => return Verdict::Failed(format!("refused, its advice is heeded, and it fails: {error}")),
                    Ok(()) => {}
                }
            }
        }
        let planned = tokio::time::timeout(PATIENCE, self.world.plan(&goal.body)).await;
        match planned {
            Err(_) => return Verdict::Failed("the plan after it never ends".to_owned()),
            Ok(Err(error)) => return Verdict::Failed(format!("the plan after it fails: {error}")),
            Ok(Ok(plan)) if plan.has_changes() || !plan.drift.is_empty() => {
                return Verdict::Failed(format!("the plan after it is not empty:\n{}", shown(&plan)));
            }
            Ok(Ok(_)) => {}
        }
        let made = if refused && done.foreign.is_some() { BTreeSet::new() } else { done.made.clone() };
        match wrong(&self.own().await, if goal.exists { self.size.objects } else { 0 }, deed, &made) {
            Some(why) => Verdict::Failed(why),
            None if refused => Verdict::Refused,
            None => Verdict::Converged(runs),
        }
    }

    async fn run(&self, body: &str) -> Result<(), String> {
        let run = tokio::time::timeout(PATIENCE, self.world.apply(body)).await;
        run.map_err(|_| "it never ends".to_owned())?.map(drop)
    }

    /// Does what a refusal advises: who made what is in the way takes it away, or it is imported, or what protects it is
    /// switched off. The blocks for that; none when nothing was advised.
    async fn heed(&self, phase: &Phase, error: &str, done: &Done) -> Result<Option<String>, String> {
        if error.contains("AWS protects it") {
            let Some(unprotected) = &phase.from else { return Ok(None) };
            let switched_off = self.world.apply(&self.subject.body(Some(unprotected))).await;
            return switched_off.map(|_| Some(String::new())).map_err(|error| format!("its protection cannot be switched off: {error}"));
        }
        if error.contains("is not restored, as its KMS key") {
            return Err("the key that the case names does not exist here".to_owned());
        }
        // Of a private namespace Cloud Map alone knows whether its VPC has one of that name, and of a private address EC2.
        let taken = ["exists already", "ConflictingDomainExists", "InvalidIPAddress.InUse"];
        if !taken.iter().any(|taken| error.contains(taken)) {
            return Ok(None);
        }
        if let Some(foreign) = &done.foreign {
            foreign.apply("").await.map_err(|error| format!("what is in the way cannot be taken away: {error}"))?;
            return Ok(Some(String::new()));
        }
        let advised = error.split("add [[import]] with to = '").skip(1).filter_map(|rest| {
            let (to, rest) = rest.split_once("', id = ")?;
            let id = rest.trim_start_matches('\\').strip_prefix('"')?.split(['"', '\\']).next()?;
            Some(format!("\n[[import]]\nto = '{to}'\nid = '{id}'\n"))
        });
        let advised: String = advised.collect();
        Ok(Some(advised).filter(|advised| !advised.is_empty()))
    }

    async fn deed(&self, phase: &Phase, deed: Deed, older: &[(OsString, Vec<u8>)]) -> Result<Done, String> {
        match deed {
            Deed::Older => self.world.restore(older),
            Deed::Delete | Deed::Foreign | Deed::Ours => self.delete().await?,
            _ => return Ok(Done::default()),
        }
        let name = match deed {
            Deed::Foreign => "foreign",
            Deed::Ours => "points",
            _ => return Ok(Done::default()),
        };
        let attributes = phase.to.as_deref().or(phase.from.as_deref()).unwrap_or_default();
        let literal = match self.subject.type_name {
            Some(_) => self.world.literal(&self.subject.alone(attributes)).await,
            // A whole stack stands on nothing else.
            None => attributes.to_owned(),
        };
        let other = self.world.beside(name);
        other.apply(&literal).await.map_err(|error| format!("it cannot be made by hand: {error}"))?;
        Ok(Done { made: self.own().await, foreign: Some(other).filter(|_| deed == Deed::Foreign) })
    }

    /// Deletes by hand what there is of the subject; the state does not hear of it.
    async fn delete(&self) -> Result<(), String> {
        let elsewhere = self.world.copied();
        let outcome = tokio::time::timeout(PATIENCE, elsewhere.apply(&self.subject.body(None))).await;
        outcome.map_err(|_| "deleting by hand never ends".to_owned())?.map_err(|error| format!("it cannot be deleted by hand: {error}"))?;
        match self.own().await {
            left if left.is_empty() => Ok(()),
            left => Err(format!("deleting by hand leaves {left:?}")),
        }
    }
}

/// What there is of a subject's type, or of every type.
async fn of(census: &Census, subject: &Subject) -> BTreeSet<String> {
    match subject.type_name {
        Some(type_name) => census.of(type_name).await,
        None => census.all().await,
    }
}

/// What is wrong with what there is.
fn wrong(there: &BTreeSet<String>, wanted: usize, deed: Deed, made: &BTreeSet<String>) -> Option<String> {
    let beside: BTreeSet<&String> = there.difference(made).collect();
    let right = match deed {
        // Its place may be that of the stack's own; then it is one with it. Else it is left alone.
        Deed::Foreign => made.is_subset(there) && (beside.len() == wanted || beside.is_empty() && made.len() == wanted),
        // With the stack's tags it is the stack's own, when the stack has one.
        Deed::Ours if wanted == 0 => beside.is_empty(),
        Deed::Region => there.len() == wanted && there.iter().all(|one| is_in(one, "us-west-2")),
        _ => there.len() == wanted,
    };
    let what = if there.len() < wanted { "lost" } else { "orphan or duplicate" };
    (!right).then(|| format!("{what}: there are {there:?} instead of {wanted}; made by hand: {made:?}"))
}
