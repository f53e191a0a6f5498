//! `leoctl demo`: a whole platform in the sandbox.

use std::path::Path;

use super::session::Session;
use super::{CliError, Context, Exit, apply};
use crate::ui::{self, STRONG, styled};
use leoctl_core::plan::select::Options;

/// The stack the demo builds.
const STACK: &str = "stacks/dev.toml";

/// Plans, applies and plans again.
pub async fn run(context: &Context) -> Result<Exit, CliError> {
    let mut context = context.clone();
    context.global.sandbox = true;
    let path = Path::new(STACK);
    if !path.exists() {
        return Err(CliError::usage(&format!("the demo builds {STACK}, which is not here"), "run it in the folder of the leoctl sources"));
    }
    context.say(&styled(STRONG, format!("leoctl apply {STACK}, in the sandbox")));
    let session = Session::open(&context, path).await?;
    session.lock(&context, "leoctl demo").await?;
    let outcome = twice(&context, &session);
    apply::released(&session, outcome).await
}

async fn twice(context: &Context, session: &Session) -> Result<Exit, CliError> {
    let planned = session.plan(&Options::default(), true).await?;
    let exit = apply::confirm_and_apply(context, session, planned, true).await?;
    if exit != Exit::Done {
        return Ok(exit);
    }
    context.say(&styled(STRONG, format!("leoctl plan {STACK}, once more")));
    let again = session.plan(&Options::default(), true).await?.plan;
    ui::out(ui::flowing(ui::plan::render(&again, context.detail()).trim_end()));
    if again.has_changes() {
        return Ok(Exit::Error);
    }
    context.say("Look around with `leoctl --sandbox state list stacks/dev.toml`, and delete it all with `leoctl --sandbox destroy stacks/dev.toml`.");
    Ok(Exit::Done)
}
