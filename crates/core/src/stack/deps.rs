//! The order in which blocks are evaluated: which block names which, read off the text of the expressions.
//! What an instance depends on is what its evaluation looked up ([`super::lookup`]).

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

use super::Stack;
use super::config::Config;
use super::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use super::expand::Instances;
use super::reference::{Reference, Step};
use super::template::Template;
use crate::model::address::Block;
use crate::model::module::{MODULE, ModulePath};

/// A block of the stack file that others can refer to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// `[resource.TYPE.NAME]`.
    Resource(Block),
    /// `[data.TYPE.NAME]`.
    Data(Block),
    /// `[locals] NAME`, and what goes into a module and comes out of it.
    Local(Local),
}

/// A name for a value that the file says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Local {
    /// The module that has it.
    pub module: ModulePath,
    /// What it is there.
    pub kind: LocalKind,
    /// Its name.
    pub name: String,
}

/// The kinds of name for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocalKind {
    /// A local.
    Local,
    /// What a module is given, from outside of it.
    Input,
    /// An output of a module, for the stack or module that uses it.
    Output,
    /// `each.value` of an instance of a module, where it is not known before AWS is asked.
    Each,
}

impl std::fmt::Display for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        f.write_str(match self.kind {
            LocalKind::Local => "locals.",
            LocalKind::Input => "vars.",
            LocalKind::Output => "",
            LocalKind::Each => "each.",
        })?;
        f.write_str(&self.name)
    }
}

impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Resource(block) => block.fmt(f),
            Self::Data(block) => f.write_str(&data_name(block)),
            Self::Local(local) => local.fmt(f),
        }
    }
}

/// What a data source is spoken of as: `data.TYPE.NAME`, in its module.
pub fn data_name(block: &Block) -> String {
    let own = format!("data.{}.{}", block.type_name, block.name);
    if block.module.is_root() { own } else { format!("{}.{own}", block.module) }
}

/// What a reference points at: a block or a local; of a module, what is taken of the outputs of its instances.
pub fn targets(config: &Config, reference: &Reference) -> Vec<Item> {
    let Some(name) = reference.key(1) else { return Vec::new() };
    let home = &reference.home.module;
    let local = |kind| vec![Item::Local(Local { module: home.clone(), kind, name: name.to_owned() })];
    match reference.root() {
        "vars" if !home.is_root() => local(LocalKind::Input),
        "each" => config.each_value(reference).map(Item::Local).into_iter().collect(),
        "vars" | "stack" | "env" => Vec::new(),
        "locals" => local(LocalKind::Local),
        "data" => reference.key(2).map(|of| Item::Data(Block::new(name, of).within(home))).into_iter().collect(),
        MODULE => outputs(config, &home.inside(name, None), reference.path.get(2..).unwrap_or_default()),
        type_name => vec![Item::Resource(Block::new(type_name, name).within(home))],
    }
}

/// What `steps` take of the instances of a use.
fn outputs(config: &Config, used: &ModulePath, steps: &[Step]) -> Vec<Item> {
    let Some(instances) = config.modules.uses.get(used).map(|used| &used.instances) else { return Vec::new() };
    let (key, output) = match (instances, steps) {
        (Instances::Each(_), [Step::Every, rest @ ..]) => (None, rest.first()),
        (Instances::Each(_), [key, rest @ ..]) => (Some(key.name()), rest.first()),
        (_, [output, ..]) => (None, Some(output)),
        (_, []) => (None, None),
    };
    let meant = |path: &&ModulePath| used.matches(path) && key.as_ref().is_none_or(|key| path.last_key() == Some(key.as_str()));
    let of = |path: &ModulePath, name: &str| Item::Local(Local { module: path.clone(), kind: LocalKind::Output, name: name.to_owned() });
    let instances = config.modules.instances.iter().filter(|(path, _)| meant(path));
    instances
        .flat_map(|(path, module)| match output {
            Some(output) => vec![of(path, &output.name())],
            None => module.names.outputs.keys().map(|name| of(path, name)).collect(),
        })
        .collect()
}

/// The direct dependencies of every item and where each is written, in file order.
pub type Dependencies = IndexMap<Item, Vec<(Item, Span)>>;

/// Reads the dependencies of a stack.
pub fn dependencies(stack: &Stack) -> Dependencies {
    let mut all = written(stack);
    declared(stack, &mut all);
    all
}

/// The orders that types declare, as blocks: the first comes after the second, which it need not name.
pub fn orders(stack: &Stack) -> Vec<(Block, Block)> {
    let (written, all) = (written(stack), dependencies(stack));
    let added = all.iter().flat_map(|(item, found)| {
        let known = written.get(item).map_or(0, Vec::len);
        found.iter().skip(known).map(move |(first, _)| (item, first))
    });
    let blocks = added.filter_map(|pair| match pair {
        (Item::Resource(block), Item::Resource(first)) => Some((block.clone(), first.clone())),
        _ => None,
    });
    blocks.collect()
}

/// What each item names.
fn written(stack: &Stack) -> Dependencies {
    let config = &stack.config;
    let mut all = Dependencies::new();
    for local in locals(config) {
        if let Some(template) = config.template_of(&local) {
            let found = named(config, &[template]);
            all.insert(Item::Local(local), found);
        }
    }
    for (block, data) in &config.data {
        let mut templates = vec![&data.attributes];
        templates.extend(config.account_of(&block.module, data.account.as_ref()));
        all.insert(Item::Data(block.clone()), named(config, &templates));
    }
    for (block, resource) in &config.resources {
        let mut templates = vec![&resource.attributes];
        templates.extend(&resource.for_each);
        templates.extend(&resource.when);
        templates.extend(&resource.region);
        templates.extend(config.account_of(&block.module, resource.account.as_ref()));
        let mut found = named(config, &templates);
        found.extend(resource.depends_on.iter().map(|(block, span)| (Item::Resource(block.clone()), span.clone())));
        all.insert(Item::Resource(block.clone()), found);
    }
    all
}

/// Every local of the stack and of its modules.
fn locals(config: &Config) -> Vec<Local> {
    let local = |module: &ModulePath, kind, name: &String| Local { module: module.clone(), kind, name: name.clone() };
    let root = ModulePath::default();
    let mut all: Vec<Local> = config.locals.keys().map(|name| local(&root, LocalKind::Local, name)).collect();
    for (path, module) in &config.modules.instances {
        all.extend(module.inputs.keys().map(|name| local(path, LocalKind::Input, name)));
        all.extend(module.names.locals.keys().map(|name| local(path, LocalKind::Local, name)));
        all.extend(module.names.outputs.keys().map(|name| local(path, LocalKind::Output, name)));
        let each = module.each.as_ref().filter(|each| each.value.has_unknown());
        all.extend(each.map(|_| local(path, LocalKind::Each, &"value".to_owned())));
    }
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

fn named(config: &Config, templates: &[&Template]) -> Vec<(Item, Span)> {
    let mut found: Vec<(Item, Span)> = Vec::new();
    for template in templates {
        for (reference, span) in template.references() {
            for item in targets(config, reference) {
                if !found.iter().any(|(known, _)| *known == item) {
                    found.push((item, span.clone()));
                }
            }
        }
    }
    found
}

/// Everything blocks of a template depend on, through locals: resources and data sources.
pub fn reach(config: &Config, templates: &[&Template]) -> BTreeSet<Item> {
    let (mut reached, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut open: Vec<Item> = named(config, templates).into_iter().map(|(item, _)| item).collect();
    while let Some(item) = open.pop() {
        match &item {
            Item::Local(local) if seen.insert(local.clone()) => {
                let next = config.template_of(local).map(|template| named(config, &[template])).unwrap_or_default();
                open.extend(next.into_iter().map(|(item, _)| item));
            }
            Item::Local(_) => {}
            Item::Resource(_) | Item::Data(_) => drop(reached.insert(item)),
        }
    }
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
    let mut diagnostic = Diagnostic::general(Code::Cycle, format!("dependency cycle: {}", names.join(" → ")));
    diagnostic.span = path.first().map(|(_, span)| span.clone());
    diagnostic.label = "the cycle starts here".to_owned();
    let groups = names.iter().any(|name| name.contains("security_group."));
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
