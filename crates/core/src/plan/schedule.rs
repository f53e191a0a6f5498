//! The order of an apply: which steps there are, and which waits for which.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use super::handover::{Exchange, GivenUpBy, Handovers, Takeover};
use super::step::{Confirm, Create, Delete, Member, Reassign, Step, StepKind, Target, Update, data_address};
use super::types::{Action, Change, Read, Removal, RemovalKind};
use crate::model::address::{Address, Block};
use crate::model::value::Value;

/// One unit of work, whether or not there is anything to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Node<'a> {
    /// Reading a data source.
    Read(&'a Block),
    /// Making, changing or leaving a desired resource.
    Apply(&'a Address),
    /// Adding to sets of a resource, from which its own node takes away.
    Widen(&'a Address),
    /// Changing an attribute of several resources jointly, by the position among [`Handovers::exchanges`].
    Exchange(usize),
    /// Removing what is remembered of a resource, by its position among [`Change::removals`].
    Remove(&'a Address, usize),
    /// Forgetting what was remembered of a desired resource and is gone from AWS.
    Forget(&'a Address),
}

/// Every step of a plan in order, and the resources whose remembered dependencies form a cycle: these are deleted
/// without an order among them.
pub fn steps(changes: &[Change], reads: &[Read], handovers: &Handovers) -> (Vec<Step>, BTreeSet<Address>) {
    let mut order = Order::needed(changes, reads, handovers);
    order.consumers(changes);
    order.passed_on(handovers);
    let cyclic = order.break_cycles();
    (order.steps(changes, handovers), cyclic)
}

/// What is taken over where the one waits for the other, and the other for the one; nothing, if that is nowhere so.
pub fn stuck(changes: &[Change], reads: &[Read], handovers: &Handovers) -> Option<Vec<Takeover>> {
    if handovers.takeovers.is_empty() {
        return None;
    }
    let order = Order::needed(changes, reads, handovers);
    order.cycles().into_iter().find_map(|members| {
        let within = handovers.takeovers.iter().filter(|takeover| {
            let (taker, holder) = nodes_of(takeover);
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
    /// The nodes, with what evaluation, replacement and handovers demand.
    fn needed(changes: &'a [Change], reads: &'a [Read], handovers: &'a Handovers) -> Self {
        let mut order = Self::default();
        order.reads(reads);
        order.exchanges(handovers);
        order.changes(changes, handovers);
        order.handovers(changes, handovers);
        order
    }

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

    fn exchanges(&mut self, handovers: &Handovers) {
        (0..handovers.exchanges.len()).for_each(|index| self.add(Node::Exchange(index), BTreeSet::new()));
    }

    /// What takes a place waits until it is free: until another has left it by a joint change, or is deleted.
    fn handovers(&mut self, changes: &'a [Change], handovers: &'a Handovers) {
        for (index, exchange) in handovers.exchanges.iter().enumerate() {
            for address in exchange.members.iter().chain(&exchange.followers) {
                self.needs.entry(Node::Apply(address)).or_default().insert(Node::Exchange(index));
            }
        }
        let by_address: BTreeMap<&Address, &'a Change> = changes.iter().map(|change| (&change.address, change)).collect();
        for (taker, removed) in &handovers.removed {
            let waiting = handovers.exchange_of(taker).map_or(Node::Apply(taker), Node::Exchange);
            let gone = removed.iter().filter_map(|address| by_address.get(address));
            let on = gone.flat_map(|change| (0..change.removals().count()).map(|index| Node::Remove(&change.address, index)));
            self.needs.entry(waiting).or_default().extend(on);
        }
        for (taker, holder) in handovers.takeovers.iter().map(nodes_of) {
            self.needs.entry(taker).or_default().insert(holder);
        }
    }

    fn changes(&mut self, changes: &'a [Change], handovers: &Handovers) {
        let by_address: BTreeMap<&Address, &'a Change> = changes.iter().map(|change| (&change.address, change)).collect();
        for change in changes {
            let address = &change.address;
            if is_desired(change.action) {
                let releases = |on: &&Address| by_address.get(on).is_some_and(|on| on.comes_after.contains(address));
                let widens = |on: &&Address| by_address.get(on).is_some_and(|on| !on.widens.is_empty());
                let on = change.depends_on.iter();
                let mut on: BTreeSet<Node<'a>> = on
                    .filter(|on| !releases(on) || widens(on))
                    .map(|on| if releases(&on) { Node::Widen(on) } else { Node::Apply(on) })
                    .collect();
                on.extend(change.reads.iter().map(Node::Read));
                if !change.widens.is_empty() {
                    self.add(Node::Widen(address), on.clone());
                    on.insert(Node::Widen(address));
                }
                if change.gone.is_some() {
                    self.add(Node::Forget(address), BTreeSet::new());
                    on.insert(Node::Forget(address));
                }
                on.extend(Self::given_up(change, &by_address));
                if goes_first(change) {
                    on.extend(current_removal(change).map(|index| Node::Remove(address, index)));
                }
                // What is gone is forgotten before anything is made in its place again, or that would be forgotten.
                let gone = change.removals().enumerate().filter(|(_, removal)| removal.is_gone());
                on.extend(gone.map(|(index, _)| Node::Remove(address, index)));
                self.add(Node::Apply(address), on);
            }
            for (index, removal) in change.removals().enumerate() {
                let before = is_desired(change.action) && !goes_first(change) && !handovers.gives_way(address) && !removal.is_gone();
                self.add(Node::Remove(address, index), before.then_some(Node::Apply(address)).into_iter().collect());
            }
        }
    }

    /// What is done first of those that give up what a change takes away.
    fn given_up(change: &'a Change, by_address: &BTreeMap<&Address, &'a Change>) -> BTreeSet<Node<'a>> {
        let users = change.comes_after.iter().filter_map(|user| by_address.get(user));
        let of = |user: &&'a Change| {
            let removals = (0..user.removals().count()).map(|index| Node::Remove(&user.address, index));
            std::iter::once(Node::Apply(&user.address)).chain(removals).collect::<Vec<_>>()
        };
        users.flat_map(of).collect()
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

    /// Who gives something up waits until its taker has it, but where each takes something of the other.
    fn passed_on(&mut self, handovers: &'a Handovers) {
        for (taker, holder) in handovers.passed_on.iter().map(nodes_of) {
            self.remembered.entry(holder).or_default().insert(taker);
        }
    }

    /// Lets every removal of a resource wait for a node; the one that goes first only when `current` says so.
    fn wait(&mut self, on: &'a Change, node: Node<'a>, current: bool) {
        for (index, _) in on.removals().enumerate().filter(|(_, removal)| !removal.is_gone()) {
            if current || !(goes_first(on) && current_removal(on) == Some(index)) {
                self.remembered.entry(Node::Remove(&on.address, index)).or_default().insert(node);
            }
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

    fn steps(mut self, changes: &[Change], handovers: &Handovers) -> Vec<Step> {
        for (node, on) in std::mem::take(&mut self.remembered) {
            self.needs.entry(node).or_default().extend(on);
        }
        let by_address: BTreeMap<&Address, &Change> = changes.iter().map(|change| (&change.address, change)).collect();
        let mut numbers: BTreeMap<Node<'a>, usize> = BTreeMap::new();
        let mut steps = Vec::new();
        for node in &self.nodes {
            if let Some((address, kind)) = step_of(*node, &by_address, handovers) {
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

/// Who takes something over, and what gives it up.
fn nodes_of(takeover: &Takeover) -> (Node<'_>, Node<'_>) {
    let holder = match takeover.by {
        GivenUpBy::Update => Node::Apply(&takeover.holder),
        GivenUpBy::Removal(index) => Node::Remove(&takeover.holder, index),
        GivenUpBy::Loss => Node::Forget(&takeover.holder),
    };
    (Node::Apply(&takeover.taker), holder)
}

impl<'a> Node<'a> {
    fn address(&self) -> Option<&'a Address> {
        match self {
            Node::Read(_) | Node::Exchange(_) => None,
            Node::Apply(address) | Node::Widen(address) | Node::Remove(address, _) | Node::Forget(address) => Some(address),
        }
    }
}

/// The step at a node; none when there is nothing to do.
fn step_of(node: Node<'_>, changes: &BTreeMap<&Address, &Change>, handovers: &Handovers) -> Option<(Address, StepKind)> {
    match node {
        Node::Read(block) => Some((data_address(block), StepKind::Read(block.clone()))),
        Node::Apply(address) => {
            let change = changes.get(address)?;
            let rest = handovers.exchange_of(address).is_some() || !change.widens.is_empty();
            Some((address.clone(), apply_step(change, rest)?))
        }
        Node::Widen(address) => {
            let change = changes.get(address)?;
            let target = target_of(change);
            let update = Update { keeps: change.widens.clone(), ..update_of(target, change, false)? };
            Some((address.clone(), StepKind::Update(Box::new(update))))
        }
        Node::Forget(address) => Some((address.clone(), StepKind::Forget(changes.get(address)?.gone.clone()?))),
        Node::Exchange(index) => exchange_step(handovers.exchanges.get(index)?, changes),
        Node::Remove(address, index) => {
            let removal = changes.get(address)?.removals().nth(index)?;
            Some((address.clone(), removal_step(removal)))
        }
    }
}

/// The joint change, under the address of the first that takes part.
fn exchange_step(exchange: &Exchange, changes: &BTreeMap<&Address, &Change>) -> Option<(Address, StepKind)> {
    let member = |address: &Address| {
        let change = changes.get(address)?;
        let value = change.after.get(exchange.attribute).map(Value::revealed)?.clone();
        Some(Member { address: address.clone(), place: change.place.clone()?, live: change.before.clone(), value })
    };
    let members: Vec<Member> = exchange.members.iter().filter_map(member).collect();
    let first = members.first()?;
    let (address, site) = (first.address.clone(), first.place.site());
    Some((address, StepKind::Reassign(Box::new(Reassign { site, attribute: exchange.attribute.to_owned(), members }))))
}

fn removal_step(removal: &Removal) -> StepKind {
    match removal.kind {
        RemovalKind::Forget => StepKind::Forget(removal.remembered.place.clone()),
        RemovalKind::Delete => StepKind::Delete(Box::new(Delete { remembered: removal.remembered.clone(), last: removal.last.clone() })),
    }
}

fn target_of(change: &Change) -> Target {
    Target {
        account: change.account.clone(),
        region: change.region.clone(),
        depends_on: change.remembered_depends_on(),
        guard: change.guard,
        authored: change.authored.clone(),
        each: change.each.clone(),
        governors: change.governors.clone(),
    }
}

fn update_of(target: Target, change: &Change, rest: bool) -> Option<Update> {
    Some(Update { target, place: change.place.clone()?, live: change.before.clone(), rest, keeps: Vec::new() })
}

fn apply_step(change: &Change, rest: bool) -> Option<StepKind> {
    let target = target_of(change);
    let update = |target| update_of(target, change, rest);
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
        Action::NoOp if !change.state_only.is_empty() => Some(StepKind::Remember(confirm(target)?)),
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
