//! The order of an apply: which steps there are, and which waits for which.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::step::{Confirm, Create, Delete, Step, StepKind, Target, Update, data_address};
use super::types::{Action, Change, Read, Removal, RemovalKind};
use crate::model::address::{Address, Block};

/// One unit of work, whether or not there is anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Node<'a> {
    /// Reading a data source.
    Read(&'a Block),
    /// Making, changing or leaving a desired resource.
    Apply(&'a Address),
    /// Removing what is remembered of a resource, by its position among [`Change::removals`].
    Remove(&'a Address, usize),
    /// Forgetting what was remembered of a desired resource and is gone from AWS.
    Forget(&'a Address),
}

/// What one resource takes over from another, such as a name that AWS allows once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Who takes it over.
    pub taker: Address,
    /// Who has it until now.
    pub holder: Address,
    /// What gives it up.
    pub by: GivenUpBy,
    /// What it is, for messages.
    pub what: String,
}

/// What of a change gives something up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenUpBy {
    /// Its update.
    Update,
    /// A removal, by its position among [`Change::removals`].
    Removal(usize),
    /// That it is gone from AWS, which is still to be recorded.
    Loss,
}

/// Every step of a plan in order, and the resources whose remembered dependencies form a cycle: these are deleted
/// without an order among them.
pub fn steps(account: &str, changes: &[Change], reads: &[Read], handovers: &[Handover]) -> (Vec<Step>, BTreeSet<Address>) {
    let mut order = Order::default();
    order.reads(reads);
    order.changes(changes);
    order.handovers(handovers);
    order.consumers(changes);
    let cyclic = order.break_cycles();
    (order.steps(account, changes), cyclic)
}

/// Handovers that wait for each other, if there are any.
pub fn stuck(changes: &[Change], reads: &[Read], handovers: &[Handover]) -> Option<Vec<Handover>> {
    if handovers.is_empty() {
        return None;
    }
    let mut order = Order::default();
    order.reads(reads);
    order.changes(changes);
    order.handovers(handovers);
    order.cycles().into_iter().find_map(|members| {
        let within = handovers.iter().filter(|handover| {
            let (taker, holder) = handover.nodes();
            members.contains(&taker) && members.contains(&holder)
        });
        Some(within.cloned().collect::<Vec<_>>()).filter(|within| !within.is_empty())
    })
}

/// What each node waits for, in the plan's order.
#[derive(Default)]
struct Order<'a> {
    nodes: Vec<Node<'a>>,
    /// What evaluation and replacement demand.
    needs: BTreeMap<Node<'a>, BTreeSet<Node<'a>>>,
    /// What is remembered, which a hand may have changed.
    remembered: BTreeMap<Node<'a>, BTreeSet<Node<'a>>>,
}

impl<'a> Order<'a> {
    fn add(&mut self, node: Node<'a>, on: BTreeSet<Node<'a>>) {
        self.nodes.push(node);
        self.needs.insert(node, on);
    }

    fn reads(&mut self, reads: &'a [Read]) {
        for read in reads {
            let on = read.depends_on.iter().map(Node::Apply).chain(read.reads.iter().map(Node::Read));
            self.add(Node::Read(&read.block), on.collect());
        }
    }

    fn changes(&mut self, changes: &'a [Change]) {
        let by_address: BTreeMap<&Address, &'a Change> = changes.iter().map(|change| (&change.address, change)).collect();
        for change in changes {
            let address = &change.address;
            if is_desired(change.action) {
                let releases = |on: &&Address| by_address.get(on).is_some_and(|on| on.comes_after.contains(address));
                let mut on: BTreeSet<Node<'a>> = change.depends_on.iter().filter(|on| !releases(on)).map(Node::Apply).collect();
                for user in change.comes_after.iter().filter_map(|user| by_address.get(user)) {
                    on.insert(Node::Apply(&user.address));
                    on.extend((0..user.removals().count()).map(|index| Node::Remove(&user.address, index)));
                }
                on.extend(change.reads.iter().map(Node::Read));
                if change.gone.is_some() {
                    self.add(Node::Forget(address), BTreeSet::new());
                    on.insert(Node::Forget(address));
                }
                if goes_first(change) {
                    on.extend(current_removal(change).map(|index| Node::Remove(address, index)));
                }
                self.add(Node::Apply(address), on);
            }
            for (index, _) in change.removals().enumerate() {
                let before = is_desired(change.action) && !goes_first(change);
                self.add(Node::Remove(address, index), before.then_some(Node::Apply(address)).into_iter().collect());
            }
        }
    }

    /// What each removal waits for: the removals of what was made from the resource, and, unless the resource has to go
    /// before its replacement comes, the updates of those that stay.
    fn consumers(&mut self, changes: &'a [Change]) {
        let by_address: BTreeMap<&Address, &'a Change> = changes.iter().map(|change| (&change.address, change)).collect();
        for consumer in changes {
            for (index, removal) in consumer.removals().enumerate() {
                for on in removal.remembered.depends_on.iter().filter_map(|on| by_address.get(on)) {
                    self.wait(on, Node::Remove(&consumer.address, index), true);
                }
            }
            if is_desired(consumer.action) {
                for on in consumer.prior_depends_on.iter().chain(&consumer.depends_on).filter_map(|on| by_address.get(on)) {
                    self.wait(on, Node::Apply(&consumer.address), false);
                }
            }
        }
    }

    /// Lets every removal of a resource wait for a node; the one that goes first only when `current` says so.
    fn wait(&mut self, on: &'a Change, node: Node<'a>, current: bool) {
        for (index, _) in on.removals().enumerate() {
            if current || !(goes_first(on) && current_removal(on) == Some(index)) {
                self.remembered.entry(Node::Remove(&on.address, index)).or_default().insert(node);
            }
        }
    }

    /// A taker waits for the one that gives it up.
    fn handovers(&mut self, handovers: &'a [Handover]) {
        for handover in handovers {
            let (taker, holder) = handover.nodes();
            self.needs.entry(taker).or_default().insert(holder);
        }
    }

    /// The nodes that wait for each other.
    fn cycles(&self) -> Vec<BTreeSet<Node<'a>>> {
        let mut graph = DiGraph::<Node<'a>, ()>::new();
        let indices: BTreeMap<Node<'a>, _> = self.nodes.iter().map(|node| (*node, graph.add_node(*node))).collect();
        for (node, on) in self.needs.iter().chain(&self.remembered) {
            for on in on {
                if let (Some(from), Some(to)) = (indices.get(on), indices.get(node)) {
                    graph.add_edge(*from, *to, ());
                }
            }
        }
        let cycles = tarjan_scc(&graph).into_iter().filter(|component| component.len() > 1);
        cycles.map(|component| component.iter().filter_map(|index| graph.node_weight(*index).copied()).collect()).collect()
    }

    /// Drops what is remembered wherever it would make steps wait for each other.
    fn break_cycles(&mut self) -> BTreeSet<Address> {
        let mut cyclic = BTreeSet::new();
        for members in self.cycles() {
            for member in &members {
                let Some(on) = self.remembered.get_mut(member) else { continue };
                if on.iter().any(|on| members.contains(on) && matches!((member, on), (Node::Remove(..), Node::Remove(..)))) {
                    cyclic.extend(member.address().cloned());
                }
                on.retain(|on| !members.contains(on));
            }
        }
        cyclic
    }

    fn steps(mut self, account: &str, changes: &[Change]) -> Vec<Step> {
        for (node, on) in std::mem::take(&mut self.remembered) {
            self.needs.entry(node).or_default().extend(on);
        }
        let by_address: BTreeMap<&Address, &Change> = changes.iter().map(|change| (&change.address, change)).collect();
        let mut numbers: BTreeMap<Node<'a>, usize> = BTreeMap::new();
        let mut steps = Vec::new();
        for node in &self.nodes {
            if let Some((address, kind)) = step_of(*node, account, &by_address) {
                numbers.insert(*node, steps.len());
                steps.push(Step { address, kind, after: Vec::new() });
            }
        }
        let mut known = BTreeMap::new();
        for (node, number) in &numbers {
            let after = self.nearest(*node, &numbers, &mut known);
            if let Some(step) = steps.get_mut(*number) {
                step.after = after.into_iter().collect();
            }
        }
        steps
    }

    /// The steps a node waits for, through nodes at which there is nothing to do.
    fn nearest(
        &self,
        node: Node<'a>,
        numbers: &BTreeMap<Node<'a>, usize>,
        known: &mut BTreeMap<Node<'a>, BTreeSet<usize>>,
    ) -> BTreeSet<usize> {
        // Depth first, without recursion: a chain of unchanged resources may be long.
        let mut open = vec![(node, false)];
        while let Some((at, visited)) = open.pop() {
            if known.contains_key(&at) {
                continue;
            }
            let on = self.needs.get(&at).into_iter().flatten();
            if visited {
                let mut found = BTreeSet::new();
                for on in on {
                    match numbers.get(on) {
                        Some(number) => drop(found.insert(*number)),
                        None => found.extend(known.get(on).into_iter().flatten()),
                    }
                }
                known.insert(at, found);
            } else {
                open.push((at, true));
                open.extend(on.filter(|on| !numbers.contains_key(on) && !known.contains_key(on)).map(|on| (*on, false)));
            }
        }
        known.get(&node).cloned().unwrap_or_default()
    }
}

impl Handover {
    fn nodes(&self) -> (Node<'_>, Node<'_>) {
        let holder = match self.by {
            GivenUpBy::Update => Node::Apply(&self.holder),
            GivenUpBy::Removal(index) => Node::Remove(&self.holder, index),
            GivenUpBy::Loss => Node::Forget(&self.holder),
        };
        (Node::Apply(&self.taker), holder)
    }
}

impl<'a> Node<'a> {
    fn address(&self) -> Option<&'a Address> {
        match self {
            Node::Read(_) => None,
            Node::Apply(address) | Node::Remove(address, _) | Node::Forget(address) => Some(address),
        }
    }
}

/// The step at a node; none when there is nothing to do.
fn step_of(node: Node<'_>, account: &str, changes: &BTreeMap<&Address, &Change>) -> Option<(Address, StepKind)> {
    match node {
        Node::Read(block) => Some((data_address(block), StepKind::Read(block.clone()))),
        Node::Apply(address) => Some((address.clone(), apply_step(account, changes.get(address)?)?)),
        Node::Forget(address) => Some((address.clone(), StepKind::Forget(changes.get(address)?.gone.clone()?))),
        Node::Remove(address, index) => {
            let removal = changes.get(address)?.removals().nth(index)?;
            Some((address.clone(), removal_step(removal)))
        }
    }
}

fn removal_step(removal: &Removal) -> StepKind {
    match removal.kind {
        RemovalKind::Forget => StepKind::Forget(removal.remembered.place.clone()),
        RemovalKind::Delete => StepKind::Delete(Box::new(Delete { remembered: removal.remembered.clone(), last: removal.last.clone() })),
    }
}

fn apply_step(account: &str, change: &Change) -> Option<StepKind> {
    let target = Target {
        account: account.to_owned(),
        region: change.region.clone(),
        depends_on: change.remembered_depends_on(),
        guard: change.guard,
        authored: change.authored.clone(),
        each: change.each.clone(),
    };
    let update = |target| Some(Update { target, place: change.place.clone()?, live: change.before.clone() });
    let confirm = |target| {
        let (live, after) = (change.before.clone(), change.after.clone());
        Some(Box::new(Confirm { target, place: change.place.clone()?, live, after }))
    };
    match change.action {
        Action::Create => Some(StepKind::Create(Box::new(Create { target, replaces: None }))),
        Action::Replace => {
            let replaces = Some(change.before.clone());
            Some(StepKind::Create(Box::new(Create { target, replaces })))
        }
        Action::Update => Some(StepKind::Update(Box::new(update(target)?))),
        Action::Import => Some(StepKind::Import(Box::new(update(target)?))),
        Action::NoOp if change.unfinished => Some(StepKind::Wait(confirm(target)?)),
        Action::NoOp if change.state_only => Some(StepKind::Remember(confirm(target)?)),
        Action::NoOp | Action::Delete | Action::Forget => None,
    }
}

/// Whether the resource is deleted before its replacement is made.
fn goes_first(change: &Change) -> bool {
    change.action == Action::Replace && !change.create_before_destroy
}

/// The position among the removals of the resource itself.
fn current_removal(change: &Change) -> Option<usize> {
    change.goes.as_ref().map(|_| change.deposed.len())
}

fn is_desired(action: Action) -> bool {
    !matches!(action, Action::Delete | Action::Forget)
}
