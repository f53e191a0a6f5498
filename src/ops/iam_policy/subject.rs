//! What a policy is about: the resources and data sources of a stack, with the names the stack file gives them.

use std::collections::BTreeMap;

use super::arn::{self, Place};
use leoctl_aws::permissions::{Grant, Permissions};
use leoctl_aws::registry;
use leoctl_core::engine::values::set_instance;
use leoctl_core::model::address::Block;
use leoctl_core::model::pin::Pins;
use leoctl_core::model::schema::TypeSchema;
use leoctl_core::model::value::Value;
use leoctl_core::plan::desired::desired;
use leoctl_core::plan::diff::complete;
use leoctl_core::plan::types::{Action, Change, Plan, Removal, RemovalKind};
use leoctl_core::stack::scope::{BlockValue, Identity, StackScope};

/// A resource or a data source.
pub struct Subject {
    /// Its type.
    pub type_name: String,
    /// Its account.
    pub identity: Identity,
    /// Its region.
    pub region: String,
    /// Its attributes as the stack file has them.
    pub attributes: Value,
    /// The template of its ARN; empty for a data source, and where nobody has written down what ARNs of its type look like.
    pub arn: &'static str,
    /// What planning takes.
    pub plan: &'static [Grant],
    /// What applying takes beyond that.
    pub apply: &'static [Grant],
}

impl Subject {
    /// Where it is.
    pub fn place(&self) -> Place<'_> {
        Place { region: &self.region, identity: &self.identity }
    }

    /// A text attribute, when it is known.
    pub fn text(&self, attribute: &str) -> Option<&str> {
        match self.attributes.get(attribute) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Its ARN.
    pub fn arn_of(&self) -> Option<String> {
        arn::fill(self.arn, &self.attributes, &self.place()).into_iter().next().filter(|arn| !arn.is_empty())
    }
}

/// Everything in a plan that is read or made, and all that goes: what is deleted, what a replacement deletes, and what an
/// earlier one has left.
pub fn all(plan: &Plan) -> Vec<Subject> {
    let blocks = plan.stack.config.resources.iter();
    let none = |repeated| if repeated { BlockValue::Each(BTreeMap::new()) } else { BlockValue::Absent };
    let mut values: BTreeMap<Block, BlockValue> = blocks.map(|(name, block)| (name.clone(), none(block.for_each.is_some()))).collect();
    let (mut subjects, mut going) = (Vec::new(), Vec::new());
    for change in &plan.changes {
        let Some(permissions) = registry::permissions(change.address.type_name()) else { continue };
        going.extend(change.removals().map(|removal| leaving(plan, removal, permissions)));
        if change.goes.is_some() && matches!(change.action, Action::Delete | Action::Forget) {
            continue;
        }
        let Permissions { arn, plan: read, apply } = permissions;
        let wanted = desired_of(plan, change, &values);
        let stays = wanted.is_some();
        let attributes = wanted.unwrap_or_else(|| change.before.clone());
        let type_name = change.address.type_name().to_owned();
        let identity = plan.identity.within(&change.account);
        let subject = Subject { type_name, identity, region: change.region.clone(), attributes, arn, plan: read, apply };
        if let (true, Some(block)) = (stays, plan.stack.config.resources.get(&change.address.block)) {
            set_instance(&mut values, &change.address, seen(&subject, &block.schema.schema));
        }
        subjects.push(subject);
    }
    subjects.extend(data(plan, &values));
    // Behind what stays: where both have one name, that is meant by it.
    subjects.extend(going);
    subjects
}

/// A remembered resource that goes: by its own name and in its own region, which may be others than those of what takes its
/// place. What is only forgotten is read, and no more.
fn leaving(plan: &Plan, removal: &Removal, permissions: Permissions) -> Subject {
    let Removal { remembered, last, kind } = removal;
    let Permissions { arn, plan: read, apply } = permissions;
    Subject {
        type_name: remembered.place.type_name.clone(),
        identity: plan.identity.within(&remembered.place.account),
        region: remembered.place.region.clone(),
        attributes: if last.is_null() { Value::from(&remembered.attributes) } else { last.clone() },
        arn,
        plan: read,
        apply: if *kind == RemovalKind::Delete { apply } else { &[] },
    }
}

/// The attributes as the stack file has them; none for what is not in it. Those of other resources are known by what these
/// subjects say of them, so that their ARNs are known before AWS has made them.
fn desired_of(plan: &Plan, change: &Change, values: &BTreeMap<Block, BlockValue>) -> Option<Value> {
    if change.action == Action::Delete {
        return None;
    }
    let block = plan.stack.config.resources.get(&change.address.block)?;
    let scope = StackScope::new(&plan.stack, Some(&plan.identity), &plan.data, values).with_each(change.each.as_ref());
    let wanted = desired(block, &change.address, &scope, &Pins::new());
    // The plan has shown that it can be evaluated; where a guess at what is unknown breaks it, the plan's word stands.
    Some(wanted.unwrap_or_else(|_| change.after.clone()))
}

/// What other resources see of it: what AWS chooses is not known, but for the ARN it has or will have.
fn seen(subject: &Subject, schema: &TypeSchema) -> Value {
    let mut seen = complete(&schema.attributes, &subject.attributes, None);
    let has = schema.attribute("arn").is_some_and(|attribute| attribute.computed);
    if let (true, Some(arn), Value::Map(attributes)) = (has, subject.arn_of(), &mut seen) {
        attributes.insert("arn".to_owned(), Value::String(arn));
    }
    seen
}

fn data(plan: &Plan, values: &BTreeMap<Block, BlockValue>) -> Vec<Subject> {
    let scope = StackScope::new(&plan.stack, Some(&plan.identity), &plan.data, values);
    let subjects = plan.stack.config.data.iter().filter_map(|(block, config)| {
        // Where an account cannot be told, no plan is made.
        let named = plan.stack.config.account_of(&block.module, config.account.as_ref());
        let name = named.and_then(|template| template.eval(&scope).ok()?.revealed().as_str().map(str::to_owned));
        let site = name.and_then(|name| plan.identity.accounts.get(&name).cloned()).unwrap_or_else(|| plan.identity.site());
        Some(Subject {
            type_name: block.type_name.clone(),
            identity: plan.identity.within(&site.account),
            region: site.region,
            attributes: config.attributes.eval(&scope).unwrap_or(Value::Unknown),
            arn: registry::permissions(&block.type_name).map(|permissions| permissions.arn).unwrap_or_default(),
            plan: registry::data_permissions(&block.type_name)?,
            apply: &[],
        })
    });
    subjects.collect()
}
