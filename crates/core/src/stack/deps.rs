//! The order in which blocks are evaluated: which block names which, read off the text of the expressions.
//! What an instance depends on is what its evaluation looked up ([`super::lookup`]).

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

use super::Stack;
use super::diagnostic::{Diagnostic, Diagnostics, Span};
use super::reference::Reference;
use super::template::Template;
use crate::model::address::Block;

/// A block of the stack file that others can refer to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// `[resource.TYPE.NAME]`.
    Resource(Block),
    /// `[data.TYPE.NAME]`.
    Data(Block),
    /// `[locals] NAME`.
    Local(String),
}

impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Resource(block) => block.fmt(f),
            Self::Data(block) => write!(f, "data.{block}"),
            Self::Local(name) => write!(f, "locals.{name}"),
        }
    }
}

/// What a reference points at, if it is a block or a local.
pub fn target(reference: &Reference) -> Option<Item> {
    let name = reference.key(1)?;
    match reference.root() {
        "vars" | "each" | "stack" | "env" => None,
        "locals" => Some(Item::Local(name.to_owned())),
        "data" => Some(Item::Data(Block::new(name, reference.key(2)?))),
        type_name => Some(Item::Resource(Block::new(type_name, name))),
    }
}

/// The direct dependencies of every item and where each is written, in file order.
pub type Dependencies = IndexMap<Item, Vec<(Item, Span)>>;

/// Reads the dependencies of a stack.
pub fn dependencies(stack: &Stack) -> Dependencies {
    let config = &stack.config;
    let mut all = Dependencies::new();
    for (name, field) in &config.locals {
        all.insert(Item::Local(name.clone()), targets(&[&field.value]));
    }
    for (block, data) in &config.data {
        all.insert(Item::Data(block.clone()), targets(&[&data.attributes]));
    }
    for (block, resource) in &config.resources {
        let mut templates = vec![&resource.attributes];
        templates.extend(&resource.for_each);
        templates.extend(&resource.when);
        templates.extend(&resource.region);
        let mut found = targets(&templates);
        found.extend(resource.depends_on.iter().map(|(block, span)| (Item::Resource(block.clone()), span.clone())));
        all.insert(Item::Resource(block.clone()), found);
    }
    declared(stack, &mut all);
    all
}

/// Adds the orders that types declare, where no written reference says the opposite.
fn declared(stack: &Stack, all: &mut Dependencies) {
    let resources = &stack.config.resources;
    for (block, resource) in resources.iter().filter(|(_, resource)| !resource.schema.after.is_empty()) {
        let item = Item::Resource(block.clone());
        let own = all_below(all, &item);
        for order in resource.schema.after {
            let shared = |on: &Block| on.type_name == order.through && own.contains(&Item::Resource(on.clone()));
            let firsts = resources.keys().filter(|first| first.type_name == order.type_name && *first != block);
            for first in firsts.filter(|first| direct(all, &Item::Resource((*first).clone())).iter().any(shared)).collect::<Vec<_>>() {
                let first = Item::Resource(first.clone());
                if first != item && !all_below(all, &first).contains(&item) {
                    all.entry(item.clone()).or_default().push((first, resource.span.clone()));
                }
            }
        }
    }
}

/// The resource blocks that an item names, itself or through locals and data sources.
pub fn direct(dependencies: &Dependencies, item: &Item) -> BTreeSet<Block> {
    let (mut found, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![item]);
    while let Some(item) = open.pop() {
        for (next, _) in dependencies.get(item).into_iter().flatten() {
            match next {
                Item::Resource(block) => drop(found.insert(block.clone())),
                other if seen.insert(other) => open.push(other),
                _ => {}
            }
        }
    }
    found
}

/// Everything that an item depends on, at any distance.
fn all_below(dependencies: &Dependencies, item: &Item) -> BTreeSet<Item> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![item]);
    while let Some(item) = open.pop() {
        let next = dependencies.get(item).into_iter().flatten().map(|(next, _)| next);
        open.extend(next.filter(|next| seen.insert((*next).clone())));
    }
    seen
}

fn targets(templates: &[&Template]) -> Vec<(Item, Span)> {
    let mut found: Vec<(Item, Span)> = Vec::new();
    for template in templates {
        for (reference, span) in template.references() {
            if let Some(item) = target(reference)
                && !found.iter().any(|(known, _)| *known == item)
            {
                found.push((item, span.clone()));
            }
        }
    }
    found
}

/// Everything blocks of a template depend on, through locals: resources and data sources.
pub fn reach(dependencies: &Dependencies, templates: &[&Template]) -> BTreeSet<Item> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<Item> = targets(templates).into_iter().map(|(item, _)| item).collect();
    while let Some(item) = open.pop() {
        if let (true, Item::Local(_), Some(next)) = (reached.insert(item.clone()), &item, dependencies.get(&item)) {
            open.extend(next.iter().map(|(item, _)| item.clone()));
        }
    }
    reached.retain(|item| !matches!(item, Item::Local(_)));
    reached
}

/// The resources and data sources in an order in which each comes after what it depends on, ties in file order.
///
/// Cycles are reported with their whole path; the order is then empty.
pub fn order(dependencies: &Dependencies, diagnostics: &mut Diagnostics) -> Vec<Item> {
    let mut graph = DiGraph::<&Item, ()>::new();
    // Later items first: the sort visits the newest node first, so ties come out in file order.
    let nodes: BTreeMap<&Item, NodeIndex> = dependencies.keys().rev().map(|item| (item, graph.add_node(item))).collect();
    for (item, found) in dependencies.iter().rev() {
        for (on, _) in found.iter().rev() {
            if let (Some(from), Some(to)) = (nodes.get(on), nodes.get(item)) {
                graph.add_edge(*from, *to, ());
            }
        }
    }
    match toposort(&graph, None) {
        Ok(order) => {
            let order = order.into_iter().filter_map(|node| graph.node_weight(node));
            order.filter(|item| !matches!(item, Item::Local(_))).map(|item| (*item).clone()).collect()
        }
        Err(_) => {
            for component in tarjan_scc(&graph) {
                let members: BTreeSet<&Item> = component.iter().filter_map(|node| graph.node_weight(*node).copied()).collect();
                report_cycle(dependencies, &members, diagnostics);
            }
            Vec::new()
        }
    }
}

fn report_cycle(dependencies: &Dependencies, members: &BTreeSet<&Item>, diagnostics: &mut Diagnostics) {
    let within = |item: &Item| {
        let found = dependencies.get(item).into_iter().flatten();
        found.filter(|(on, _)| members.contains(on)).map(|(on, span)| (on.clone(), span.clone())).collect::<Vec<_>>()
    };
    let Some(start) = members.iter().find(|item| members.len() > 1 || within(item).iter().any(|(on, _)| on == **item)) else {
        return;
    };
    let Some(path) = shortest_way_back(start, &within) else { return };
    let names: Vec<String> =
        std::iter::once((*start).clone()).chain(path.iter().map(|(item, _)| item.clone())).map(|item| item.to_string()).collect();
    let mut diagnostic = Diagnostic::general(format!("dependency cycle: {}", names.join(" → ")));
    diagnostic.span = path.first().map(|(_, span)| span.clone());
    diagnostic.label = "the cycle starts here".to_owned();
    let groups = names.iter().any(|name| name.starts_with("security_group."));
    diagnostics.push(if groups {
        diagnostic.help("take one of the rules out of its group into a `security_group_rule`")
    } else {
        diagnostic.help("break the cycle: one of these has to be made without the other")
    });
}

/// The shortest path from an item back to itself, as steps.
fn shortest_way_back(start: &Item, next: &dyn Fn(&Item) -> Vec<(Item, Span)>) -> Option<Vec<(Item, Span)>> {
    let mut paths: std::collections::VecDeque<Vec<(Item, Span)>> = next(start).into_iter().map(|step| vec![step]).collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = paths.pop_front() {
        let (last, _) = path.last()?;
        if last == start {
            return Some(path);
        }
        if seen.insert(last.clone()) {
            paths.extend(next(last).into_iter().map(|step| path.iter().cloned().chain([step]).collect()));
        }
    }
    None
}
