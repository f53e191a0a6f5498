//! Graphs of stacks as text and as pictures.
//!
//! Reading order: [`words`] (what is written on nodes and groups), [`dot`] and [`mermaid`], [`layout`] (where everything is),
//! [`svg`], [`html`] (the picture as a page).

mod details;
pub mod dot;
pub mod html;
mod kind;
pub mod layout;
pub mod mermaid;
pub mod svg;
mod words;

use std::collections::BTreeMap;

use leoctl_core::graph::tree::{Tree, tree};
use leoctl_core::graph::{Edge, Graph, Link, Node};
use leoctl_core::model::address::Address;

/// A graph with its groups and what is known besides.
pub struct Drawing<'a> {
    graph: &'a Graph,
    tree: Tree,
    costs: Option<&'a BTreeMap<Address, f64>>,
}

impl<'a> Drawing<'a> {
    /// A graph to be drawn; `costs` is what each resource costs a month, in US dollars, where that is known.
    pub fn new(graph: &'a Graph, costs: Option<&'a BTreeMap<Address, f64>>) -> Self {
        Self { graph, tree: tree(graph), costs }
    }

    /// The edges that are drawn: that something lies in a network is seen by where it is.
    fn edges(&self) -> impl Iterator<Item = &'a Edge> {
        let graph = self.graph;
        graph.edges.iter().filter(move |edge| edge.link != Link::Uses || !graph.is_within(edge.from, edge.to))
    }

    /// What a node costs a month.
    fn cost(&self, node: &Node) -> Option<f64> {
        let costs = self.costs?;
        let known: Vec<f64> = node.members.iter().filter_map(|address| costs.get(address).copied()).collect();
        (!known.is_empty()).then(|| known.iter().sum())
    }

    /// The node that a group is.
    fn network(&self, group: usize) -> Option<usize> {
        match self.tree.groups.get(group)?.kind {
            leoctl_core::graph::tree::Kind::Network(node) => Some(node),
            leoctl_core::graph::tree::Kind::Module(_) | leoctl_core::graph::tree::Kind::Together(_) => None,
        }
    }
}
