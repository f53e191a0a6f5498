//! Permissions that a plan's changes need.
//!
//! What is asked is IAM's policy simulator. It knows the policies of who asks, with their boundary; it does not know
//! policies of sessions and resources, nor conditions of the organization's (IAM API Reference, SimulatePrincipalPolicy;
//! IAM User Guide, "IAM policy testing with the IAM policy simulator").

mod actions;

use std::collections::{BTreeMap, BTreeSet};

use self::actions::Actions;
use super::{Check, Finding, deletes};
use crate::model::address::Address;
use crate::model::value::Value;
use crate::plan::types::{Action, Change, Plan};

/// Actions that are needed on each of some resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// The actions, such as `s3:CreateBucket`.
    pub actions: BTreeSet<&'static str>,
    /// The resources and their ARNs.
    pub resources: Vec<(Address, String)>,
}

/// What is not allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denied {
    /// Who may not, as an ARN.
    pub principal: String,
    /// The actions and the ARNs on which they are denied.
    pub actions: Vec<(String, String)>,
}

/// The resources and their ARNs, by the actions that are needed on them.
type Questions = BTreeMap<BTreeSet<&'static str>, Vec<(Address, String)>>;

/// What the changes of a plan need in each account, in as few questions as there are kinds of changes.
pub fn needed(plan: &Plan) -> Vec<(String, Vec<Needed>)> {
    let mut needed: BTreeMap<String, Questions> = BTreeMap::new();
    for change in &plan.changes {
        let Some(known) = actions::of(change.address.type_name()) else { continue };
        for (actions, of) in [(to_set(change, known), &change.after), (to_delete(change, known), &change.before)] {
            // Asked about anything else than the resource, the simulator would deny what is allowed on that one alone.
            if let (false, Some(arn)) = (actions.is_empty(), arn(plan, change, known, of)) {
                needed.entry(change.account.clone()).or_default().entry(actions).or_default().push((change.address.clone(), arn));
            }
        }
    }
    let all = |of: Questions| of.into_iter().map(|(actions, resources)| Needed { actions, resources }).collect();
    needed.into_iter().map(|(account, of)| (account, all(of))).collect()
}

fn to_set(change: &Change, known: &Actions) -> BTreeSet<&'static str> {
    let changed = |attribute: &str| change.attributes.iter().any(|one| one.path.root() == Some(attribute));
    match change.action {
        Action::Create | Action::Replace => known.create.iter().copied().collect(),
        Action::Update | Action::Import => {
            known.update.iter().filter(|(attribute, _)| changed(attribute)).map(|(_, action)| *action).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn to_delete(change: &Change, known: &Actions) -> BTreeSet<&'static str> {
    if deletes(change) { known.delete.iter().copied().collect() } else { BTreeSet::new() }
}

/// The ARN of a resource as it was or will be: AWS's, or as much of it as AWS does not make up; none when that is not
/// known.
fn arn(plan: &Plan, change: &Change, known: &Actions, of: &Value) -> Option<String> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let value = |name: &str| match name {
        "partition" => Some(plan.identity.partition.clone()),
        "region" => Some(change.region.clone()),
        "account" => Some(change.account.clone()),
        "cluster_name" => match text(of, "cluster") {
            Some(cluster) => cluster.rsplit('/').next().map(str::to_owned),
            None => {
                let mut clusters = change.depends_on.iter().filter(|address| address.type_name() == "ecs_cluster");
                text(&plan.change(clusters.next()?)?.after, "name")
            }
        },
        "lb_kind" => Some(if text(of, "type").as_deref() == Some("network") { "net" } else { "app" }.to_owned()),
        attribute => text(of, attribute),
    };
    text(of, "arn").or_else(|| fill(known.arn, &value))
}

/// A text in which each `{name}` is replaced; none when one is not known.
fn fill(template: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut parts = template.split('{');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}')?;
        text.push_str(&value(name)?);
        text.push_str(rest);
    }
    Some(text)
}

/// What it means that actions are denied.
pub fn judge(asked: &[Needed], denied: &Denied) -> Vec<Finding> {
    let mut findings = Vec::new();
    for needed in asked {
        for (address, arn) in &needed.resources {
            let lacking = denied.actions.iter().filter(|(action, on)| on == arn && needed.actions.contains(action.as_str()));
            let lacking: Vec<&str> = lacking.map(|(action, _)| action.as_str()).collect();
            if lacking.is_empty() {
                continue;
            }
            let lacking = lacking.join(", ");
            findings.push(Finding {
                check: Check::Permission,
                address: address.clone(),
                message: format!("{} may not {lacking} on {arn}", denied.principal),
                fix: format!("allow {lacking} there in a policy of who applies, or apply with credentials that may"),
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_filled_in_or_there_is_none() {
        let value = |name: &str| (name != "family").then(|| format!("<{name}>"));
        let filled = fill("arn:{partition}:iam::{account}:role{path}{name}", &value);
        assert_eq!(filled.as_deref(), Some("arn:<partition>:iam::<account>:role<path><name>"));
        assert_eq!(fill("task-definition/{family}:*", &value), None);
    }

    #[test]
    fn a_denial_is_of_the_resource_it_is_about() {
        let address = |name: &str| Address::single("s3_bucket", name);
        let resources = vec![(address("a"), "arn:aws:s3:::a".to_owned()), (address("b"), "arn:aws:s3:::b".to_owned())];
        let asked = [Needed { actions: ["s3:CreateBucket", "s3:PutBucketTagging"].into(), resources }];
        let denied = Denied {
            principal: "arn:aws:iam::1:user/ci".to_owned(),
            actions: vec![("s3:CreateBucket".to_owned(), "arn:aws:s3:::b".to_owned())],
        };
        let found = judge(&asked, &denied);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].address, address("b"));
        assert_eq!(found[0].message, "arn:aws:iam::1:user/ci may not s3:CreateBucket on arn:aws:s3:::b");
    }
}
