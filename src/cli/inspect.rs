//! `leoctl output`, `show`, `state list` and `state show`: looking at what is remembered.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{CliError, Context, Exit, project, session};
use crate::ui::{self, FAINT, STRONG, styled};
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Place;
use leoctl_core::model::state::{Intent, State};
use leoctl_core::model::value::Value;
use leoctl_core::stack::Stack;
use leoctl_core::stack::diagnostic::suggestion;

async fn state_of(context: &Context, stack: Option<&Path>) -> Result<State, CliError> {
    Ok(state_and_outputs(context, stack).await?.0)
}

/// The state, and the stack that declares its outputs.
async fn state_and_outputs(context: &Context, stack: Option<&Path>) -> Result<(State, Stack), CliError> {
    let path = project::stack_file(stack, context)?;
    let stack = project::find(&path, &context.global)?;
    let store = session::store(&context.global, &path, &stack).await?;
    match store.load().await? {
        Some(mut state) => {
            // What has become sensitive since the last apply stands in the state until the next one, but is not shown.
            stack.hide_in(&mut state, leoctl_aws::registry::catalog());
            Ok((state, stack))
        }
        None => Err(session::never_applied(&stack.name)),
    }
}

/// Whether a word that is no file was meant as one.
fn looks_like_a_file(word: &Path) -> bool {
    word.extension().is_some_and(|extension| extension == "toml") || word.components().count() > 1
}

/// The outputs of the last apply.
pub async fn output(context: &Context, stack: Option<&Path>, name: Option<&str>) -> Result<Exit, CliError> {
    // `output NAME` names no stack: a word that is no file is an output.
    let (stack, name) = match (stack, name) {
        (Some(word), None) if !word.exists() && !looks_like_a_file(word) => (None, word.to_str()),
        both => both,
    };
    let (mut state, declared) = state_and_outputs(context, stack).await?;
    state.outputs.retain(|name, _| !declared.is_output_sensitive(name));
    let Some(name) = name else {
        if context.global.json {
            ui::out(json!(state.outputs));
        } else {
            let lines = state.outputs.iter().flat_map(|(name, value)| ui::value::lines_of(name, &Value::from(value)));
            lines.for_each(ui::out);
        }
        return Ok(Exit::Done);
    };
    match state.outputs.get(name) {
        Some(Json::String(text)) if !context.global.json => ui::terminal::exact(text),
        Some(value) => ui::out(value),
        None if declared.config.outputs.contains_key(name) => {
            return Err(CliError::usage(
                &format!("the output `{name}` has no value here"),
                "sensitive outputs are not kept, `leoctl apply` shows only that they are there; any other gets its value with the next apply",
            ));
        }
        None => {
            let help = suggestion(name, state.outputs.keys().map(String::as_str)).unwrap_or_else(|| "the stack has no outputs".to_owned());
            return Err(CliError::usage(&format!("there is no output `{name}`"), &help));
        }
    }
    Ok(Exit::Done)
}

/// Everything remembered.
pub async fn show(context: &Context, stack: Option<&Path>) -> Result<Exit, CliError> {
    let state = state_of(context, stack).await?;
    if context.global.json {
        ui::out(json!(state));
        return Ok(Exit::Done);
    }
    ui::out(format!("{} in account {}, {}, {}", styled(STRONG, &state.stack), state.account_id, state.region, ui::applied(state.serial)));
    for address in state.addresses() {
        one(&state, address);
    }
    Ok(Exit::Done)
}

/// One resource.
pub async fn resource(context: &Context, address: &Address, stack: Option<&Path>) -> Result<Exit, CliError> {
    let state = state_of(context, stack).await?;
    if !state.addresses().contains(address) {
        return Err(absent(&state, address));
    }
    if context.global.json {
        ui::out(as_json(&state, address));
    } else {
        one(&state, address);
    }
    Ok(Exit::Done)
}

/// An address that is not in a state, with the nearest that is.
pub fn absent(state: &State, address: &impl std::fmt::Display) -> CliError {
    let known: Vec<String> = state.addresses().into_iter().map(ToString::to_string).collect();
    let help = suggestion(&address.to_string(), known.iter().map(String::as_str));
    CliError::usage(&format!("there is no {address} in the state"), &help.unwrap_or_else(|| "`leoctl state list` lists them".to_owned()))
}

/// What is said of a creation whose outcome is not known.
fn may_exist(state: &State, intent: &Intent) -> String {
    let account = if intent.account == state.account_id { String::new() } else { format!("account {}, ", intent.account) };
    format!("may exist in {account}{}, its creation was interrupted", intent.region)
}

/// What AWS calls a resource, and where it is when that is not where the stack is.
fn id(state: &State, place: &Place) -> String {
    let account = (place.account != state.account_id).then(|| format!("account {}", place.account));
    let is_apart = place.region != state.region;
    let elsewhere: Vec<String> = account.into_iter().chain(is_apart.then(|| place.region.clone())).collect();
    if elsewhere.is_empty() { place.id.clone() } else { format!("{} in {}", place.id, elsewhere.join(", ")) }
}

/// Every resource, a line each, and what may exist.
pub async fn list(context: &Context, stack: Option<&Path>) -> Result<Exit, CliError> {
    let state = state_of(context, stack).await?;
    if context.global.json {
        let known = everything(&state)
            .map(|(address, place)| json!({ "address": address, "id": place.id, "account": place.account, "region": place.region }));
        let open = state.open.iter();
        let open = open.map(|intent| json!({ "address": intent.address, "id": null, "account": intent.account, "region": intent.region, "may_exist": true }));
        ui::out(Json::from_iter(known.chain(open)));
        return Ok(Exit::Done);
    }
    let width = state.addresses().iter().map(|address| address.to_string().chars().count()).max().unwrap_or_default();
    for (address, place) in everything(&state) {
        ui::out(format!("{:width$}  {}", address.to_string(), styled(FAINT, id(&state, place))));
    }
    for intent in &state.open {
        ui::out(format!("{:width$}  {}", intent.address.to_string(), styled(FAINT, may_exist(&state, intent))));
    }
    Ok(Exit::Done)
}

/// Where everything remembered is, predecessors too.
fn everything(state: &State) -> impl Iterator<Item = (&Address, &Place)> {
    state.all().map(|(address, known)| (address, &known.place))
}

/// One resource: where it is, what is remembered of it, and the predecessors that are still to be deleted.
fn as_json(state: &State, address: &Address) -> Json {
    let places: Vec<&Place> = state.deposed(address).iter().map(|deposed| &deposed.place).collect();
    let open: Vec<&Intent> = state.opened(address).collect();
    let mut shown = json!({ "address": address, "deposed": places, "open": open });
    let current = state.current(address);
    let place = current.map(|current| json!(current.place));
    let fields = [place, current.map(|current| json!(current))].into_iter().flatten();
    for (name, value) in fields.filter_map(|fields| Some(fields.as_object()?.clone())).flatten().filter(|(name, _)| name != "place") {
        if let Some(shown) = shown.as_object_mut() {
            shown.insert(name, value);
        }
    }
    shown
}

fn one(state: &State, address: &Address) {
    for deposed in state.deposed(address) {
        let what = if deposed.guard.retain { "forgotten, as it stays in AWS" } else { "deleted" };
        ui::out(format!("{} {}, a predecessor still to be {what}", styled(STRONG, address), styled(FAINT, id(state, &deposed.place))));
    }
    for intent in state.opened(address) {
        ui::out(format!("{} {}", styled(STRONG, address), styled(FAINT, may_exist(state, intent))));
    }
    let Some(resource) = state.current(address) else { return };
    ui::out(format!("{} {}", styled(STRONG, address), styled(FAINT, id(state, &resource.place))));
    for (name, value) in resource.attributes.as_object().into_iter().flatten() {
        ui::value::lines_of(name, &Value::from(value)).iter().for_each(|line| ui::out(format!("    {line}")));
    }
}
