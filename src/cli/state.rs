//! `leoctl state`: looking at the state, and mending it by hand, never without a copy of what was there.

use std::path::Path;
use std::sync::Arc;

use super::args::StateCommand;
use super::{CliError, Context, Exit, encryption, inspect, project, rotate, session};
use crate::disk;
use crate::ui::{self, STRONG, WARN, styled};
use leoctl_core::engine::ports::Store;
use leoctl_core::model::address::Address;
use leoctl_core::model::journal::Record;
use leoctl_core::model::place::Place;
use leoctl_core::model::selector::Selector;
use leoctl_core::model::state::{Intent, State};
use leoctl_core::stack::Stack;
use leoctl_core::stack::backend::Backend;

/// Runs one of the commands.
pub async fn run(context: &Context, command: StateCommand) -> Result<Exit, CliError> {
    match command {
        StateCommand::List { stack } => inspect::list(context, stack.as_deref()).await,
        StateCommand::Show { address, stack } => inspect::resource(context, &address, stack.as_deref()).await,
        StateCommand::Mv { from, to, stack } => mv(context, &from, &to, stack.as_deref()).await,
        StateCommand::Rm { address, stack } => rm(context, &address, stack.as_deref()).await,
        StateCommand::Pull { stack } => pull(context, stack.as_deref()).await,
        StateCommand::Push { file, stack, force } => push(context, &file, stack.as_deref(), force).await,
        StateCommand::Unlock { stack } => unlock(context, stack.as_deref()).await,
        StateCommand::Migrate { stack, from } => migrate(context, stack.as_deref(), from.as_deref()).await,
        StateCommand::Rotate { stack } => rotate::rotate(context, stack.as_deref()).await,
        StateCommand::Decrypt { stack } => rotate::decrypt(context, stack.as_deref()).await,
    }
}

/// The store of a stack that is only looked at, and the stack.
async fn opened(context: &Context, stack: Option<&Path>) -> Result<(Box<dyn Store>, Stack), CliError> {
    of_file(context, &project::stack_file(stack, context)?).await
}

/// The same of one whose state is to be changed, which nobody is asked about.
async fn to_change(context: &Context, stack: Option<&Path>) -> Result<(Box<dyn Store>, Stack), CliError> {
    of_file(context, &project::stack_to_change(stack, context, true)?).await
}

async fn of_file(context: &Context, path: &Path) -> Result<(Box<dyn Store>, Stack), CliError> {
    let stack = project::find(path, &context.global)?;
    Ok((session::store(&context.global, path, &stack).await?, stack))
}

/// Changes a state under its lock: a copy is kept, then it is replaced.
async fn edit(
    context: &Context,
    stack: Option<&Path>,
    command: &str,
    change: impl FnOnce(&mut State) -> Result<String, CliError>,
) -> Result<Exit, CliError> {
    let (store, _) = to_change(context, stack).await?;
    say_notes(context, &store.lock(command).await?);
    let outcome = async {
        let Some(mut state) = store.load().await? else { return Err(never_applied()) };
        say_notes(context, &store.notes());
        let before = state.clone();
        let done = change(&mut state)?;
        let copy = store.backup(&before).await?;
        state.serial += 1;
        store.save(&state).await?;
        context.say(&format!("{done} What was there before is in {copy}."));
        Ok(Exit::Done)
    };
    let outcome = outcome.await;
    store.release().await;
    outcome
}

pub(super) fn say_notes(context: &Context, notes: &[String]) {
    notes.iter().for_each(|note| context.say(&styled(WARN, format!("Note: {note}"))));
}

pub(super) fn never_applied() -> CliError {
    CliError::usage("there is no state: the stack has never been applied", "`leoctl apply` makes one")
}

async fn mv(context: &Context, from: &Selector, to: &Selector, stack: Option<&Path>) -> Result<Exit, CliError> {
    edit(context, stack, "leoctl state mv", |state| {
        let moves = moves(state, from, to)?;
        for (from, to) in &moves {
            free(state, to)?;
            if from.type_name() != to.type_name() {
                return Err(CliError::usage(&format!("{from} cannot become {to}"), "the two are of different types"));
            }
        }
        moves.into_iter().for_each(|(from, to)| state.fold(&Record::Moved { from, to }));
        let note = "Give its block in the stack file this name, too, or the next apply deletes it: `leoctl plan` shows what it would do.";
        Ok(format!("{} is now {}. {note}", styled(STRONG, from), styled(STRONG, to)))
    })
    .await
}

/// Which resource gets which address: the one that is named, or all in a module.
fn moves(state: &State, from: &Selector, to: &Selector) -> Result<Vec<(Address, Address)>, CliError> {
    let found: Vec<(Address, Address)> = match (from, to) {
        (Selector::Resource(from), Selector::Resource(to)) => {
            state.addresses().contains(from).then(|| (from.clone(), to.clone())).into_iter().collect()
        }
        (Selector::Module(old), Selector::Module(new)) => {
            let all = state.addresses().into_iter().filter_map(|address| {
                let module = address.block.module.moved(old, new)?;
                Some((address.clone(), Address { block: address.block.clone().within(&module), key: address.key.clone() }))
            });
            all.collect()
        }
        _ => return Err(CliError::usage(&format!("{from} cannot become {to}"), "one is a module, and the other a resource")),
    };
    if found.is_empty() { Err(inspect::absent(state, from)) } else { Ok(found) }
}

/// That nothing is remembered under an address.
fn free(state: &State, to: &Address) -> Result<(), CliError> {
    let there = state.all().find(|(known, _)| *known == to).map(|(_, there)| format!("{to} is there already, as {}", there.place.id));
    let may_be = || state.opened(to).next().map(|intent| format!("{to} may be there already, in {}", intent.region));
    match there.or_else(may_be) {
        Some(taken) => Err(CliError::usage(&taken, "forget that one first: `leoctl state rm`")),
        None => Ok(()),
    }
}

async fn rm(context: &Context, address: &Selector, stack: Option<&Path>) -> Result<Exit, CliError> {
    edit(context, stack, "leoctl state rm", |state| {
        // One resource by its whole address, or a module with all in it.
        let named = |known: &Address| address.address().map_or_else(|| address.covers(known), |address| address == known);
        let known = state.all().filter(|(known, _)| named(known));
        let places: Vec<(Address, Place)> = known.map(|(address, remembered)| (address.clone(), remembered.place.clone())).collect();
        let intents: Vec<Intent> = state.open.iter().filter(|intent| named(&intent.address)).cloned().collect();
        if places.is_empty() && intents.is_empty() {
            return Err(inspect::absent(state, address));
        }
        for (address, place) in &places {
            state.fold(&Record::Deleted { address: address.clone(), place: place.clone() });
        }
        for Intent { address, token, .. } in &intents {
            state.fold(&Record::Refused { address: address.clone(), token: token.clone() });
        }
        let known = places.iter().map(|(_, place)| place.id.clone());
        let maybe = intents.iter().map(|intent| format!("what its interrupted creation in {} may have made", intent.region));
        let left: Vec<String> = known.chain(maybe).collect();
        let note = "Take its block out of the stack file, too, or the next apply takes it over again.";
        Ok(format!("{} is forgotten; {} stays in AWS. {note}", styled(STRONG, address), left.join(", ")))
    })
    .await
}

async fn pull(context: &Context, stack: Option<&Path>) -> Result<Exit, CliError> {
    let (store, stack) = opened(context, stack).await?;
    let Some(mut state) = store.load().await? else { return Err(never_applied()) };
    stack.hide_in(&mut state, leoctl_aws::registry::catalog());
    ui::out(serde_json::to_string_pretty(&state).unwrap_or_default());
    Ok(Exit::Done)
}

async fn push(context: &Context, file: &Path, stack: Option<&Path>, force: bool) -> Result<Exit, CliError> {
    let unusable =
        |why: String| CliError::usage(&format!("cannot use {}: {why}", file.display()), "it has to be a state, as `state pull` prints it");
    let text = disk::read_text(file, disk::LARGEST).map_err(|error| unusable(error.to_string()))?;
    let path = project::stack_to_change(stack, context, true)?;
    let named = project::find(&path, &context.global)?;
    let vault = Arc::new(encryption::vault(&context.global, &path, &named).await?);
    // A copy is encrypted as the state is; what `state pull` has printed is not.
    let text = vault.open_copy(&file.display().to_string(), text).await?;
    let mut state = State::parse(&text).map_err(|error| unusable(error.to_string()))?;
    let store = session::store_with(&context.global, &path, &named, &vault).await?;
    if state.stack != named.name {
        return Err(unusable(format!("it is the state of {}, and the stack is {}", state.stack, named.name)));
    }
    say_notes(context, &store.lock("leoctl state push").await?);
    let outcome = async {
        let mut copy = None;
        if let Some(there) = store.load().await? {
            newer(&there, &state, force)?;
            state.serial = state.serial.max(there.serial) + 1;
            copy = Some(store.backup(&there).await?);
        }
        store.save(&state).await?;
        let copy = copy.map(|copy| format!(" What was there before is in {copy}.")).unwrap_or_default();
        context.say(&format!("{} is now {} with {} resources.{copy}", store.location(), file.display(), state.resources.len()));
        Ok(Exit::Done)
    };
    let outcome = outcome.await;
    store.release().await;
    outcome
}

/// Whether a state may replace another.
fn newer(there: &State, state: &State, force: bool) -> Result<(), CliError> {
    let help = "look at both; `--force` replaces it nevertheless, and keeps a copy";
    if force {
        return Ok(());
    }
    if there.lineage != state.lineage {
        return Err(CliError::usage("the file is the state of another beginning (its lineage differs)", help));
    }
    if (&there.account_id, &there.region) != (&state.account_id, &state.region) {
        return Err(CliError::usage("the file is of another account or region", help));
    }
    if state.serial < there.serial {
        let message = format!("the file is older: it was written {} times, the state {} times", state.serial, there.serial);
        return Err(CliError::usage(&message, help));
    }
    Ok(())
}

async fn unlock(context: &Context, stack: Option<&Path>) -> Result<Exit, CliError> {
    let (store, _) = to_change(context, stack).await?;
    match store.unlock().await? {
        Some(holder) => {
            context.say(&format!("The lock is free; it was held by {holder}. Should that run still live, it stops within seconds."))
        }
        None => context.say("Nobody held the lock."),
    }
    Ok(Exit::Done)
}

async fn migrate(context: &Context, stack: Option<&Path>, from: Option<&str>) -> Result<Exit, CliError> {
    let path = project::stack_to_change(stack, context, true)?;
    let stack = project::find(&path, &context.global)?;
    // One for both places: moving gives the state to nobody who could not read it where it was.
    let vault = Arc::new(encryption::vault(&context.global, &path, &stack).await?);
    let to = session::store_with(&context.global, &path, &stack, &vault).await?;
    let from: Box<dyn Store> = match from {
        Some(place) => Box::new(session::shared(&context.global, &bucket_and_key(place)?).await?.encrypted(vault)),
        None if stack.config.backend_s3.is_some() => Box::new(session::local_store(&context.global, &path, &stack.name).encrypted(vault)),
        None => {
            return Err(CliError::usage(
                "the stack file says that the state is a local file",
                "to move it there from a bucket, pass `--from s3://BUCKET/KEY`; to move it to one, write [stack.backend.s3]",
            ));
        }
    };
    if from.location() == to.location() {
        return Err(CliError::usage(&format!("the state is in {} already", to.location()), "change [stack.backend.s3], or pass `--from`"));
    }
    say_notes(context, &from.lock("leoctl state migrate").await?);
    let locked = to.lock("leoctl state migrate").await;
    let outcome = async {
        say_notes(context, &locked?);
        moved(context, &stack.name, from.as_ref(), to.as_ref()).await
    };
    let outcome = outcome.await;
    from.release().await;
    to.release().await;
    outcome
}

/// Moves a state with what its journal says. It is in the new place before it leaves the old one.
async fn moved(context: &Context, stack: &str, from: &dyn Store, to: &dyn Store) -> Result<Exit, CliError> {
    let Some(mut state) = from.load().await? else {
        return Err(CliError::usage(&format!("there is no state in {}", from.location()), "nothing has to be moved"));
    };
    if state.stack != stack {
        let message = format!("{} is the state of {}, and the stack is {stack}", from.location(), state.stack);
        return Err(CliError::usage(&message, "name the place of this stack's state"));
    }
    if let Some(there) = to.load().await? {
        // The move was begun before, and broken off between its two halves.
        let same = there == State { serial: state.serial + 1, fence: None, ..state.clone() };
        if !same {
            return Err(CliError::usage(
                &format!("there is a state in {} already", to.location()),
                "look at both; `leoctl state push` replaces the one there by a file, and keeps a copy",
            ));
        }
    } else {
        state.serial += 1;
        to.save(&state).await?;
    }
    let copy = from.backup(&state).await?;
    from.check().await?;
    from.remove().await?;
    context.say(&format!("The state is now in {}. A copy of what was in {} is in {copy}.", to.location(), from.location()));
    Ok(Exit::Done)
}

fn bucket_and_key(place: &str) -> Result<Backend, CliError> {
    let parts = place.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    match parts {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
            Ok(Backend { bucket: bucket.to_owned(), key: key.to_owned(), region: None, profile: None, kms_key_id: None })
        }
        _ => Err(CliError::usage(&format!("`{place}` is no object in a bucket"), "write `--from s3://BUCKET/KEY`")),
    }
}
