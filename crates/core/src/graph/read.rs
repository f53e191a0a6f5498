//! From a stack, or a plan of it, to a graph: every block is evaluated as planning does it, and what is looked up for it are its
//! edges.

use std::collections::BTreeMap;

use super::fold::merged;
use super::relate::{Named, Relations};
use super::{Edge, Fate, Graph, Link, Node};
use crate::model::address::{Address, Block};
use crate::model::canonical::canonicalize;
use crate::model::redact::Redactor;
use crate::model::secrecy::conceal;
use crate::model::value::Value;
use crate::plan::types::{Change, Plan};
use crate::stack::Stack;
use crate::stack::check;
use crate::stack::config::ResourceBlock;
use crate::stack::deps::{self, Item, data_name};
use crate::stack::diagnostic::Diagnostics;
use crate::stack::expand::{self, Instances};
use crate::stack::lookup::Lookups;
use crate::stack::scope::{BlockValue, Each, StackScope};
use crate::stack::template::Template;

/// The graph of a stack, as far as it is known without AWS.
pub fn of_stack(stack: &Stack) -> Graph {
    Reader::new(stack, None).read()
}

/// The graph of a plan: what the stack wants, what goes, and what happens to each.
pub fn of_plan(plan: &Plan) -> Graph {
    Reader::new(&plan.stack, Some(plan)).read()
}

static NO_DATA: BTreeMap<Block, Value> = BTreeMap::new();

struct Reader<'a> {
    stack: &'a Stack,
    plan: Option<&'a Plan>,
    secrets: Redactor,
    changes: BTreeMap<&'a Address, &'a Change>,
    values: BTreeMap<Block, BlockValue>,
    named: Named,
    resources: BTreeMap<Block, Vec<usize>>,
    data: BTreeMap<Block, usize>,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

/// An instance of a block, or all of them where they are not known.
struct Instance<'a> {
    block: &'a Block,
    resource: &'a ResourceBlock,
    each: Option<Each>,
    /// `each` with marks in the place of ids.
    marked: Option<Each>,
    is_open: bool,
}

impl<'a> Reader<'a> {
    fn new(stack: &'a Stack, plan: Option<&'a Plan>) -> Self {
        Self {
            stack,
            plan,
            secrets: plan.map_or_else(|| stack.redactor(), Plan::redactor),
            changes: plan.into_iter().flat_map(|plan| &plan.changes).map(|change| (&change.address, change)).collect(),
            values: BTreeMap::new(),
            named: Named::default(),
            resources: BTreeMap::new(),
            data: BTreeMap::new(),
            nodes: Vec::new(),
            edges: Vec::new(),
        }
    }

    fn read(mut self) -> Graph {
        // A stack that was read has no cycles.
        let order = deps::order(&deps::dependencies(self.stack), &mut Diagnostics::default());
        for item in &order {
            match item {
                Item::Data(block) => self.data_source(block),
                Item::Resource(block) => self.resource(block),
                Item::Local(_) => {}
            }
        }
        self.leftovers();
        self.declared();
        Graph { stack: self.stack.name.clone(), planned: self.plan.is_some(), nodes: self.nodes, edges: merged(self.edges.into_iter()) }
    }

    fn scope(&self) -> StackScope<'_> {
        let data = self.plan.map_or(&NO_DATA, |plan| &plan.data);
        StackScope::new(self.stack, self.plan.map(|plan| &plan.identity), data, &self.values)
    }

    /// The scope with marks in the place of ids.
    fn scope_of_marks(&self) -> StackScope<'_> {
        StackScope::new(self.stack, self.plan.map(|plan| &plan.identity), self.named.data(), self.named.values())
    }

    fn data_source(&mut self, block: &Block) {
        let Some(config) = self.stack.config.data.get(block) else { return };
        let scope = self.scope();
        let mut value = config.attributes.eval(&scope).unwrap_or(Value::Unknown);
        let lookups = scope.take_lookups();
        drop(scope);
        if let (Value::Map(written), Some(Value::Map(found))) = (&mut value, self.plan.and_then(|plan| plan.data.get(block))) {
            written.extend(found.clone());
        }
        let attributes = self.secrets.hidden(canonicalize(&config.schema.attributes, &value));
        let relations = self.relations(&block.type_name, &config.attributes, (None, None), &[]);
        let within = relations.within;
        let index = self.push(Node { is_data: true, within, ..plain(data_name(block), block, attributes) });
        self.named.add_data(&config.schema, block, index, &value);
        self.data.insert(block.clone(), index);
        self.uses(index, &lookups);
    }

    fn resource(&mut self, block: &Block) {
        let Some(resource) = self.stack.config.resources.get(block) else { return };
        let scope = self.scope();
        let expanded = expand::block(block, resource, &scope).unwrap_or(Instances::Unknown);
        let mut lookups = scope.take_lookups();
        drop(scope);
        lookups.blocks.extend(resource.depends_on.iter().map(|(block, _)| block.clone()));
        let keyed = resource.for_each.is_some();
        let marked = match expand::block(block, resource, &self.scope_of_marks()) {
            Ok(Instances::Each(all)) => all,
            _ => Vec::new(),
        };
        let one = |each: Option<Each>, is_open| {
            let key = each.as_ref().and_then(|each| each.key.as_str());
            let marked = marked.iter().find(|each| key.is_some() && each.key.as_str() == key).or(each.as_ref()).cloned();
            Instance { block, resource, each, marked, is_open }
        };
        let all = match expanded {
            Instances::Absent => {
                self.values.insert(block.clone(), BlockValue::Absent);
                self.named.absent(block);
                return;
            }
            Instances::Single => vec![one(None, false)],
            Instances::Each(all) => all.into_iter().map(|each| one(Some(each), false)).collect(),
            Instances::Unknown => vec![one(keyed.then(Each::unknown), true)],
        };
        let is_open = all.iter().any(|instance| instance.is_open);
        let mut values = BTreeMap::new();
        for instance in all {
            let key = instance.each.as_ref().and_then(|each| each.key.as_str()).map(str::to_owned);
            values.insert(key.clone().unwrap_or_default(), self.instance(&instance, key, &lookups));
        }
        if keyed && !is_open {
            self.values.insert(block.clone(), BlockValue::Each(values));
        } else if let (false, Some(value)) = (is_open, values.into_values().next()) {
            self.values.insert(block.clone(), BlockValue::Single(value));
        }
    }

    /// Adds an instance; what later expressions see of it.
    fn instance(&mut self, instance: &Instance<'_>, key: Option<String>, expanded: &Lookups) -> Value {
        let Instance { block, resource, each, marked, is_open } = instance;
        let schema = &resource.schema.schema;
        let scope = self.scope().with_each(each.as_ref());
        let written = resource.attributes.eval(&scope).unwrap_or(Value::Unknown);
        for template in resource.region.iter().chain(&resource.account) {
            // Only what it looks up counts.
            drop(template.eval(&scope));
        }
        let mut lookups = scope.take_lookups();
        drop(scope);
        lookups.depend_on(expanded);
        let address = Address { block: (*block).clone(), key: key.clone() };
        let change = self.changes.get(&address).copied();
        let (value, shown) = match change {
            Some(change) if !change.after.is_null() => {
                let after = conceal(&schema.attributes, &change.after, &change.sensitive);
                (after.clone(), after)
            }
            _ => (check::known(schema, &written), canonicalize(&schema.attributes, &written)),
        };
        let looked_up = self.looked_up(expanded);
        let relations = self.relations(&block.type_name, &resource.attributes, (each.as_ref(), marked.as_ref()), &looked_up);
        let name = if *is_open { block.to_string() } else { address.to_string() };
        let index = self.push(Node {
            key,
            members: if *is_open { Vec::new() } else { vec![address] },
            is_open: *is_open,
            within: relations.within,
            fate: change.map(|change| self.fate(change)),
            ..plain(name, block, self.secrets.hidden(shown))
        });
        self.resources.entry((*block).clone()).or_default().push(index);
        self.named.add(schema, &self.nodes, index, &value, each.is_some());
        self.uses(index, &lookups);
        let own = |group: Option<usize>| group.unwrap_or(index);
        self.edges.extend(relations.traffic.into_iter().map(|(from, to, what)| Edge {
            from: own(from),
            to: own(to),
            link: Link::Traffic(vec![what]),
        }));
        value
    }

    fn relations(
        &self,
        type_name: &str,
        attributes: &Template,
        (each, marked): (Option<&Each>, Option<&Each>),
        for_each: &[usize],
    ) -> Relations {
        let marks = self.scope_of_marks().with_each(marked);
        let plain = self.scope().with_each(each);
        Relations::of(type_name, attributes, (&marks, &plain), (&self.nodes, for_each), &|lookups| self.looked_up(lookups))
    }

    fn fate(&self, change: &Change) -> Fate {
        let drifted = self.plan.is_some_and(|plan| plan.drift.iter().any(|drift| drift.address == change.address));
        let (reason, changes) = (change.reason.clone(), change.attributes.clone());
        Fate { action: change.action, drifted, reason, changes }
    }

    /// Adds what a plan deletes or forgets.
    fn leftovers(&mut self) {
        let Some(plan) = self.plan else { return };
        let known: Vec<&Address> = self.nodes.iter().flat_map(|node| &node.members).collect();
        let gone: Vec<&Change> = plan.changes.iter().filter(|change| !known.contains(&&change.address)).collect();
        for change in gone.into_iter().filter(|change| change.place.is_some() || change.goes.is_some()) {
            let address = &change.address;
            let before = self.secrets.hidden(change.before.clone());
            let index = self.push(Node {
                key: address.key.clone(),
                members: vec![address.clone()],
                fate: Some(self.fate(change)),
                ..plain(address.to_string(), &address.block, before)
            });
            self.resources.entry(address.block.clone()).or_default().push(index);
        }
    }

    /// Adds the orders that types declare. A plan knows of each instance what it comes after, and of what goes what it was made
    /// from.
    fn declared(&mut self) {
        if self.plan.is_none() {
            for (block, first) in deps::orders(self.stack) {
                let of = |block: &Block| self.resources.get(block).cloned().unwrap_or_default();
                let firsts = of(&first);
                let pairs = of(&block).into_iter().flat_map(|from| firsts.iter().map(move |to| (from, *to)));
                self.edges.extend(pairs.map(|(from, to)| Edge { from, to, link: Link::Uses }));
            }
        }
        let members = |(index, node): (usize, &Node)| node.members.iter().map(move |address| (address.clone(), index)).collect::<Vec<_>>();
        let at: BTreeMap<Address, usize> = self.nodes.iter().enumerate().flat_map(members).collect();
        for change in self.changes.values() {
            let on = if change.after.is_null() { &change.prior_depends_on } else { &change.depends_on };
            let Some(from) = at.get(&change.address) else { continue };
            self.edges.extend(on.iter().filter_map(|on| at.get(on)).map(|to| Edge { from: *from, to: *to, link: Link::Uses }));
        }
    }

    fn push(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn uses(&mut self, from: usize, lookups: &Lookups) {
        let found = self.looked_up(lookups);
        self.edges.extend(found.into_iter().filter(|to| *to != from).map(|to| Edge { from, to, link: Link::Uses }));
    }

    /// The nodes that were looked up.
    fn looked_up(&self, lookups: &Lookups) -> Vec<usize> {
        let all = |block: &Block| self.resources.get(block).cloned().unwrap_or_default();
        let is = |index: &usize, address: &Address| self.nodes.get(*index).is_some_and(|node| node.is_open || node.key == address.key);
        let mut found: Vec<usize> = lookups.data.iter().filter_map(|block| self.data.get(block).copied()).collect();
        found.extend(lookups.blocks.iter().flat_map(all));
        found.extend(lookups.instances.iter().flat_map(|address| all(&address.block).into_iter().filter(move |index| is(index, address))));
        found
    }
}

fn plain(address: String, block: &Block, attributes: Value) -> Node {
    Node {
        address,
        is_data: false,
        block: block.clone(),
        key: None,
        members: Vec::new(),
        is_open: false,
        attributes,
        differing: Vec::new(),
        within: Default::default(),
        fate: None,
    }
}
