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
use leoctl_core::secrets::{Beside, Open, Owner, Secret, Use};

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
    /// What else they get.
    pub beside: Beside,
}

/// The secrets of a stack, and what its containers get beside them.
pub fn all(deployed: &Deployed<'_>) -> Found {
    let Environments { uses, plain, open } = environments(deployed);
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
    Found { stored: stored.collect(), beside: Beside { variables: elsewhere.chain(plain).collect(), open } }
}

/// What the containers of a stack get.
#[derive(Default)]
struct Environments {
    /// From secrets and parameters, each with the ARN or name of that.
    uses: Vec<(String, Use)>,
    /// With plain values.
    plain: Vec<Use>,
    /// Those that may get more.
    open: Vec<Open>,
}

fn environments(deployed: &Deployed<'_>) -> Environments {
    let services = service::all(deployed);
    let mut found = Environments::default();
    for (address, task) in deployed.of_type("ecs_task_definition") {
        let arn = text(task, "arn").unwrap_or(&task.place.id);
        let running = services.iter().filter(|service| service.runs(arn));
        let mut owners: Vec<Owner> =
            running.map(|service| Owner { address: service.address.clone(), name: service.name.clone() }).collect();
        owners.push(Owner { address: address.clone(), name: text(task, "family").unwrap_or_default().to_owned() });
        // What is sensitive is a hash in the state.
        match task.attributes.get("container_definitions").and_then(Json::as_array) {
            Some(containers) => containers.iter().for_each(|container| found.add(container, &owners)),
            None => found.open.push(Open { container: None, owners, known: BTreeSet::new() }),
        }
    }
    found
}

impl Environments {
    /// Adds what a container gets.
    fn add(&mut self, container: &Json, owners: &[Owner]) {
        let name = container.get("name").and_then(Json::as_str).unwrap_or_default();
        let map = |attribute: &str| container.get(attribute).and_then(Json::as_object).into_iter().flatten();
        let one = |variable: &str, key: Option<String>| Use {
            variable: variable.to_owned(),
            key,
            container: name.to_owned(),
            owners: owners.to_vec(),
        };
        for (variable, from) in map("secrets") {
            let from = from.as_str().unwrap_or_default();
            let (arn, key) = reference(from).unwrap_or_else(|| (from.to_owned(), None));
            self.uses.push((arn, one(variable, key)));
        }
        self.plain.extend(map("environment").map(|(variable, _)| one(variable, None)));
        let files = container
            .get("environment_files")
            .is_some_and(|files| !files.is_null() && files.as_array().is_none_or(|files| !files.is_empty()));
        let hidden = |attribute: &str| container.get(attribute).is_some_and(|value| !value.is_object() && !value.is_null());
        if files || hidden("environment") || hidden("secrets") {
            let known = map("secrets").chain(map("environment")).map(|(variable, _)| variable.clone()).collect();
            self.open.push(Open { container: Some(name.to_owned()), owners: owners.to_vec(), known });
        }
    }
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
    use serde_json::json;

    #[test]
    fn what_a_container_gets_is_every_variable_and_with_files_it_may_be_more() {
        let mut found = Environments::default();
        let hash = "sha256:00";
        found.add(
            &json!({ "name": "app", "environment": { "A": hash, "B": "x" }, "secrets": { "C": "arn" }, "environment_files": [] }),
            &[],
        );
        found.add(&json!({ "name": "files", "environment": { "A": "x" }, "environment_files": ["arn"] }), &[]);
        found.add(&json!({ "name": "hidden", "environment": hash }), &[]);
        let plain: Vec<(&str, &str)> = found.plain.iter().map(|one| (one.container.as_str(), one.variable.as_str())).collect();
        assert_eq!(plain, [("app", "A"), ("app", "B"), ("files", "A")]);
        assert_eq!(found.uses.len(), 1);
        let open: Vec<(Option<&str>, usize)> = found.open.iter().map(|one| (one.container.as_deref(), one.known.len())).collect();
        assert_eq!(open, [(Some("files"), 1), (Some("hidden"), 0)]);
    }

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
