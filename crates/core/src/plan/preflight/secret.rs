//! Secrets whose name is still taken by one that is scheduled for deletion.

use super::{Check, Finding, of_type};
use crate::model::address::Address;
use crate::model::place::Site;
use crate::model::value::Value;
use crate::plan::desired::STACK_TAG;
use crate::plan::types::{Action, Plan};

/// A name that is to be a secret's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedSecret {
    /// The secret.
    pub address: Address,
    /// Where it is.
    pub site: Site,
    /// The name.
    pub name: String,
}

/// A secret that is scheduled for deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// Its ARN.
    pub arn: String,
    /// The date AWS gives.
    pub date: String,
    /// Its tags.
    pub tags: std::collections::BTreeMap<String, String>,
}

/// The names to look for.
pub fn wanted(plan: &Plan) -> Vec<WantedSecret> {
    let created = of_type(plan, "secretsmanager_secret").filter(|change| change.action == Action::Create);
    let named = created.filter_map(|change| {
        let name = change.after.get("name").and_then(Value::as_str)?.to_owned();
        Some(WantedSecret { address: change.address.clone(), site: change.site(), name })
    });
    named.collect()
}

/// What it means that there is one.
pub fn judge(plan: &Plan, wanted: &WantedSecret, found: Option<Scheduled>) -> Vec<Finding> {
    let Some(Scheduled { arn, date, tags }) = found else { return Vec::new() };
    // Another's is refused when the plan looks for what stands in the way.
    if tags.get(STACK_TAG) != Some(&plan.stack.name) {
        return Vec::new();
    }
    let finding = Finding {
        check: Check::ScheduledSecret,
        address: wanted.address.clone(),
        message: format!(
            "the secret {} is scheduled for deletion ({date}), and AWS makes no other of that name: apply restores it with the values it \
             had",
            wanted.name
        ),
        fix: format!(
            "nothing, to have it back (apply does what `aws secretsmanager restore-secret` and `leoctl import` do); to begin anew, wait \
             until it is gone, or `aws secretsmanager delete-secret --force-delete-without-recovery --secret-id {arn}`"
        ),
    };
    vec![finding]
}
