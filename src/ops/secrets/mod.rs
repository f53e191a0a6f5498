//! The secrets of a stack: which there are, how they stand against env files ([`compare`]), and setting them
//! ([`write`]). Values are compared and sent, never shown.

pub mod compare;
pub mod write;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Deployed;
use super::kind::Kind;
use super::service::{self, Service};
use super::task_definition::{self, TaskDefinition};
use leoctl_aws::client::Aws;
use leoctl_aws::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Site;
use leoctl_core::model::state::Remembered;
use leoctl_core::secrets::{Beside, Open, Owner, Secret, Use};

/// A secret of the stack, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The secret.
    pub secret: Secret,
    /// Its ARN.
    pub arn: String,
    /// Where it is.
    pub site: Site,
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
    // What a container gets from a predecessor, it gets from its successor once it has been rolled out.
    let secrets = deployed.there(Kind::Secret).filter(|(address, _)| deployed.state.current(address).is_some());
    let secrets: BTreeMap<&str, &Address> = secrets.map(|(address, resource)| (resource.place.id.as_str(), address)).collect();
    let arns: Vec<&str> = secrets.keys().copied().collect();
    let of = |from: &str| named(from, &arns).and_then(|arn| secrets.get(arn)).copied();
    let stored = deployed.current(Kind::Secret).map(|(address, resource)| {
        let ours: Vec<Use> = uses.iter().filter(|(from, _)| of(from) == Some(address)).map(|(_, one)| one.clone()).collect();
        let owners = ours.iter().flat_map(|one| &one.owners).map(|owner| &owner.address);
        Stored {
            arn: resource.place.id.clone(),
            site: resource.place.site(),
            services: owners.filter(|address| Kind::Service.has(address)).cloned().collect(),
            secret: Secret { address: address.clone(), name: text(resource, "name").unwrap_or_default().to_owned(), uses: ours },
        }
    });
    let elsewhere = uses.iter().filter(|(from, _)| of(from).is_none()).map(|(_, one)| one.clone());
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
    let revisions = task_definition::revisions(deployed);
    let runs = services.iter().filter_map(|service| Some((service, task_definition::of_service(&revisions, service)?)));
    let runs: Vec<(&Service, &TaskDefinition)> = runs.collect();
    let mut found = Environments::default();
    let mut led: BTreeMap<&Address, BTreeSet<Variable>> = BTreeMap::new();
    // The current revision of each comes first, and says what a name means; a predecessor that a service still runs adds
    // the names that only it has.
    for (address, task) in deployed.there(Kind::TaskDefinition) {
        let ours = runs.iter().filter(|(_, runs)| runs.address == *address);
        let is_current = deployed.state.current(address).is_some_and(|current| current.place == task.place);
        if !is_current && !ours.clone().any(|(_, runs)| runs.arn == task_definition::arn(task)) {
            continue;
        }
        let mut owners: Vec<Owner> =
            ours.map(|(service, _)| Owner { address: service.address.clone(), name: service.name.clone() }).collect();
        owners.push(Owner { address: address.clone(), name: text(task, "family").unwrap_or_default().to_owned() });
        let leads = !led.contains_key(address);
        let known = led.entry(address).or_default();
        // What is sensitive is a hash in the state.
        match task.attributes.get("container_definitions").and_then(Json::as_array) {
            Some(containers) if leads => containers.iter().for_each(|container| found.add(container, &owners, known)),
            Some(containers) => containers.iter().for_each(|container| found.add_more(container, &owners, known)),
            None if leads => found.open.push(Open { container: None, owners, known: BTreeSet::new() }),
            None => {}
        }
    }
    found
}

/// A container and what it gets by this name.
type Variable = (String, String);

impl Environments {
    /// Adds what a container gets.
    fn add(&mut self, container: &Json, owners: &[Owner], known: &mut BTreeSet<Variable>) {
        self.add_more(container, owners, known);
        let map = |attribute: &str| variables(container, attribute);
        let files = container
            .get("environment_files")
            .is_some_and(|files| !files.is_null() && files.as_array().is_none_or(|files| !files.is_empty()));
        let hidden = |attribute: &str| container.get(attribute).is_some_and(|value| !value.is_object() && !value.is_null());
        if files || hidden("environment") || hidden("secrets") {
            let known = map("secrets").chain(map("environment")).map(|(variable, _)| variable.clone()).collect();
            self.open.push(Open { container: Some(name(container).to_owned()), owners: owners.to_vec(), known });
        }
    }

    /// Adds the variables of a container that are not known yet.
    fn add_more(&mut self, container: &Json, owners: &[Owner], known: &mut BTreeSet<Variable>) {
        let name = name(container);
        let one = |variable: &str, key: Option<String>| Use {
            variable: variable.to_owned(),
            key,
            container: name.to_owned(),
            owners: owners.to_vec(),
        };
        let before = known.clone();
        let is_new = |variable: &str| !before.contains(&(name.to_owned(), variable.to_owned()));
        for (variable, from) in variables(container, "secrets").filter(|(variable, _)| is_new(variable)) {
            let from = from.as_str().unwrap_or_default();
            let (arn, key) = reference(from).unwrap_or_else(|| (from.to_owned(), None));
            self.uses.push((arn, one(variable, key)));
            known.insert((name.to_owned(), variable.clone()));
        }
        for (variable, _) in variables(container, "environment").filter(|(variable, _)| is_new(variable)) {
            self.plain.push(one(variable, None));
            known.insert((name.to_owned(), variable.clone()));
        }
    }
}

fn name(container: &Json) -> &str {
    container.get("name").and_then(Json::as_str).unwrap_or_default()
}

fn variables<'a>(container: &'a Json, attribute: &str) -> impl Iterator<Item = (&'a String, &'a Json)> + use<'a> {
    container.get(attribute).and_then(Json::as_object).into_iter().flatten()
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
            &mut BTreeSet::new(),
        );
        let files = json!({ "name": "files", "environment": { "A": "x" }, "environment_files": ["arn"] });
        found.add(&files, &[], &mut BTreeSet::new());
        found.add(&json!({ "name": "hidden", "environment": hash }), &[], &mut BTreeSet::new());
        let plain: Vec<(&str, &str)> = found.plain.iter().map(|one| (one.container.as_str(), one.variable.as_str())).collect();
        assert_eq!(plain, [("app", "A"), ("app", "B"), ("files", "A")]);
        assert_eq!(found.uses.len(), 1);
        let open: Vec<(Option<&str>, usize)> = found.open.iter().map(|one| (one.container.as_deref(), one.known.len())).collect();
        assert_eq!(open, [(Some("files"), 1), (Some("hidden"), 0)]);
    }

    #[test]
    fn a_predecessor_adds_what_only_it_has_and_says_nothing_of_the_rest() {
        let mut found = Environments::default();
        let mut known = BTreeSet::new();
        let current = json!({ "name": "app", "environment": { "MODE": "x" }, "secrets": { "DB": "new", "TOKEN": "new" } });
        let predecessor =
            json!({ "name": "app", "environment": { "DB": "plain", "OLD": "x" }, "secrets": { "TOKEN": "old", "GONE": "old" } });
        let side = json!({ "name": "side", "secrets": { "DB": "side" }, "environment_files": ["arn"] });
        found.add(&current, &[], &mut known);
        [&predecessor, &side].into_iter().for_each(|container| found.add_more(container, &[], &mut known));
        let uses: Vec<(&str, &str)> = found.uses.iter().map(|(from, one)| (from.as_str(), one.variable.as_str())).collect();
        assert_eq!(uses, [("new", "DB"), ("new", "TOKEN"), ("old", "GONE"), ("side", "DB")]);
        let plain: Vec<&str> = found.plain.iter().map(|one| one.variable.as_str()).collect();
        assert_eq!(plain, ["MODE", "OLD"]);
        assert!(found.open.is_empty());
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
