//! What is known of resources while a plan is made or carried out, as expressions see it.

use std::collections::BTreeMap;

use crate::model::address::{Address, Block};
use crate::model::canonical::canonicalize;
use crate::model::secrecy::conceal;
use crate::model::state::State;
use crate::model::value::Value;
use crate::plan::types::{Action, Change, Plan};
use crate::stack::Stack;
use crate::stack::scope::BlockValue;

/// Puts the value of one instance among those of its block.
pub fn set_instance(values: &mut BTreeMap<Block, BlockValue>, address: &Address, value: Value) {
    match &address.key {
        None => drop(values.insert(address.block.clone(), BlockValue::Single(value))),
        Some(key) => match values.entry(address.block.clone()).or_insert_with(|| BlockValue::Each(BTreeMap::new())) {
            BlockValue::Each(instances) => drop(instances.insert(key.clone(), value)),
            other => *other = BlockValue::Each([(key.clone(), value)].into()),
        },
    }
}

/// What a resource will be, with its secrets as such.
fn settled_in(plan: &Plan, change: &Change) -> Value {
    let block = plan.stack.config.resources.get(&change.address.block);
    block.map_or_else(|| change.after.clone(), |block| conceal(&block.schema.schema.attributes, &change.after, &change.sensitive))
}

/// What a state remembers of the resources of a stack, with its secrets as such.
pub fn remembered_values(stack: &Stack, state: &State) -> BTreeMap<Block, BlockValue> {
    let mut values = BTreeMap::new();
    for (address, remembered) in state.currents() {
        let Some(resource) = stack.config.resources.get(&address.block) else { continue };
        // It may have been made before its block got or lost its `for_each`.
        if resource.for_each.is_some() != address.key.is_some() {
            continue;
        }
        let attributes = &resource.schema.schema.attributes;
        let value = canonicalize(attributes, &Value::from(&remembered.attributes));
        set_instance(&mut values, address, conceal(attributes, &value, &remembered.sensitive));
    }
    values
}

/// What is known of every resource before anything is done.
pub fn known_values(plan: &Plan) -> BTreeMap<Block, BlockValue> {
    let mut values: BTreeMap<Block, BlockValue> = BTreeMap::new();
    for (block, resource) in &plan.stack.config.resources {
        let empty = if resource.for_each.is_some() { BlockValue::Each(BTreeMap::new()) } else { BlockValue::Absent };
        values.insert(block.clone(), empty);
    }
    for change in &plan.changes {
        let value = match change.action {
            // What comes first of what depends on it sees what it will be.
            Action::Update if !change.comes_after.is_empty() => settled_in(plan, change),
            Action::NoOp | Action::Update | Action::Import if !change.before.is_null() => change.before.clone(),
            Action::Delete | Action::Forget => continue,
            _ => Value::Unknown,
        };
        set_instance(&mut values, &change.address, value);
    }
    values
}
