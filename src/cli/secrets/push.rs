//! `leoctl secrets push`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Opened, binary, called, files, meant, names_of, no_object, reading, refused, renew, words};
use crate::cli::{CliError, Context, Exit, ask, session};
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

/// Sets what is not set or differs to what the files have.
pub async fn push(context: &Context, stack: Option<&Path>, from: &[PathBuf], only: &[String], yes: bool) -> Result<Exit, CliError> {
    let opened = Opened::new(context, stack).await?;
    let files = files::needed(context, &opened, from)?;
    let names = opened.names();
    let chosen = Chosen::new(&names, only)?;
    let mut joined = opened.joined(&files);
    joined.problems.retain(|problem| problem.targets.iter().any(|target| chosen.has(target)));
    if !joined.problems.is_empty() {
        return Err(refused(joined.problems));
    }
    joined.writes.retain(|target, _| chosen.has(target));
    mistyped(context, &names, &joined);
    let deployed = opened.deployed();
    let compared = compare(&deployed, opened.of(joined.writes.keys()), &joined.writes).await.map_err(reading)?;
    let mut binaries = Vec::new();
    for one in &compared {
        if one.refused(Standing::NoObject).is_some() {
            return Err(no_object(&one.stored.secret));
        }
        if one.refused(Standing::Binary).is_some() {
            context.say(&binary(&one.stored.secret));
            binaries.push(&one.stored);
        }
    }
    let changed: Vec<&Compared> = compared.iter().filter(|one| one.changes()).collect();
    if changed.is_empty() {
        context.say("Nothing to push: no secret differs from the files.");
    } else {
        context.say(&session::whose(&opened.state, &opened.path));
        changed.iter().for_each(|one| show(context, one, &joined, &files));
        if !ask::confirmed(context, yes, question(changed.len())).await? {
            return Ok(Exit::Error);
        }
    }
    let pushed = Pushed::all(&deployed, &changed, binaries).await;
    pushed.say(context);
    renew(context, &opened, &pushed.written, yes).await?;
    pushed.failed.map_or(Ok(Exit::Done), |(stored, failure)| Err(CliError::aws(&format!("setting {}", stored.secret.name), failure)))
}

fn question(count: usize) -> &'static str {
    if count == 1 { "Set this secret?" } else { "Set these secrets?" }
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
}

/// Says which lines were meant for a secret, and are for none.
fn mistyped(context: &Context, names: &Names<'_>, joined: &Joined) {
    let meant = |name: &str| name.contains(['.', '/', ':', '[']) || names.unused(name).is_some();
    for other in joined.others.iter().filter(|other| meant(&other.name)) {
        let note = format!("Note: {} means no secret of the stack: {}", other.place, names.meant(&other.name));
        context.say(&styled(WARN, note));
    }
}

/// Shows what of a secret changes.
fn show(context: &Context, one: &Compared, joined: &Joined, files: &Files) {
    context.say(&format!("  {}", styled(STRONG, &one.stored.secret.name)));
    for part in one.parts.iter().filter(|part| part.after.is_some()) {
        let from = joined.writes.get(&part.target).map_or("", |entry| files.name(entry));
        let (style, words) = words(part.standing);
        let what = called(&one.stored.secret, &part.target);
        context.say(&format!("    {what}: {} {}", styled(style, change(part, words)), styled(FAINT, format!("({from})"))));
    }
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
    /// Sets these one after the other, up to the first that fails. Those of `left` are left alone.
    async fn all(deployed: &Deployed<'_>, changed: &[&'a Compared], left: Vec<&'a Stored>) -> Self {
        let mut pushed = Self { written: Vec::new(), failed: None, left };
        for one in changed {
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
