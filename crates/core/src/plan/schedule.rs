//! The order of an apply: which task waits for which.

use std::collections::{BTreeMap, BTreeSet};

use super::types::{Action, Plan};
use crate::model::address::{Address, Block};

/// One unit of work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// Reading a data source.
    Read(Block),
    /// Making, changing or leaving a desired resource.
    Apply(Address),
    /// Deleting a resource, or what its replacement left.
    Delete(Address),
}

/// Every task of a plan and what it waits for, in the plan's order.
pub fn schedule(plan: &Plan) -> Vec<(Task, BTreeSet<Task>)> {
    let mut waits: BTreeMap<Task, BTreeSet<Task>> = BTreeMap::new();
    let mut order = Vec::new();
    let mut add = |task: Task, on: BTreeSet<Task>| {
        order.push(task.clone());
        waits.insert(task, on);
    };
    for read in &plan.reads {
        let on = read.depends_on.iter().cloned().map(Task::Apply).chain(read.reads.iter().cloned().map(Task::Read));
        add(Task::Read(read.block.clone()), on.collect());
    }
    for change in &plan.changes {
        if is_desired(change.action) {
            let mut on: BTreeSet<Task> = change.depends_on.iter().cloned().map(Task::Apply).collect();
            on.extend(change.reads.iter().cloned().map(Task::Read));
            if change.action == Action::Replace && !change.create_before_destroy {
                on.insert(Task::Delete(change.address.clone()));
            }
            add(Task::Apply(change.address.clone()), on);
        }
        if deletes(change.action) || !change.deposed.is_empty() {
            let after_apply = change.action == Action::Replace && change.create_before_destroy
                || is_desired(change.action) && change.action != Action::Replace;
            let on = if after_apply { [Task::Apply(change.address.clone())].into() } else { BTreeSet::new() };
            add(Task::Delete(change.address.clone()), on);
        }
    }
    for (task, more) in consumers(plan, &waits) {
        if let Some(on) = waits.get_mut(&task) {
            on.extend(more);
        }
    }
    let known: BTreeSet<Task> = waits.keys().cloned().collect();
    order
        .into_iter()
        .map(|task| {
            let on = waits.remove(&task).unwrap_or_default().into_iter().filter(|on| known.contains(on) && *on != task).collect();
            (task, on)
        })
        .collect()
}

/// What each delete waits for: the deletes of what was made from the resource, and, unless the resource has
/// to go before its replacement comes, the updates of those that stay.
fn consumers(plan: &Plan, tasks: &BTreeMap<Task, BTreeSet<Task>>) -> Vec<(Task, BTreeSet<Task>)> {
    let mut more: BTreeMap<Task, BTreeSet<Task>> = BTreeMap::new();
    let goes_first: BTreeSet<&Address> = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Replace && !change.create_before_destroy)
        .map(|change| &change.address)
        .collect();
    for consumer in &plan.changes {
        for on in consumer.prior_depends_on.iter().chain(&consumer.depends_on) {
            let delete = Task::Delete(on.clone());
            if !tasks.contains_key(&delete) {
                continue;
            }
            let waits = more.entry(delete).or_default();
            // What an interrupted replacement left of the consumer still uses what was left of this one.
            let left = !consumer.deposed.is_empty() && !goes_first.contains(on);
            if left || consumer.prior_depends_on.contains(on) && deletes(consumer.action) {
                waits.insert(Task::Delete(consumer.address.clone()));
            }
            if !goes_first.contains(on) && is_desired(consumer.action) {
                waits.insert(Task::Apply(consumer.address.clone()));
            }
        }
    }
    more.into_iter().collect()
}

fn is_desired(action: Action) -> bool {
    !matches!(action, Action::Delete | Action::Forget)
}

fn deletes(action: Action) -> bool {
    matches!(action, Action::Delete | Action::Replace | Action::Forget)
}
