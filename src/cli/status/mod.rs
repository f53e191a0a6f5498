//! `leoctl status`.

pub mod view;

use std::time::Duration;

use jiff::Timestamp;

use super::args::StatusArgs;
use super::release::{self, Following};
use super::session::{self, Session};
use super::{CliError, Context, Exit, live};
use crate::ops::Deployed;
use crate::ops::release::{Followed, Reader};
use crate::ops::service;
use crate::ops::status::{self, Status};
use crate::ui;
use crate::ui::screen::{Cell, Line, Tone};
use leoctl_core::model::state::State;

/// Shows how a stack is doing, or the releases of some of its services: once, or again and again every so many seconds.
pub async fn run(context: &Context, args: &StatusArgs) -> Result<Exit, CliError> {
    let names = &args.services;
    if args.watch && names.is_empty() && !live::is_possible(context) {
        let help = "leave it out, scripts use `--json`; with the names of services, it follows their releases in lines";
        return Err(CliError::usage("`--watch` of a whole stack is for people at a terminal", help));
    }
    let (_, session, state) = session::applied(context, args.stack.as_deref()).await?;
    if !names.is_empty() {
        return releases(context, (&session, &state), names, args).await;
    }
    if args.watch {
        return watch(&session, args.interval).await;
    }
    let status = session.reading("how the stack is doing", read(&session, &state)).await?;
    if context.global.json {
        ui::out(serde_json::json!(status));
    } else {
        ui::out(view::screen(&status).text(ui::terminal::columns_of_stdout()));
    }
    Ok(Exit::Done)
}

/// Asks AWS how what a stack has made is doing.
pub async fn read(session: &Session, state: &State) -> Result<Status, CliError> {
    let saved_at = session.store.saved_at().await?;
    let deployed = Deployed { state, provider: &session.provider };
    status::read(&deployed, saved_at).await.map_err(|failure| CliError::aws("asking how the stack is doing", failure))
}

/// Shows the status until somebody leaves; the state is read anew as well: an apply may be going on.
async fn watch(session: &Session, seconds: u64) -> Result<Exit, CliError> {
    let pause = Duration::from_secs(seconds);
    let seen = async || {
        let Some(state) = session.store.load().await? else { return Err(session::never_applied(&session.stack.name)) };
        Ok(view::screen(&read(session, &state).await?))
    };
    let read = async || match seen().await {
        Ok(screen) => Ok(live::Seen { screen, ends: false, pause }),
        Err(error) => Err((error, pause)),
    };
    Ok(if live::run(seconds, read).await? == live::Left::Interrupted { Exit::Interrupted } else { Exit::Done })
}

/// Shows the releases of some services. At a terminal a live display stays until somebody leaves; lines end with the
/// releases, and the exit code says how these did.
async fn releases(context: &Context, (session, state): (&Session, &State), names: &[String], args: &StatusArgs) -> Result<Exit, CliError> {
    let deployed = Deployed { state, provider: &session.provider };
    let chosen = service::chosen(service::all(&deployed), names)?;
    let followed = chosen.into_iter().map(Followed::newest).collect();
    let mut reader = Reader::new(&deployed, session.stack.redactor(), followed);
    if !args.watch {
        let read = session.reading("how the services are doing", reader.read()).await;
        let releases = read.map_err(|failure| CliError::aws("asking how the services are doing", failure))?;
        match context.global.json {
            true => releases.iter().for_each(|release| ui::out(serde_json::json!(release))),
            false => {
                let screen = release::view::screen(&title(state), &releases, Timestamp::now());
                ui::out(screen.text(ui::terminal::columns_of_stdout()));
            }
        }
        return Ok(Exit::Done);
    }
    let stays = live::is_possible(context) && context.global.verbose == 0;
    let reader = if stays { reader.staying() } else { reader };
    let following = Following { reader, title: title(state), every: args.interval, patience: None, stays };
    let followed = following.run(context).await?;
    if stays {
        return Ok(Exit::Done);
    }
    for one in &followed.releases {
        release::tell(context, one);
        if context.global.json {
            ui::out(serde_json::json!(one));
        }
    }
    Ok(followed.exit())
}

/// Of which stack releases are.
pub fn title(state: &State) -> Line {
    let rest = format!(" in account {}, {}", state.account_id, state.region);
    vec![Cell::new(Tone::Strong, &state.stack), Cell::new(Tone::Faint, rest)]
}
