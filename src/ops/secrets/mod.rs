//! The secrets of a stack: which there are, how they stand against env files ([`compare`]), and setting them
//! ([`write`]). Values are compared and sent, never shown.

pub mod compare;
pub mod write;

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{Deployed, service};
use leoctl_aws::client::Aws;
use leoctl_aws::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::address::Address;
use leoctl_core::model::state::Remembered;
use leoctl_core::secrets::{Owner, Secret, Use};

/// A secret of the stack, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The secret.
    pub secret: Secret,
    /// Its ARN.
    pub arn: String,
    /// The region it is in.
    pub region: String,
    /// The services whose containers get it.
    pub services: BTreeSet<Address>,
}

/// What a secret has, and in which version.
#[derive(Clone, PartialEq, Eq)]
pub struct Current {
    value: Held,
    /// Nothing where none was ever set.
    version: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
enum Held {
    Nothing,
    Text(String),
    Binary,
}

/// What the containers of a stack get.
pub struct Found {
    /// The secrets of the stack, by address.
    pub stored: Vec<Stored>,
    /// What comes from secrets of other stacks and from parameters.
    pub elsewhere: Vec<Use>,
}

/// The secrets of a stack, and what its containers get beside them.
pub fn all(deployed: &Deployed<'_>) -> Found {
    let uses = uses(deployed);
    let secrets = deployed.of_type("secretsmanager_secret").collect::<Vec<_>>();
    let arns: Vec<&str> = secrets.iter().map(|(_, resource)| resource.place.id.as_str()).collect();
    let stored = secrets.iter().map(|(address, resource)| {
        let arn = &resource.place.id;
        let ours: Vec<Use> = uses.iter().filter(|(from, _)| named(from, &arns) == Some(arn.as_str())).map(|(_, one)| one.clone()).collect();
        let owners = ours.iter().flat_map(|one| &one.owners).map(|owner| &owner.address);
        Stored {
            arn: arn.clone(),
            region: resource.place.region.clone(),
            services: owners.filter(|address| address.type_name() == "ecs_service").cloned().collect(),
            secret: Secret { address: (*address).clone(), name: text(resource, "name").unwrap_or_default().to_owned(), uses: ours },
        }
    });
    let elsewhere = uses.iter().filter(|(from, _)| named(from, &arns).is_none()).map(|(_, one)| one.clone());
    Found { stored: stored.collect(), elsewhere: elsewhere.collect() }
}

/// The variables that containers get from secrets and parameters, each with the ARN or name of that.
fn uses(deployed: &Deployed<'_>) -> Vec<(String, Use)> {
    let services = service::all(deployed);
    let mut uses = Vec::new();
    for (address, task) in deployed.of_type("ecs_task_definition") {
        let arn = text(task, "arn").unwrap_or(&task.place.id);
        let running = services.iter().filter(|service| service.runs(arn));
        let mut owners: Vec<Owner> =
            running.map(|service| Owner { address: service.address.clone(), name: service.name.clone() }).collect();
        owners.push(Owner { address: address.clone(), name: text(task, "family").unwrap_or_default().to_owned() });
        for container in task.attributes.get("container_definitions").and_then(Json::as_array).into_iter().flatten() {
            let name = container.get("name").and_then(Json::as_str).unwrap_or_default();
            for (variable, from) in container.get("secrets").and_then(Json::as_object).into_iter().flatten() {
                let from = from.as_str().unwrap_or_default();
                let (arn, key) = reference(from).unwrap_or_else(|| (from.to_owned(), None));
                uses.push((arn, Use { variable: variable.clone(), key, container: name.to_owned(), owners: owners.clone() }));
            }
        }
    }
    uses
}

fn text<'a>(resource: &'a Remembered, attribute: &str) -> Option<&'a str> {
    resource.attributes.get(attribute).and_then(Json::as_str)
}

/// The secret's ARN and the key in it that a container's `valueFrom` names, as
/// `arn:…:secret:NAME[:KEY[:STAGE[:VERSION]]]` (ECS Developer Guide, "Pass Secrets Manager secrets through environment
/// variables"); nothing for a parameter of Systems Manager.
fn reference(from: &str) -> Option<(String, Option<String>)> {
    let parts: Vec<&str> = from.split(':').collect();
    let (secret, rest) = parts.split_at_checked(7)?;
    let key = rest.first().filter(|key| !key.is_empty()).map(|key| (*key).to_owned());
    (secret.get(2) == Some(&"secretsmanager")).then(|| (secret.join(":"), key))
}

/// Which of the secrets a container's ARN is: it may lack the suffix that AWS adds, a hyphen and six characters (Secrets
/// Manager User Guide, "What's in a Secrets Manager secret?").
fn named<'a>(from: &str, arns: &[&'a str]) -> Option<&'a str> {
    let without = |arn: &str| arn.strip_prefix(from).is_some_and(|suffix| suffix.len() == 7 && suffix.starts_with('-'));
    let exact = arns.iter().find(|arn| **arn == from);
    exact.or_else(|| arns.iter().find(|arn| without(arn))).copied()
}

/// What a secret has now.
async fn current(aws: &Aws, arn: &str) -> Outcome<Current> {
    let found = aws.secrets().get_secret_value().secret_id(arn).send().await.or_fail("secretsmanager:GetSecretValue").or_absent()?;
    let Some(found) = found else { return Ok(Current { value: Held::Nothing, version: None }) };
    let value = match (found.secret_string, found.secret_binary) {
        (Some(text), _) => Held::Text(text),
        (None, Some(_)) => Held::Binary,
        (None, None) => Held::Nothing,
    };
    Ok(Current { value, version: found.version_id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_s_reference_names_a_secret_and_maybe_a_key_in_it() {
        let arn = "arn:aws:secretsmanager:us-west-2:1:secret:leo/x";
        assert_eq!(reference(arn), Some((arn.to_owned(), None)));
        assert_eq!(reference(&format!("{arn}-abcdef:token::")), Some((format!("{arn}-abcdef"), Some("token".to_owned()))));
        assert_eq!(reference("arn:aws:ssm:us-west-2:1:parameter/x"), None);
    }

    #[test]
    fn an_arn_without_its_suffix_is_the_secret_of_that_name_in_that_region() {
        let arn = |region: &str, name: &str| format!("arn:aws:secretsmanager:{region}:1:secret:{name}");
        let (ours, other, longer) = (arn("us-west-2", "x-abcdef"), arn("eu-west-1", "x-ghijkl"), arn("us-west-2", "x-abcdef-mnopqr"));
        let arns = [other.as_str(), longer.as_str(), ours.as_str()];
        assert_eq!(named(&ours, &arns), Some(ours.as_str()));
        assert_eq!(named(&arn("us-west-2", "x"), &arns), Some(ours.as_str()));
        assert_eq!(named(&arn("eu-west-1", "x"), &arns), Some(other.as_str()));
        assert_eq!(named(&arn("ap-south-1", "x"), &arns), None);
        assert_eq!(named(&arn("us-west-2", "xy"), &arns), None);
    }
}
