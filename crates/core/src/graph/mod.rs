//! A stack as a graph to be shown: its resources and data sources, what uses what, what lies in which network, and which
//! security groups let each other in. Pure.
//!
//! Reading order: this file (the nouns), [`read`](of_stack) (from a stack or a plan to a graph, by the lookups that plans go by),
//! `relate` (what only the values of attributes tell), [`fold`] (instances of a block as one), [`tree`] (the groups).

pub mod fold;
mod ports;
mod read;
mod relate;
#[cfg(test)]
mod tests;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::{Address, Block};
use crate::model::value::Value;
use crate::plan::diff::AttributeChange;
use crate::plan::types::Action;

pub use read::{of_plan, of_stack};

/// A stack as a graph.
#[derive(Clone, Debug)]
pub struct Graph {
    /// The stack's name.
    pub stack: String,
    /// Whether a plan says what happens to the resources.
    pub planned: bool,
    /// Resources and data sources, each after what it uses.
    pub nodes: Vec<Node>,
    /// What is between them. The ends are indexes of nodes.
    pub edges: Vec<Edge>,
}

/// A resource, several instances of a block, or a data source.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its address, as people write it.
    pub address: String,
    /// Whether it is a data source.
    pub is_data: bool,
    /// Its block.
    pub block: Block,
    /// Its key, when it is one instance of a block with `for_each`.
    pub key: Option<String>,
    /// The resources that it stands for: none of a data source, nor of a block whose instances are not known.
    pub members: Vec<Address>,
    /// Whether it stands for instances of which it is not known how many there are.
    pub is_open: bool,
    /// What is known of its attributes; of several instances, what all have in common.
    pub attributes: Value,
    /// The attributes in which its instances differ.
    pub differing: Vec<String>,
    /// The networks it lies in: one VPC, or subnets.
    pub within: BTreeSet<usize>,
    /// What a plan does with it.
    pub fate: Option<Fate>,
}

/// What a plan does with a resource.
#[derive(Clone, Debug)]
pub struct Fate {
    /// What happens.
    pub action: Action,
    /// Whether it changed outside leoctl.
    pub drifted: bool,
    /// Why, when that is not plain.
    pub reason: Option<String>,
    /// What changes in it.
    pub changes: Vec<AttributeChange>,
}

impl Fate {
    /// Whether another resource has the same.
    fn is_like(&self, other: &Self) -> bool {
        (self.action, self.drifted) == (other.action, other.drifted)
    }
}

/// Something between two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Where it begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// What it is.
    pub link: Link,
}

/// What is between two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The first depends on the second.
    Uses,
    /// The first may send to the second, both security groups; what, in words.
    Traffic(Vec<String>),
}

impl Graph {
    /// The nodes at an address: the one, or those that its block has.
    pub fn named(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.address == name)
    }

    /// Whether a node lies in another one.
    pub fn is_within(&self, node: usize, network: usize) -> bool {
        let within = self.nodes.get(node).map(|node| &node.within);
        within.into_iter().flatten().any(|at| *at == network || self.is_within(*at, network))
    }

    /// The graph without its data sources, but for networks that something lies in: what uses one uses what that was read for.
    #[must_use]
    pub fn without_data(self) -> Self {
        let resources = (0..self.nodes.len()).filter(|index| self.nodes.get(*index).is_some_and(|node| !node.is_data));
        let mut networks = BTreeSet::new();
        let mut open: Vec<usize> = resources.collect();
        while let Some(index) = open.pop() {
            let within = self.nodes.get(index).into_iter().flat_map(|node| &node.within);
            open.extend(within.filter(|network| networks.insert(**network)));
        }
        let is_data = |node: usize| !networks.contains(&node) && self.nodes.get(node).is_some_and(|node| node.is_data);
        let mut found = BTreeSet::new();
        for edge in self.edges.iter().filter(|edge| edge.link == Link::Uses && !is_data(edge.from)) {
            let (mut open, mut seen) = (vec![edge.to], BTreeSet::new());
            while let Some(to) = open.pop() {
                match is_data(to) {
                    true if seen.insert(to) => open.extend(self.uses(to)),
                    true => {}
                    false => drop(found.insert((edge.from, to))),
                }
            }
        }
        let kept: BTreeMap<usize, usize> = (0..self.nodes.len()).filter(|node| !is_data(*node)).zip(0..).collect();
        let uses = found.into_iter().map(|(from, to)| Edge { from, to, link: Link::Uses });
        let traffic = self.edges.iter().filter(|edge| edge.link != Link::Uses).cloned();
        let edges = uses.chain(traffic).filter_map(|edge| edge.moved(&kept)).collect();
        let nodes = self.nodes.into_iter().enumerate().filter(|(index, _)| kept.contains_key(index));
        let nodes = nodes.map(|(_, node)| Node { within: moved(&node.within, &kept), ..node }).collect();
        Self { nodes, edges, ..Self { stack: self.stack, planned: self.planned, nodes: Vec::new(), edges: Vec::new() } }
    }

    /// What a node uses.
    pub fn uses(&self, node: usize) -> impl Iterator<Item = usize> {
        self.edges.iter().filter(move |edge| edge.from == node && edge.link == Link::Uses).map(|edge| edge.to)
    }

    /// The edges that no picture needs: what a node lies in it uses anyway, and so it does what something else uses that it uses.
    pub fn needless(&self) -> BTreeSet<(usize, usize)> {
        let mut uses: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for edge in self.edges.iter().filter(|edge| edge.link == Link::Uses) {
            uses.get_mut(edge.from).into_iter().for_each(|uses| uses.push(edge.to));
        }
        let below = |start: usize| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
            while let Some(at) = open.pop() {
                open.extend(uses.get(at).into_iter().flatten().filter(|to| seen.insert(**to)));
            }
            seen
        };
        let reach: Vec<BTreeSet<usize>> = (0..uses.len()).map(below).collect();
        let pairs = uses.iter().enumerate().flat_map(|(from, all)| all.iter().map(move |to| (from, *to, all)));
        let is_needless = |(from, to, all): &(usize, usize, &Vec<usize>)| {
            let by_another = all.iter().any(|other| other != to && reach.get(*other).is_some_and(|below| below.contains(to)));
            by_another || self.is_within(*from, *to)
        };
        pairs.filter(is_needless).map(|(from, to, _)| (from, to)).collect()
    }
}

impl Edge {
    /// The same edge where nodes have other indexes; nothing where an end is gone.
    fn moved(self, to: &BTreeMap<usize, usize>) -> Option<Self> {
        Some(Self { from: *to.get(&self.from)?, to: *to.get(&self.to)?, link: self.link })
    }
}

/// Nodes where they have other indexes.
fn moved(nodes: &BTreeSet<usize>, to: &BTreeMap<usize, usize>) -> BTreeSet<usize> {
    nodes.iter().filter_map(|node| to.get(node).copied()).collect()
}
