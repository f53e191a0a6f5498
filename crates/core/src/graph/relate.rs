//! What only the values of attributes tell: the network that a resource lies in, and the security groups it lets in.
//!
//! An id says nothing before its resource exists. So attributes are evaluated once more, with a mark in the place of every id
//! and ARN: where the mark of a resource comes out, that resource is meant.

use std::collections::{BTreeMap, BTreeSet};

use super::Node;
use super::ports;
use crate::model::address::Block;
use crate::model::schema::TypeSchema;
use crate::model::value::Value;
use crate::stack::lookup::Lookups;
use crate::stack::scope::{BlockValue, StackScope};
use crate::stack::template::Template;

/// What marks begin and end with: no text of a stack has these (Unicode's private use).
const BEGINS: char = '\u{f5a0}';
const ENDS: char = '\u{f5a1}';

/// Where a VPC is named.
const VPC: &[&str] = &["vpc_id"];
/// Where subnets are named.
const SUBNETS: &[&str] = &["subnet_id", "subnet_ids", "subnets"];
/// Where something is named beside which a resource stands, of these types.
const BESIDE: &[&str] = &["group_id", "load_balancer_arn", "listener_arn"];
const NEIGHBOURS: &[&str] = &["security_group", "lb", "lb_listener"];
/// The types that have rules.
const GROUPS: &[&str] = &["security_group", "default_security_group"];
/// The type that is a rule.
const RULE: &str = "security_group_rule";

/// What is known of resources and data sources, with marks in the place of ids.
#[derive(Default)]
pub(super) struct Named {
    values: BTreeMap<Block, BlockValue>,
    data: BTreeMap<Block, Value>,
}

impl Named {
    pub fn values(&self) -> &BTreeMap<Block, BlockValue> {
        &self.values
    }

    pub fn data(&self) -> &BTreeMap<Block, Value> {
        &self.data
    }

    /// Adds a data source of which `value` is known.
    pub fn add_data(&mut self, schema: &TypeSchema, block: &Block, index: usize, value: &Value) {
        let mark = || Value::String(format!("{BEGINS}{index}{ENDS}"));
        let known = value.as_map().cloned().unwrap_or_default();
        let mut map: BTreeMap<String, Value> = schema.attributes.iter().map(|attribute| (attribute.name.clone(), Value::Unknown)).collect();
        map.extend(known);
        for (name, named) in [("id", mark()), ("ids", Value::List(vec![mark()]))] {
            map.entry(name.to_owned()).and_modify(|value| *value = named);
        }
        self.data.insert(block.clone(), Value::Map(map));
    }

    pub fn absent(&mut self, block: &Block) {
        self.values.insert(block.clone(), BlockValue::Absent);
    }

    /// Adds the node of an instance of which `value` is known.
    pub fn add(&mut self, schema: &TypeSchema, nodes: &[Node], index: usize, value: &Value, keyed: bool) {
        let Some(node) = nodes.get(index) else { return };
        let mut map = value.as_map().cloned().unwrap_or_default();
        for name in ["id", "arn"].into_iter().filter(|name| schema.attribute(name).is_some()) {
            map.insert(name.to_owned(), Value::String(format!("{BEGINS}{index}{ENDS}")));
        }
        let value = Value::Map(map);
        if !keyed {
            self.values.insert(node.block.clone(), BlockValue::Single(value));
            return;
        }
        let known = self.values.entry(node.block.clone()).or_insert_with(|| BlockValue::Each(BTreeMap::new()));
        if let BlockValue::Each(instances) = known {
            instances.insert(node.key.clone().unwrap_or_default(), value);
        }
    }
}

/// What the attributes of one instance tell. A node of none is the instance itself.
#[derive(Debug, Default)]
pub(super) struct Relations {
    pub within: BTreeSet<usize>,
    pub traffic: Vec<(Option<usize>, Option<usize>, String)>,
}

impl Relations {
    /// Reads the attributes of an instance of a type, in a scope with marks and in one without. `for_each` is what was looked up
    /// to know that there is this instance.
    pub fn of(
        type_name: &str,
        attributes: &Template,
        (named, plain): (&StackScope<'_>, &StackScope<'_>),
        (nodes, for_each): (&[Node], &[usize]),
        looked_up: &dyn Fn(&Lookups) -> Vec<usize>,
    ) -> Self {
        let Some(fields) = attributes.as_table() else { return Self::default() };
        let is_of = |types: &[&str], index: &usize| nodes.get(*index).is_some_and(|node| types.contains(&node.block.type_name.as_str()));
        let values: BTreeMap<&str, Value> =
            fields.iter().map(|(name, field)| (name.as_str(), field.value.eval(named).unwrap_or(Value::Unknown))).collect();
        let meant = |keys: &[&str], types: &[&str]| {
            let mut found = BTreeSet::new();
            let mut is_named = false;
            for (name, value) in &values {
                is_named |= keys.contains(name);
                under(name, value, keys, &mut found);
                if let (true, true, Some(field)) = (keys.contains(name), value.has_unknown(), fields.get(*name)) {
                    // Where no value comes out, what was looked up is all that is known.
                    drop(plain.take_lookups());
                    drop(field.value.eval(plain));
                    found.extend(looked_up(&plain.take_lookups()));
                }
            }
            found.retain(|index| is_of(types, index));
            if found.is_empty() && is_named {
                // The id may be what the block is repeated over.
                found.extend(for_each.iter().filter(|index| is_of(types, index)));
            }
            found
        };
        let mut within = meant(VPC, &["vpc"]);
        if within.is_empty() && type_name != "vpc" {
            within = meant(SUBNETS, &["subnet", "subnets"]);
        }
        if within.is_empty() {
            let beside = meant(BESIDE, NEIGHBOURS);
            within = beside.first().and_then(|first| nodes.get(*first)).map(|node| node.within.clone()).unwrap_or_default();
        }
        Self { within, traffic: traffic(type_name, &values) }
    }
}

/// Who may send what to whom, by the rules of a group or by one that stands apart.
fn traffic(type_name: &str, values: &BTreeMap<&str, Value>) -> Vec<(Option<usize>, Option<usize>, String)> {
    let peer = |rule: &Value| rule.get("referenced_group_id").and_then(|peer| marks(peer).first().copied());
    let between = |direction: &str, own, peer, what| match direction {
        "egress" => (own, Some(peer), what),
        _ => (Some(peer), own, what),
    };
    if GROUPS.contains(&type_name) {
        let rules = |direction: &'static str| {
            let rules = values.get(direction).and_then(Value::as_list).unwrap_or_default();
            rules.iter().filter_map(move |rule| Some(between(direction, None, peer(rule)?, ports::words(rule))))
        };
        return rules("ingress").chain(rules("egress")).collect();
    }
    if type_name != RULE {
        return Vec::new();
    }
    let rule = Value::Map(values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect());
    let own = rule.get("group_id").and_then(|group| marks(group).first().copied());
    let direction = rule.get("type").and_then(Value::as_str).unwrap_or_default();
    match (own, peer(&rule)) {
        (Some(own), Some(peer)) => vec![between(direction, Some(own), peer, ports::words(&rule))],
        _ => Vec::new(),
    }
}

/// The nodes that are named in `value`, wherever that stands under one of these keys.
fn under(name: &str, value: &Value, keys: &[&str], found: &mut BTreeSet<usize>) {
    if keys.contains(&name) {
        found.extend(marks(value));
        return;
    }
    match value {
        Value::Map(map) => map.iter().for_each(|(name, value)| under(name, value, keys, found)),
        Value::List(items) => items.iter().for_each(|item| under("", item, keys, found)),
        _ => {}
    }
}

/// The nodes whose marks are in a value.
fn marks(value: &Value) -> BTreeSet<usize> {
    match value {
        Value::String(text) => {
            let parts = text.split(BEGINS).skip(1);
            parts.filter_map(|part| part.split(ENDS).next()?.parse().ok()).collect()
        }
        Value::List(items) => items.iter().flat_map(marks).collect(),
        Value::Map(map) => map.values().flat_map(marks).collect(),
        Value::Secret(inner) => marks(inner),
        _ => BTreeSet::new(),
    }
}
