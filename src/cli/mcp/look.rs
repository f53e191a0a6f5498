//! The tools that look at what a stack has made, or what it costs: `drift`, `status`, `logs`, `cost`, `graph`.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::answer::{self, Answer};
use super::arguments::{Drift, Graph, Logs, OfStack};
use super::here::Here;
use super::marks::Marks;
use crate::cli::args::GraphArgs;
use crate::cli::{CliError, cost, drift, graph, logs, session, status};
use crate::ops::Deployed;
use crate::ops::logs::event::Event;
use crate::ops::logs::since::Since;
use crate::ops::logs::source;
use crate::ops::logs::tail::{Tail, nothing_there};
use crate::ui::{self, changes};
use leoctl_core::plan::types;

/// How many resources that drifted are in one answer.
const DRIFTED: usize = 20;
/// How many lines are shown of one of them.
const LINES: usize = 40;
/// How many log events are in one answer: as many as are asked for, or so many when nothing is said, and never more.
const EVENTS: (usize, usize) = (100, 200);
/// How many log events are read for one answer.
const READ: usize = 20_000;

/// What changed outside leoctl.
pub async fn drift(here: &Here, args: &Drift) -> Answer {
    let path = here.stack(args.of.stack.as_deref())?;
    let plan = drift::look(&here.context(&args.of.vars), &path).await?;
    let marks = Marks::new(plan.redactor());
    let one = |one: &types::Drift| {
        let lines = changes::in_diff(&changes::drift(one), "  ");
        let more = lines.len().saturating_sub(LINES);
        let lines = lines.into_iter().take(LINES).map(|line| short(&line)).collect::<Vec<_>>().join("\n");
        let details = (!lines.is_empty()).then(|| marks.whole(&lines));
        json!({ "address": one.address, "id": one.id, "gone": one.loss.is_some(), "reason": one.loss, "details": details, "more_lines": more })
    };
    let part = answer::part(plan.drift.iter().map(one), args.offset, DRIFTED);
    let answer = json!({
        "stack": plan.stack.name, "account_id": plan.identity.account_id, "region": plan.identity.region,
        "says": ui::terminal::plain(ui::plan::render_drift(&plan).lines().last().unwrap_or_default()),
        "drifted": part.entries, "total": part.total, "next_offset": part.next,
    });
    Ok(answer::marked(answer, &marks))
}

/// A line that is not too long.
pub fn short(line: &str) -> String {
    const LONGEST: usize = 300;
    let cut: String = line.chars().take(LONGEST).collect();
    if cut.len() < line.len() { format!("{cut} …") } else { cut }
}

/// How what the stack has made is doing.
pub async fn status(here: &Here, args: &OfStack) -> Answer {
    let path = here.stack(args.of.stack.as_deref())?;
    let (_, session, state) = session::applied(&here.context(&args.of.vars), Some(&path)).await?;
    let mut answer = json!(status::read(&session, &state).await?);
    let marks = Marks::new(session.stack.redactor());
    answer::cut(&mut answer);
    marks.in_json(&mut answer);
    Ok(answer::marked(answer, &marks))
}

/// The newest log events.
pub async fn logs(here: &Here, args: &Logs) -> Answer {
    let since: Since = args.since.as_deref().unwrap_or("1h").parse().map_err(|why: String| CliError::usage(&why, "correct `since`"))?;
    let grep = args.grep.as_deref().map(logs::expression).transpose()?;
    let path = here.stack(args.of.stack.as_deref())?;
    let (_, session, state) = session::applied(&here.context(&args.of.vars), Some(&path)).await?;
    let deployed = Deployed { state: &state, provider: &session.provider };
    let sources = source::chosen(&deployed, &args.names, None)?;
    let from = since.millisecond(Timestamp::now());
    // A group that is not there yet has no events.
    let mut tail = Tail::new(&session.provider, sources, args.filter.clone(), from, &|_| {});
    let most = args.limit.unwrap_or(EVENTS.0).clamp(1, EVENTS.1);
    let (mut newest, mut read, mut matched) = (VecDeque::with_capacity(most), 0_usize, 0_usize);
    let reading = |failure| CliError::aws("reading the logs", failure);
    let whole = tail
        .poll(&mut |event: &Event| {
            read += 1;
            if grep.as_ref().is_none_or(|grep| grep.is_match(&event.message)) {
                matched += 1;
                if newest.len() == most {
                    newest.pop_front();
                }
                newest.push_back(event.clone());
            }
            read < READ
        })
        .await
        .map_err(reading)?;
    if whole && tail.nothing_there() {
        return Err(reading(nothing_there()));
    }
    let marks = Marks::new(session.stack.redactor());
    // Who writes a log names its streams.
    let one = |event: &Event| json!({ "time": logs::time(event.time), "group": event.group, "stream": marks.data(&event.stream), "message": marks.data(event.message.trim_end()) });
    let answer = json!({
        "stack": state.stack, "since": logs::time(from),
        "events": newest.iter().map(one).collect::<Vec<_>>(),
        "earlier_events_left_out": matched.saturating_sub(newest.len()),
        // Then those above are the newest of what was read, and there are newer ones.
        "stopped_before_the_end": !whole,
        "how_to_see_others": "narrow it with `since`, `filter`, `grep` or `names`",
    });
    Ok(answer::marked(answer, &marks))
}

/// What the stack costs a month.
pub async fn cost(here: &Here, args: &OfStack) -> Answer {
    let path = here.stack(args.of.stack.as_deref())?;
    let mut answer = cost::estimated(&here.context(&args.of.vars), &path).await?;
    if let Some(resources) = answer.get_mut("resources").and_then(Json::as_array_mut) {
        // The dearest first: what is left out of a long list costs least.
        let monthly = |bill: &Json| bill.get("monthly").and_then(Json::as_f64).unwrap_or_default();
        resources.sort_by(|one, other| monthly(other).total_cmp(&monthly(one)));
    }
    answer::cut(&mut answer);
    Ok(answer)
}

/// The stack as a graph.
pub async fn graph(here: &Here, args: &Graph) -> Answer {
    let args_of = GraphArgs {
        stack: Some(here.stack(args.of.stack.as_deref())?),
        format: Some(args.format.into()),
        out: None,
        plan: args.plan.then_some(None),
        all: args.all,
        data: args.data,
    };
    let (_, text) = graph::drawn(&here.context(&args.of.vars), &args_of).await?;
    Ok(answer::page(&text, args.offset))
}
