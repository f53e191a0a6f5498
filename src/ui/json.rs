//! Plans and events as JSON, in the format `docs/plan-json.md` describes.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::value::MASK;
use leoctl_core::engine::apply::Report;
use leoctl_core::engine::event::Event;
use leoctl_core::engine::ports::Failure;
use leoctl_core::model::address::Address;
use leoctl_core::model::value::Value;
use leoctl_core::plan::diff::AttributeChange;
use leoctl_core::plan::step::{Member, Step, StepKind};
use leoctl_core::plan::types::{Change, CheckResult, Drift, Pinned, Plan};
use leoctl_core::stack::deps::data_name;

/// The version of the format.
pub const FORMAT_VERSION: u32 = 1;

/// A plan.
pub fn plan(plan: &Plan, api_calls: &BTreeMap<String, u64>) -> Json {
    let outputs: BTreeMap<&String, Json> = plan
        .outputs
        .iter()
        .map(|(name, output)| {
            let (before, after) = (output.before.as_ref().map(public), output.after.as_ref().map(public));
            (name, json!({ "before": before, "after": after, "changes": output.is_change(), "waits_for": output.waits_for }))
        })
        .collect();
    json!({
        "format_version": FORMAT_VERSION,
        "stack": plan.stack.name,
        "account_id": plan.identity.account_id,
        "region": plan.identity.region,
        "serial": plan.serial,
        "summary": plan.summary(),
        "changes": plan.changes.iter().map(change).collect::<Vec<_>>(),
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "reads": plan.reads.iter().map(|read| data_name(&read.block)).collect::<Vec<_>>(),
        "drift": plan.drift.iter().map(drift).collect::<Vec<_>>(),
        "outputs": outputs,
        "state_changes": plan.state_changes,
        "checks": checks(&plan.checks),
        "pinned": plan.pinned.iter().map(pinned).collect::<Vec<_>>(),
        "warnings": plan.warnings,
        "api_calls": { "total": api_calls.values().sum::<u64>(), "by_operation": api_calls },
    })
}

fn pinned(pinned: &Pinned) -> Json {
    let Pinned { address, path, value, says, lasting, over } = pinned;
    json!({ "address": address, "path": path, "value": public(value), "says": public(says), "lasting": lasting, "over": over })
}

/// Only what changed outside leoctl.
pub fn drift_of(plan: &Plan) -> Json {
    json!({
        "format_version": FORMAT_VERSION,
        "stack": plan.stack.name,
        "account_id": plan.identity.account_id,
        "region": plan.identity.region,
        "serial": plan.serial,
        "drift": plan.drift.iter().map(drift).collect::<Vec<_>>(),
    })
}

/// The modules that something is in; null for what the stack itself has.
pub fn module(address: &Address) -> Json {
    let module = &address.block.module;
    (!module.is_root()).then(|| module.to_string()).into()
}

fn change(change: &Change) -> Json {
    let unknown = change.after.paths_where(&|value| matches!(value, Value::Unknown));
    let waits_for: BTreeMap<String, &Vec<String>> = change.waits_for.iter().map(|(path, on)| (path.to_string(), on)).collect();
    json!({
        "address": change.address,
        "module": module(&change.address),
        "type": change.address.block.type_name,
        "name": change.address.block.name,
        "key": change.address.key,
        "action": change.action,
        "reason": change.reason,
        "id": change.id(),
        "account": change.account,
        "account_name": change.account_name,
        "region": change.region,
        "before": public(&change.before),
        "after": public(&change.after),
        "after_unknown": unknown,
        "waits_for": waits_for,
        "sensitive": change.sensitive,
        "replace_paths": change.replace_paths(),
        "risks": change.risks,
        "unfinished": change.unfinished,
        "depends_on": change.depends_on,
        "comes_after": change.comes_after,
        "widens": change.widens,
        "attributes": change.attributes.iter().map(attribute).collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Json {
    let mut shown = json!({ "address": step.address, "action": step.kind.name(), "place": step.kind.place(), "after": step.after });
    if let (StepKind::Reassign(reassign), Some(shown)) = (&step.kind, shown.as_object_mut()) {
        let member = |Member { address, place, value, .. }: &Member| json!({ "address": address, "place": place, "value": public(value) });
        shown.insert("attribute".to_owned(), Json::from(reassign.attribute.as_str()));
        shown.insert("members".to_owned(), reassign.members.iter().map(member).collect());
    }
    shown
}

fn attribute(attribute: &AttributeChange) -> Json {
    let shown = |value: &Option<Value>| match value {
        None => Json::Null,
        Some(_) if attribute.sensitive => Json::from(MASK),
        Some(value) => public(value),
    };
    json!({
        "path": attribute.path,
        "before": shown(&attribute.before),
        "after": shown(&attribute.after),
        "after_unknown": attribute.after.as_ref().is_some_and(Value::has_unknown),
        "forces_replacement": attribute.forces_replacement,
    })
}

fn drift(drift: &Drift) -> Json {
    json!({
        "address": drift.address,
        "id": drift.id,
        "gone": drift.loss.is_some(),
        "reason": drift.loss,
        "changes": drift.attributes.iter().map(attribute).collect::<Vec<_>>(),
    })
}

/// A value that may be shown.
pub fn public(value: &Value) -> Json {
    value.to_public_json(&|_| Json::from(MASK))
}

/// An event of an apply.
pub fn event(event: &Event) -> Json {
    match event {
        Event::Begin { steps } => json!({ "event": "begin", "steps": steps }),
        Event::Started { address, verb, usual } => {
            json!({ "event": "started", "address": address, "verb": verb, "usual_seconds": usual })
        }
        Event::Progress { address, message } => json!({ "event": "progress", "address": address, "message": message }),
        Event::Finished { address, verb, id, elapsed } => {
            json!({ "event": "finished", "address": address, "verb": verb, "id": id, "elapsed_ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX) })
        }
        Event::Failed { address, verb, failure: why } => {
            json!({ "event": "failed", "address": address, "verb": verb, "error": failure(why) })
        }
        Event::Waiting { address, verb, message } => {
            json!({ "event": "waiting", "address": address, "verb": verb, "message": message })
        }
        Event::Skipped { address, because } => json!({ "event": "skipped", "address": address, "because": because }),
        Event::Interrupted => json!({ "event": "interrupted" }),
    }
}

/// How an apply ended: its last event.
pub fn conclusion(report: &Report) -> Json {
    let failed = report.failed.iter().map(|(address, _, why)| json!({ "address": address, "error": failure(why) }));
    json!({
        "event": "end",
        "done": report.done,
        "failed": failed.collect::<Vec<_>>(),
        "waiting": report.waiting.iter().map(|(address, _)| address).collect::<Vec<_>>(),
        "skipped": report.skipped,
        "interrupted": report.interrupted,
        "checks": checks(&report.checks),
    })
}

fn checks(checks: &[CheckResult]) -> Json {
    checks.iter().map(|check| json!({ "name": check.name, "holds": check.holds, "message": check.message })).collect()
}

/// A failure.
pub fn failure(failure: &Failure) -> Json {
    json!({
        "operation": failure.operation,
        "code": failure.code,
        "message": failure.message,
        "request_id": failure.request_id,
        "detail": failure.no_answer.as_ref().map(|no_answer| &no_answer.detail),
        "hint": super::failure::hint(failure),
    })
}
