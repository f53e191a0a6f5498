//! The groups of a graph: VPCs with their subnets, and modules.

use std::collections::{BTreeMap, BTreeSet};

use super::{Graph, Node};
use crate::model::module::ModulePath;

/// Something that a group has in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A node.
    Node(usize),
    /// A group.
    Group(usize),
}

/// What a group is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A VPC or subnets: the node is the group.
    Network(usize),
    /// A module; it may have a box in several networks.
    Module(ModulePath),
    /// What only stands together: it has no box.
    Together(usize),
}

/// A box around nodes and other boxes.
#[derive(Clone, Debug)]
pub struct Group {
    /// What it is.
    pub kind: Kind,
    /// What is in it, in the order of the nodes.
    pub items: Vec<Item>,
}

/// All groups of a graph.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// The groups, each after the one that it is in.
    pub groups: Vec<Group>,
    /// What is in none.
    pub roots: Vec<Item>,
    /// The group that an item is in.
    parents: BTreeMap<Item, usize>,
    /// The group that a node is.
    networks: BTreeMap<usize, usize>,
}

/// The groups of a graph.
#[must_use]
pub fn tree(graph: &Graph) -> Tree {
    let containers: BTreeMap<usize, Option<usize>> = (0..graph.nodes.len()).map(|node| (node, container(graph, node))).collect();
    let networks: BTreeSet<usize> = containers.values().flatten().copied().collect();
    let mut planter = Planter { graph, containers, networks, boxes: BTreeMap::new(), tree: Tree::default() };
    for node in 0..graph.nodes.len() {
        planter.plant(node);
    }
    planter.tree
}

impl Tree {
    /// What is in a group; of none, what is in no group.
    pub fn items(&self, group: Option<usize>) -> &[Item] {
        match group {
            Some(group) => self.groups.get(group).map(|group| group.items.as_slice()).unwrap_or_default(),
            None => &self.roots,
        }
    }

    fn items_mut(&mut self, group: Option<usize>) -> Option<&mut Vec<Item>> {
        match group {
            Some(group) => self.groups.get_mut(group).map(|group| &mut group.items),
            None => Some(&mut self.roots),
        }
    }

    /// The group that an item is in.
    pub fn parent(&self, item: Item) -> Option<usize> {
        self.parents.get(&item).copied()
    }

    /// What a node is drawn as: itself, or the group that it is.
    pub fn item(&self, node: usize) -> Item {
        self.networks.get(&node).map_or(Item::Node(node), |group| Item::Group(*group))
    }
}

/// The roots of items that are linked with each other.
struct Clusters(BTreeMap<Item, Item>);

impl Clusters {
    fn root(&self, item: Item) -> Item {
        let mut at = item;
        while let Some(next) = self.0.get(&at).filter(|next| **next != at) {
            at = *next;
        }
        at
    }
}

impl Tree {
    /// The groups, and in each that has at least `least` nodes besides those of its nodes together that are linked with each other
    /// and with few of the rest: so a large picture is one of parts.
    #[must_use]
    pub fn gathered(mut self, links: &[(Item, Item)], least: usize) -> Self {
        let groups = (0..self.groups.len()).map(Some).chain([None]).collect::<Vec<_>>();
        for group in groups {
            let nodes: Vec<Item> = self.items(group).iter().copied().filter(|item| matches!(item, Item::Node(_))).collect();
            if nodes.len() < least {
                continue;
            }
            let mut clusters = Clusters(nodes.iter().map(|item| (*item, *item)).collect());
            for (one, other) in links.iter().filter(|(one, other)| nodes.contains(one) && nodes.contains(other)) {
                let (one, other) = (clusters.root(*one), clusters.root(*other));
                clusters.0.insert(one.max(other), one.min(other));
            }
            let mut parts: BTreeMap<Item, Vec<Item>> = BTreeMap::new();
            nodes.iter().for_each(|item| parts.entry(clusters.root(*item)).or_default().push(*item));
            let parts = parts.into_values().filter(|part| part.len() > 1 && part.len() * 2 < nodes.len());
            parts.for_each(|part| self.gather(group, part));
        }
        self
    }

    /// Puts some items of a group into one of their own, where the first of them was.
    fn gather(&mut self, group: Option<usize>, part: Vec<Item>) {
        let new = self.groups.len();
        if let Some(items) = self.items_mut(group) {
            for item in items.iter_mut().filter(|item| part.first() == Some(&**item)) {
                *item = Item::Group(new);
            }
            items.retain(|item| !part.contains(item));
        }
        self.parents.extend(part.iter().map(|item| (*item, new)));
        self.parents.extend(group.map(|group| (Item::Group(new), group)));
        self.groups.push(Group { kind: Kind::Together(new), items: part });
    }
}

/// The network that a node is in: of several, the one that all of them are in.
fn container(graph: &Graph, node: usize) -> Option<usize> {
    let within = &graph.nodes.get(node)?.within;
    if within.len() < 2 {
        return within.first().copied();
    }
    let around: BTreeSet<Option<usize>> = within.iter().map(|one| container(graph, *one)).collect();
    if around.len() == 1 { around.first().copied().flatten() } else { None }
}

struct Planter<'a> {
    graph: &'a Graph,
    containers: BTreeMap<usize, Option<usize>>,
    /// The nodes that are boxes.
    networks: BTreeSet<usize>,
    boxes: BTreeMap<(Option<usize>, Kind), usize>,
    tree: Tree,
}

impl Planter<'_> {
    /// Puts a node where it belongs; the group that it is, if it is one.
    fn plant(&mut self, node: usize) -> Option<usize> {
        let container = self.containers.get(&node).copied().flatten();
        let around = container.and_then(|container| self.plant(container));
        if self.networks.contains(&node) {
            let group = self.group(around, Kind::Network(node));
            self.tree.networks.insert(node, group);
            return Some(group);
        }
        let own = self.module(node);
        let known = container.map(|container| self.module(container)).unwrap_or_default();
        let mut parent = around;
        if own != known {
            let mut path = ModulePath::default();
            for used in own.iter() {
                path = path.inside(used.name.clone(), used.key.clone());
                parent = Some(self.group(parent, Kind::Module(path.clone())));
            }
        }
        self.put(Item::Node(node), parent);
        None
    }

    fn module(&self, node: usize) -> ModulePath {
        self.graph.nodes.get(node).map(|Node { block, .. }| block.module.clone()).unwrap_or_default()
    }

    fn group(&mut self, parent: Option<usize>, kind: Kind) -> usize {
        let known = (parent, kind);
        if let Some(group) = self.boxes.get(&known) {
            return *group;
        }
        let group = self.tree.groups.len();
        self.tree.groups.push(Group { kind: known.1.clone(), items: Vec::new() });
        self.boxes.insert(known, group);
        self.put(Item::Group(group), parent);
        group
    }

    fn put(&mut self, item: Item, parent: Option<usize>) {
        if let Some(items) = self.tree.items_mut(parent).filter(|items| !items.contains(&item)) {
            items.push(item);
        }
        parent.map(|parent| self.tree.parents.insert(item, parent));
    }
}
