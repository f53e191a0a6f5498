//! `leoctl stats`.

mod view;

use std::path::Path;

use super::{CliError, Context, Exit, session};
use crate::ops::{Deployed, stats};
use crate::ui;

/// Shows what the stack's tasks used in the last hours.
pub async fn run(context: &Context, stack: Option<&Path>, hours: u32) -> Result<Exit, CliError> {
    let (_, session, state) = session::applied(context, stack).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let read = session.reading("what the tasks use", stats::read(&deployed, &session.stack, hours)).await;
    let stats = read.map_err(|failure| CliError::aws("asking CloudWatch what the tasks use", failure))?;
    if context.global.json {
        ui::out(serde_json::json!(stats));
    } else {
        ui::out(view::text(&stats));
    }
    Ok(Exit::Done)
}
