//! Instances of a block as one node, where nothing tells them apart.

use std::collections::{BTreeMap, BTreeSet};

use super::{Edge, Graph, Link, Node, moved};
use crate::model::address::Block;
use crate::model::value::Value;

/// The graph with the instances of each block as one node, unless a plan does different things with them.
#[must_use]
pub fn folded(graph: &Graph) -> Graph {
    let mut blocks: BTreeMap<(bool, &Block), Vec<usize>> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        blocks.entry((node.is_data, &node.block)).or_default().push(index);
    }
    let of = |index: &usize| graph.nodes.get(*index);
    blocks.retain(|_, all| all.len() > 1 && are_alike(&all.iter().filter_map(of).collect::<Vec<_>>()));
    let first: BTreeMap<usize, usize> =
        blocks.values().flat_map(|all| all.first().into_iter().flat_map(|first| all.iter().map(|one| (*one, *first)))).collect();
    let stands_for = |index: usize| first.get(&index).copied().unwrap_or(index);
    let kept: Vec<usize> = (0..graph.nodes.len()).filter(|index| stands_for(*index) == *index).collect();
    let places: BTreeMap<usize, usize> = kept.iter().copied().zip(0..).collect();
    let places: BTreeMap<usize, usize> =
        (0..graph.nodes.len()).filter_map(|index| Some((index, *places.get(&stands_for(index))?))).collect();
    let node = |index: &usize| {
        let node = of(index)?;
        let all: Vec<&Node> = blocks.get(&(node.is_data, &node.block)).into_iter().flatten().filter_map(of).collect();
        let node = if all.len() > 1 { one_of(&all)? } else { node.clone() };
        Some(Node { within: moved(&node.within, &places), ..node })
    };
    Graph {
        stack: graph.stack.clone(),
        planned: graph.planned,
        nodes: kept.iter().filter_map(node).collect(),
        edges: merged(graph.edges.iter().filter_map(|edge| edge.clone().moved(&places))),
    }
}

/// Each edge once; what groups let through is put together.
pub(super) fn merged(edges: impl Iterator<Item = Edge>) -> Vec<Edge> {
    let mut uses = BTreeSet::new();
    let mut traffic: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    for edge in edges {
        match edge.link {
            Link::Uses if edge.from == edge.to => {}
            Link::Uses => drop(uses.insert((edge.from, edge.to))),
            Link::Traffic(what) => {
                let known = traffic.entry((edge.from, edge.to)).or_default();
                what.into_iter().for_each(|what| {
                    if !known.contains(&what) {
                        known.push(what)
                    }
                });
            }
        }
    }
    let uses = uses.into_iter().map(|(from, to)| Edge { from, to, link: Link::Uses });
    uses.chain(traffic.into_iter().map(|((from, to), what)| Edge { from, to, link: Link::Traffic(what) })).collect()
}

fn are_alike(all: &[&Node]) -> bool {
    all.windows(2).all(|pair| match pair {
        [Node { fate: Some(one), .. }, Node { fate: Some(other), .. }] => one.is_like(other),
        [one, other] => one.fate.is_none() && other.fate.is_none(),
        _ => true,
    })
}

/// One node for several instances.
fn one_of(all: &[&Node]) -> Option<Node> {
    let first = *all.first()?;
    let mut node = first.clone();
    node.key = None;
    node.address = match node.is_data {
        true => first.address.clone(),
        false => first.block.to_string(),
    };
    node.members = all.iter().flat_map(|one| one.members.iter().cloned()).collect();
    node.within = all.iter().flat_map(|one| one.within.iter().copied()).collect();
    let names: BTreeSet<&String> = all.iter().flat_map(|one| one.attributes.as_map().into_iter().flat_map(BTreeMap::keys)).collect();
    let mut common = BTreeMap::new();
    for name in names {
        let values: Vec<&Value> = all.iter().map(|one| one.attributes.get(name).unwrap_or(&Value::Null)).collect();
        let is_same = values.windows(2).all(|pair| matches!(pair, [one, other] if is_same(one, other)));
        match values.first() {
            Some(value) if is_same => drop(common.insert(name.clone(), (*value).clone())),
            _ => node.differing.push(name.clone()),
        }
    }
    node.attributes = Value::Map(common);
    Some(node)
}

/// Whether two values look the same: two that are not known, or that are secret, do.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Unknown, Value::Unknown) | (Value::Secret(_), Value::Secret(_)) => true,
        (Value::Secret(_), _) | (_, Value::Secret(_)) => false,
        (Value::List(one), Value::List(other)) => one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other)),
        (Value::Map(one), Value::Map(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|((key, one), (name, other))| key == name && is_same(one, other))
        }
        _ => one == other,
    }
}
