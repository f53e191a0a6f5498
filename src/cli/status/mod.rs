//! `leoctl status`.

mod view;
mod watch;

use std::path::Path;

use super::session::{self, Session};
use super::{CliError, Context, Exit};
use crate::ops::Deployed;
use crate::ops::status::{self, Status};
use crate::ui;
use leoctl_core::model::state::State;

/// Shows how a stack is doing: once, or again and again every so many seconds.
pub async fn run(context: &Context, stack: Option<&Path>, interval: Option<u64>) -> Result<Exit, CliError> {
    if interval.is_some() {
        watch::possible(context)?;
    }
    let (_, session, state) = session::applied(context, stack).await?;
    if let Some(seconds) = interval {
        return watch::run(&session, seconds).await;
    }
    let status = session.reading("how the stack is doing", read(&session, &state)).await?;
    if context.global.json {
        ui::out(serde_json::json!(status));
    } else {
        ui::out(view::screen(&status).text());
    }
    Ok(Exit::Done)
}

async fn read(session: &Session, state: &State) -> Result<Status, CliError> {
    let saved_at = session.store.saved_at().await?;
    let deployed = Deployed { state, provider: &session.provider };
    status::read(&deployed, saved_at).await.map_err(|failure| CliError::aws("asking how the stack is doing", failure))
}
