//! `leoctl state rotate` and `leoctl state decrypt`: writing the state and its copies for others than could read them before.

use std::path::Path;
use std::sync::Arc;

use super::{CliError, Context, Exit, encryption, project, session, state};
use crate::ui::counted;
use leoctl_core::engine::ports::{Rewritten, Store};
use leoctl_core::engine::sealed::{Vault, refused};

/// Encrypts the state, its journal and its copies with the keys that the stack file names now.
pub async fn rotate(context: &Context, stack: Option<&Path>) -> Result<Exit, CliError> {
    rewritten(context, stack, ("leoctl state rotate", "is encrypted with the keys of the stack file"), Vault::rotating).await
}

/// Writes them in the clear.
pub async fn decrypt(context: &Context, stack: Option<&Path>) -> Result<Exit, CliError> {
    let done = rewritten(context, stack, ("leoctl state decrypt", "is in the clear"), Vault::in_the_clear).await?;
    context.say("Take [stack.encryption] out of the stack file now: with it the next write encrypts the state again.");
    Ok(done)
}

async fn rewritten(
    context: &Context,
    stack: Option<&Path>,
    (command, done): (&str, &str),
    how: impl FnOnce(Vault) -> Vault,
) -> Result<Exit, CliError> {
    let path = project::stack_to_change(stack, context, true)?;
    let stack = project::find(&path, &context.global)?;
    let vault = encryption::vault(&context.global, &path, &stack).await?;
    if !vault.is_on() {
        return Err(CliError::usage(
            "the stack file has no [stack.encryption]",
            "it says what the state is, or was, encrypted with: write it first",
        ));
    }
    let store = session::store_with(&context.global, &path, &stack, &Arc::new(how(vault))).await?;
    state::say_notes(context, &store.lock(command).await?);
    let outcome = anew(context, store.as_ref(), done).await;
    store.release().await;
    outcome
}

/// Writes everything anew: the state first, whose journal is in it then. Killed in between, each file is the old one or the
/// new one, and the same command goes on.
async fn anew(context: &Context, store: &dyn Store, done: &str) -> Result<Exit, CliError> {
    let Some(mut state) = store.load().await? else { return Err(state::never_applied()) };
    state.serial += 1;
    store.save(&state).await?;
    let Rewritten { done: copies, left } = store.rewrite_backups().await?;
    let copies = if copies == 1 { "1 copy".to_owned() } else { format!("{copies} copies") };
    context.say(&format!("{} {done}, and {copies} of it.", store.location()));
    if left.is_empty() {
        return Ok(Exit::Done);
    }
    let error = refused(format!("{} could not be written anew:\n{}", counted(left.len(), "file"), left.join("\n")));
    Err(error
        .help(
            "name the keys that they are encrypted with under [stack.encryption.previous], or remove them; then run the same command again",
        )
        .into())
}
