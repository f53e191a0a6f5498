//! `leoctl secrets push`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::json;

use super::{Opened, binary, called, files, meant, names_of, no_object, reading, refused, renew, words};
use crate::cli::operate::{Change, On, Operation};
use crate::cli::{CliError, Context, Exit};
use crate::ops::Deployed;
use crate::ops::secrets::Stored;
use crate::ops::secrets::compare::{Compared, Part, Standing, compare};
use crate::ops::secrets::write::write;
use crate::ui::{self, FAINT, STRONG, WARN, styled};
use leoctl_core::engine::ports::Failure;
use leoctl_core::model::address::Address;
use leoctl_core::secrets::Target;
use leoctl_core::secrets::join::{Files, Joined};
use leoctl_core::secrets::names::Names;

/// Setting what is not set or differs to what the files have.
pub struct Push<'a> {
    /// The env files that are named.
    pub from: &'a [PathBuf],
    /// The secrets and keys that are named.
    pub only: &'a [String],
    /// Whether nothing is asked.
    pub yes: bool,
}

impl Operation for Push<'_> {
    /// The secrets of which the files say something.
    type Prepared = Vec<Compared>;

    /// An apply does not change the values of secrets.
    const LOCK: Option<&'static str> = None;

    async fn prepare(&self, on: &On<'_>) -> Result<Option<(Change, Vec<Compared>)>, CliError> {
        let opened = Opened::new(on);
        let files = files::needed(on.context, &opened, self.from)?;
        let names = opened.names();
        let joined = self.joined(on.context, &opened, &files)?;
        mistyped(on.context, &names, &joined);
        let compared = compare(&on.deployed(), opened.of(joined.writes.keys()), &joined.writes).await.map_err(reading)?;
        if let Some(one) = compared.iter().find(|one| one.refused(Standing::NoObject).is_some()) {
            return Err(no_object(&one.stored.secret));
        }
        binaries(&compared).iter().for_each(|stored| on.context.say(&binary(&stored.secret)));
        let changed: Vec<&Compared> = compared.iter().filter(|one| one.changes()).collect();
        if changed.is_empty() {
            on.context.say("Nothing to push: no secret differs from the files.");
            Pushed::nothing(&compared).say(on.context);
            return Ok(None);
        }
        let lines = changed.iter().flat_map(|one| lines(one, &joined, &files)).collect();
        let question = if changed.len() == 1 { "Set this secret?" } else { "Set these secrets?" };
        Ok(Some((Change { lines, question: Some(question.to_owned()) }, compared)))
    }

    async fn act(&self, on: &On<'_>, compared: Vec<Compared>) -> Result<Exit, CliError> {
        let pushed = Pushed::all(&on.deployed(), &compared).await;
        pushed.say(on.context);
        let exit = renew(on, &pushed.written, !self.yes && pushed.failed.is_none()).await?;
        pushed.failed.map_or(Ok(exit), |(stored, failure)| Err(CliError::aws(&format!("setting {}", stored.secret.name), failure)))
    }
}

impl Push<'_> {
    /// What the files say of the secrets that are meant, where it is plain what that is.
    fn joined(&self, context: &Context, opened: &Opened<'_>, files: &Files) -> Result<Joined, CliError> {
        let chosen = Chosen::new(&opened.names(), self.only)?;
        let mut joined = opened.joined(files);
        joined.problems.retain(|problem| chosen.has_any(&problem.targets));
        if !joined.problems.is_empty() {
            return Err(refused(joined.problems));
        }
        joined.writes.retain(|target, _| chosen.has(target));
        joined.hidden.retain(|hidden| chosen.has_any(&hidden.targets));
        joined.hidden.iter().for_each(|hidden| context.say(&styled(WARN, format!("Note: {hidden}"))));
        Ok(joined)
    }
}

/// The secrets that are binary, and that the files have values for.
fn binaries(compared: &[Compared]) -> Vec<&Stored> {
    compared.iter().filter(|one| one.refused(Standing::Binary).is_some()).map(|one| &one.stored).collect()
}

/// What `--only` names; everything when it names nothing.
#[derive(Default)]
struct Chosen {
    targets: Vec<Target>,
    /// Those that are meant with all their keys.
    secrets: Vec<Address>,
}

impl Chosen {
    fn new(names: &Names<'_>, words: &[String]) -> Result<Self, CliError> {
        let mut chosen = Self::default();
        for word in words {
            chosen.targets.push(meant(names, word)?);
            chosen.secrets.extend(names.secret(word).map(|secret| secret.address.clone()));
        }
        Ok(chosen)
    }

    fn has(&self, target: &Target) -> bool {
        self.targets.is_empty() || self.targets.contains(target) || self.secrets.contains(&target.secret)
    }

    fn has_any(&self, targets: &BTreeSet<Target>) -> bool {
        targets.iter().any(|target| self.has(target))
    }
}

/// Says which lines were meant for a secret, and are for none.
fn mistyped(context: &Context, names: &Names<'_>, joined: &Joined) {
    let meant = |name: &str| name.contains(['.', '/', ':', '[']) || names.unused(name).is_some();
    for other in joined.others.iter().filter(|other| meant(&other.name)) {
        let note = format!("Note: {} means no secret of the stack: {}", other.place, names.meant(&other.name));
        context.say(&styled(WARN, note));
    }
}

/// What of a secret changes.
fn lines(one: &Compared, joined: &Joined, files: &Files) -> Vec<String> {
    let name = format!("  {}", styled(STRONG, &one.stored.secret.name));
    let parts = one.parts.iter().filter(|part| part.after.is_some()).map(|part| {
        let from = joined.writes.get(&part.target).map_or("", |entry| files.name(entry));
        let (style, words) = words(part.standing);
        let what = called(&one.stored.secret, &part.target);
        format!("    {what}: {} {}", styled(style, change(part, words)), styled(FAINT, format!("({from})")))
    });
    std::iter::once(name).chain(parts).collect()
}

fn change(part: &Part, words: &str) -> String {
    match (part.standing, &part.before, &part.after) {
        (Standing::Unset, _, Some(after)) => format!("not set -> {}", after.0),
        (Standing::Differs, Some(before), Some(after)) => format!("{} -> {}", before.0, after.0),
        _ => words.to_owned(),
    }
}

/// What became of each secret.
struct Pushed<'a> {
    written: Vec<&'a Stored>,
    failed: Option<(&'a Stored, Failure)>,
    left: Vec<&'a Stored>,
}

impl<'a> Pushed<'a> {
    /// That nothing was set, nor was to be.
    fn nothing(compared: &'a [Compared]) -> Self {
        Self { written: Vec::new(), failed: None, left: binaries(compared) }
    }

    /// Sets those of these that change one after the other, up to the first that fails.
    async fn all(deployed: &Deployed<'_>, compared: &'a [Compared]) -> Self {
        let mut pushed = Self::nothing(compared);
        for one in compared.iter().filter(|one| one.changes()) {
            let stored = &one.stored;
            if pushed.failed.is_some() {
                pushed.left.push(stored);
                continue;
            }
            match write(deployed, one).await {
                Ok(()) => pushed.written.push(stored),
                Err(failure) => pushed.failed = Some((stored, failure)),
            }
        }
        pushed
    }

    fn say(&self, context: &Context) {
        // A failure without a definite answer says nothing of what AWS did.
        let (mut not, mut unknown) = (Vec::new(), Vec::new());
        if let Some((stored, failure)) = &self.failed {
            if failure.kind.may_exist() { unknown.push(*stored) } else { not.push(*stored) }
        }
        not.extend(&self.left);
        if context.global.json {
            ui::out(json!({ "pushed": names_of(&self.written), "not_pushed": names_of(&not), "unknown": names_of(&unknown) }));
        }
        let list = |secrets: &[&Stored]| secrets.iter().map(|stored| stored.secret.name.as_str()).collect::<Vec<_>>().join(", ");
        if !self.written.is_empty() {
            context.say(&format!("{}: {}", styled(STRONG, "Set"), list(&self.written)));
        }
        if !not.is_empty() {
            context.say(&format!("{}: {}", styled(STRONG, "Not set"), list(&not)));
        }
        if !unknown.is_empty() {
            context.say(&format!("{}: {}", styled(STRONG, "Maybe set, AWS did not say"), list(&unknown)));
        }
    }
}
