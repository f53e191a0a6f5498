//! `leoctl mcp`: the commands as tools for agents, over the Model Context Protocol on stdin and stdout.
//!
//! A tool reads its arguments, calls what the command of the same name calls, and answers with data. What comes from AWS or
//! a log is marked as data in it ([`marks`]), what is long comes in pages ([`answer`]), and files outside of the folder that
//! the server was started in are not read ([`here`]). Nothing changes AWS but [`apply`], which is there only when it is
//! allowed, and carries out only what a person has approved.

mod answer;
mod apply;
mod arguments;
mod here;
mod language;
mod look;
mod marks;
mod plan;
mod rehearse;
mod server;
mod tools;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::args::McpArgs;
use super::stdio::{self, Output};
use super::{CliError, Context, Exit};
use here::Here;
use server::{Job, Server};

/// How many calls wait to be begun.
const WAITING: usize = 16;

/// Serves an agent until it hangs up. Tools run on this thread, whose stack has room for the deepest expression.
pub async fn run(context: &Context, args: McpArgs) -> Result<Exit, CliError> {
    let failed = |error: &dyn std::fmt::Display| CliError::usage(&format!("cannot serve: {error}"), "docs/agents.md says how to connect");
    let here = Here::new(context)?;
    // Emulators take a while to end, and nothing waits for those of others.
    std::thread::spawn(|| rehearse::sweep(&std::env::temp_dir()));
    let (input, output) = (stdio::input().map_err(|error| failed(&error))?, Output::start().map_err(|error| failed(&error))?);
    let (jobs, mut coming) = mpsc::channel(WAITING);
    let server = Server::new(jobs, args.allow_apply);
    let running = match rmcp::serve_server(server, (input, output.stream)).await {
        Ok(running) => running,
        // Somebody hung up before anything was asked.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(Exit::Done),
        Err(error) => return Err(failed(&error)),
    };
    let mut serving = std::pin::pin!(running.waiting());
    let mut working = FuturesUnordered::new();
    loop {
        tokio::select! {
            _ = &mut serving => break,
            Some(job) = coming.recv() => working.push(done(&here, job)),
            Some(()) = working.next(), if !working.is_empty() => {}
        }
    }
    // An apply is brought to its end, though nobody hears of it; what only looks is dropped.
    while here.is_applying() && working.next().await.is_some() {}
    drop(working);
    drop(output.written.await);
    Ok(Exit::Done)
}

/// Carries out a call, unless the one who asked does not want to know any more.
async fn done(here: &Here, Job { call, mut reply }: Job) {
    if call.is_apply() {
        // Halfway is no place to stop.
        let answer = tools::answer(here, call).await;
        drop(reply.send(answer));
        return;
    }
    let answer = tokio::select! {
        answer = tools::answer(here, call) => answer,
        () = reply.closed() => return,
    };
    drop(reply.send(answer));
}
