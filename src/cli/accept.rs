//! `leoctl drift --accept`: what AWS has by now is written into the stack file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::args::DriftArgs;
use super::session::Session;
use super::{CliError, Context, Exit, ask, error, project};
use crate::{disk, ui};
use leoctl_aws::registry;
use leoctl_core::model::redact::Redactor;
use leoctl_core::plan::accept::{Acceptance, Accepted, accept};
use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::{Action, Plan};
use leoctl_core::stack::diagnostic::{Diagnostics, Source};
use leoctl_core::stack::files::Files;
use leoctl_core::stack::{self, MAX_FILE_SIZE, Stack};

/// A file that is written anew.
struct File<'a> {
    source: &'a Source,
    after: &'a str,
}

/// The files of the project, some of which are to have another text.
struct Overlay {
    disk: Box<dyn Files>,
    texts: BTreeMap<PathBuf, String>,
}

impl Files for Overlay {
    fn read(&self, path: &Path) -> Result<String, String> {
        self.texts.get(path).map_or_else(|| self.disk.read(path), |text| Ok(text.clone()))
    }

    fn read_env(&self, path: &Path) -> Result<Vec<(String, String)>, String> {
        self.disk.read_env(path)
    }

    fn bytes(&self, path: &Path) -> Result<Vec<u8>, String> {
        self.disk.bytes(path)
    }

    fn real(&self, path: &Path) -> PathBuf {
        self.disk.real(path)
    }

    fn below(&self, path: &Path) -> Result<Vec<String>, String> {
        self.disk.below(path)
    }

    fn is_inside(&self, stack_file: &Path, path: &Path) -> bool {
        self.disk.is_inside(stack_file, path)
    }
}

/// Shows what is to be written, and writes it once that is confirmed.
pub async fn run(context: &Context, args: &DriftArgs) -> Result<Exit, CliError> {
    let stack = match args.stacks.as_slice() {
        [] => None,
        [stack] => Some(stack.as_path()),
        _ => return Err(CliError::usage("drift is accepted into one stack", "name one stack file")),
    };
    let path = project::stack_to_change(stack, context, args.yes)?;
    let mut session = Session::open(context, &path).await?;
    let drift = session.plan(&Options::default(), true).await?.plan.drift;
    let before = Arc::clone(&session.stack);
    let located = |diagnostics| CliError::Diagnostics { diagnostics, sources: before.sources.clone() };
    let Acceptance { accepted, refused, texts } = accept(&before, &drift, &args.accept).map_err(located)?;
    if !refused.is_empty() {
        error::show(&located(Diagnostics::from(refused.clone())), context.global.json, !context.global.no_color);
    }
    let files: Vec<File<'_>> =
        texts.iter().filter_map(|(number, after)| Some(File { source: before.sources.get(*number)?, after })).collect();
    if !files.is_empty() {
        session.stack = Arc::new(read_again(context, &path, &files)?);
        let plan = session.plan(&Options::default(), true).await?.plan;
        settled(&plan, &accepted)?;
        show(context, &files, &plan.redactor());
        if !ask::confirmed(context, args.yes, "Write this into the stack file?").await? {
            return Ok(Exit::Error);
        }
        write(&files)?;
    }
    said(context, &accepted, &before, files.is_empty());
    Ok(if refused.is_empty() { Exit::Done } else { Exit::Error })
}

/// The stack as it is with the files that are to be written.
fn read_again(context: &Context, path: &Path, files: &[File<'_>]) -> Result<Stack, CliError> {
    let texts: BTreeMap<PathBuf, String> = files.iter().map(|file| (file.source.path.clone(), file.after.to_owned())).collect();
    let overlay = Overlay { disk: project::files(path, false), texts };
    let loaded = stack::load(path, &overlay, &project::given(&context.global)?, registry::catalog());
    loaded.stack.ok_or(CliError::Diagnostics { diagnostics: loaded.diagnostics, sources: loaded.sources })
}

/// Refuses what a plan would change nevertheless.
fn settled(plan: &Plan, accepted: &[Accepted]) -> Result<(), CliError> {
    let changes = |accepted: &&Accepted| {
        let change = plan.change(&accepted.address).filter(|change| matches!(change.action, Action::Update | Action::Replace));
        change.is_some_and(|change| {
            change.attributes.iter().any(|one| one.path.starts_with(&accepted.path) || accepted.path.starts_with(&one.path))
        })
    };
    let still: Vec<String> = accepted.iter().filter(changes).map(|one| format!("`{}` of {}", one.path, one.address)).collect();
    if still.is_empty() {
        return Ok(());
    }
    let error = format!("a plan would still change {}: nothing was written", still.join(", "));
    Err(CliError::usage(&error, "write these by hand, and accept the others"))
}

/// Shows how the files change. What stands beside a line may be a secret.
fn show(context: &Context, files: &[File<'_>], redactor: &Redactor) {
    if context.global.json {
        return;
    }
    for File { source, after } in files {
        let (before, after) = (redactor.redact(&source.text), redactor.redact(after));
        ui::out(ui::patch::unified(&source.path.display().to_string(), &before, &after));
    }
}

/// Writes the files, unless somebody else has changed one since it was read.
fn write(files: &[File<'_>]) -> Result<(), CliError> {
    for File { source, .. } in files {
        let is_same = disk::read_text(&source.path, MAX_FILE_SIZE as u64).is_ok_and(|now| now == source.text);
        if !is_same {
            let error = format!("{} has changed since it was read: nothing was written", source.path.display());
            return Err(CliError::usage(&error, "run the same command again"));
        }
    }
    for File { source, after } in files {
        disk::rewrite(&source.path, after).map_err(|failed| {
            CliError::usage(&failed.to_string(), "files that were written before it stay so; the others are as they were")
        })?;
    }
    Ok(())
}

fn said(context: &Context, accepted: &[Accepted], stack: &Stack, as_it_was: bool) {
    let path = |one: &Accepted| stack.sources.get(one.file).map(|source| source.path.display().to_string()).unwrap_or_default();
    if context.global.json {
        let accepted = accepted.iter().map(|one| json!({ "address": one.address, "path": one.path.to_string(), "file": path(one) }));
        ui::out(json!({ "accepted": accepted.collect::<Vec<_>>() }));
        return;
    }
    if as_it_was && !accepted.is_empty() {
        context.say("The stack file says so already.");
    } else if !accepted.is_empty() {
        context.say(&format!("{} written.", ui::counted(accepted.len(), "value")));
    }
}
