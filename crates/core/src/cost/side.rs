//! One side of a plan: the resources as they are, or as they will be.

use crate::model::address::{Address, Block};
use crate::model::value::Value;
use crate::plan::types::{Action, Change, Plan};
use crate::stack::Stack;
use crate::stack::deps::{self, Item, Local};
use crate::stack::template::Template;
use crate::stack::usage::Usage;

/// A resource on one side of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// Its address.
    pub address: &'a Address,
    /// Its region.
    pub region: &'a str,
    /// Its attributes.
    pub attributes: &'a Value,
    /// What it is made from.
    pub depends_on: &'a [Address],
}

/// All resources of one side.
#[derive(Clone, Debug)]
pub struct Side<'a> {
    stack: &'a Stack,
    resources: Vec<Resource<'a>>,
}

impl<'a> Side<'a> {
    /// What there is now.
    pub fn before(plan: &'a Plan) -> Self {
        Self::of(plan, |change| (&change.before, &change.prior_depends_on))
    }

    /// What there will be.
    pub fn after(plan: &'a Plan) -> Self {
        Self::of(plan, |change| (&change.after, &change.depends_on))
    }

    /// What is forgotten stays in AWS and is paid for, but no more by this stack: it is on neither side.
    fn of(plan: &'a Plan, pick: impl Fn(&'a Change) -> (&'a Value, &'a Vec<Address>)) -> Self {
        let changes = plan.changes.iter().filter(|change| change.action != Action::Forget);
        let resources = changes.filter_map(|change| {
            let (attributes, depends_on) = pick(change);
            let there = !attributes.is_null();
            there.then_some(Resource { address: &change.address, region: &change.region, attributes, depends_on })
        });
        Self { stack: &plan.stack, resources: resources.collect() }
    }

    /// The resources, in the plan's order.
    pub fn resources(&self) -> impl Iterator<Item = &Resource<'a>> {
        self.resources.iter()
    }

    /// The resources of a type.
    pub fn of_type(&self, type_name: &str) -> impl Iterator<Item = &Resource<'a>> {
        self.resources.iter().filter(move |resource| resource.address.type_name() == type_name)
    }

    /// How much the stack is used.
    pub fn usage(&self) -> &'a Usage {
        &self.stack.config.usage
    }

    /// The resource of a type that an attribute names by one of its own attributes, such as its ARN. While that is not
    /// known yet, what the stack file refers to there.
    pub fn referred(&self, from: &Resource<'_>, attribute: &str, type_name: &str, by: &str) -> Option<&Resource<'a>> {
        if let Some(wanted) = from.text(attribute) {
            return self.of_type(type_name).find(|resource| resource.text(by) == Some(wanted));
        }
        let template = self.stack.config.resources.get(&from.address.block)?.attributes.as_table()?.get(attribute)?;
        let block = self.block_of(&template.value, type_name, &mut Vec::new())?;
        let of_block = || self.of_type(type_name).filter(|resource| resource.address.block == block);
        // An instance of `for_each` mostly refers to the one of its own key.
        of_block().find(|resource| resource.address.key == from.address.key).or_else(|| of_block().next())
    }

    /// Whether the stack file says an attribute of a resource.
    pub fn writes(&self, resource: &Resource<'_>, attribute: &str) -> bool {
        let block = self.stack.config.resources.get(&resource.address.block);
        block.and_then(|block| block.attributes.as_table()).is_some_and(|table| table.contains_key(attribute))
    }

    /// The block of a type that a template refers to, by itself or through locals.
    fn block_of(&self, template: &Template, type_name: &str, seen: &mut Vec<Local>) -> Option<Block> {
        let named = template.references().into_iter().flat_map(|(reference, _)| deps::targets(&self.stack.config, reference));
        named.into_iter().find_map(|item| match item {
            Item::Resource(block) => (block.type_name == type_name).then_some(block),
            Item::Local(local) if !seen.contains(&local) => {
                let template = self.stack.config.template_of(&local)?;
                seen.push(local);
                self.block_of(template, type_name, seen)
            }
            Item::Local(_) | Item::Data(_) => None,
        })
    }
}

impl<'a> Resource<'a> {
    /// An attribute that may be shown.
    pub fn get(&self, attribute: &str) -> Option<&'a Value> {
        get(self.attributes, attribute)
    }

    /// A text attribute, when it is known.
    pub fn text(&self, attribute: &str) -> Option<&'a str> {
        text(self.get(attribute)?)
    }

    /// A number, when it is known.
    pub fn number(&self, attribute: &str) -> Option<f64> {
        number(self.get(attribute)?)
    }

    /// Whether a flag is set.
    pub fn flag(&self, attribute: &str) -> bool {
        matches!(self.get(attribute), Some(Value::Bool(true)))
    }

    /// The elements of a list.
    pub fn list(&self, attribute: &str) -> &'a [Value] {
        self.get(attribute).and_then(Value::as_list).unwrap_or_default()
    }

    /// Whether it is made from a resource of a type.
    pub fn is_made_from(&self, type_name: &str) -> bool {
        self.depends_on.iter().any(|on| on.type_name() == type_name)
    }

    /// How many elements a list has; while that is not known, how many resources of a type this one is made from.
    pub fn count(&self, attribute: &str, type_name: &str) -> Option<f64> {
        let written = self.list(attribute).len();
        let made = || self.depends_on.iter().filter(|on| on.type_name() == type_name).count();
        let count = if written > 0 { written } else { made() };
        u32::try_from(count).ok().filter(|count| *count > 0).map(f64::from)
    }
}

/// What stands under a key. A secret is as good as unknown here: what is said of a bill would show it.
pub fn get<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    let hidden = |value: &Value| matches!(value, Value::Secret(_) | Value::Null);
    (!hidden(value)).then(|| value.get(key)).flatten().filter(|value| !hidden(value))
}

/// A text that is not empty, if this is one.
pub fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// A number, if this is one.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}
