//! The values of a stack's secrets: how they stand against env files, and putting them there. Values are compared and
//! sent, never shown.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use serde_json::Value as Json;

use super::Deployed;
use super::env_file::Variables;
use super::service;
use leoctl_aws::client::Aws;
use leoctl_aws::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};
use leoctl_core::model::address::Address;
use leoctl_core::model::redact::Redactor;
use leoctl_core::model::state::Remembered;
use leoctl_core::model::value::Value;

/// A secret of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Its address.
    pub address: Address,
    /// Its name in Secrets Manager.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The region it is in.
    pub region: String,
    /// The environment variables containers get from it.
    pub variables: Vec<Variable>,
    /// The services whose containers get it.
    pub services: BTreeSet<Address>,
}

/// An environment variable that comes from a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The key of the secret's JSON object it is at; nothing when it is all of the secret.
    pub key: Option<String>,
}

/// How a secret stands against the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has no value, and the files have one.
    Unset,
    /// It has no value, and nor have the files.
    Nowhere,
    /// It has the files' value.
    Same,
    /// Its value is another one than the files'.
    Differs,
    /// It has a value, and the files have none.
    NotInFiles,
}

/// A secret, how it stands, and what it would be set to.
pub struct Compared {
    /// The secret.
    pub secret: Secret,
    /// How it stands.
    pub standing: Standing,
    /// The value to push, where one is to be.
    value: Option<String>,
}

/// The secrets of a stack, by address.
pub fn all(deployed: &Deployed<'_>) -> Vec<Secret> {
    let services = service::all(deployed);
    let mut uses: Vec<(String, Variable, BTreeSet<Address>)> = Vec::new();
    for (_, task) in deployed.of_type("ecs_task_definition") {
        let arn = text(task, "arn").unwrap_or(&task.place.id);
        let users: BTreeSet<Address> = services.iter().filter(|service| service.runs(arn)).map(|service| service.address.clone()).collect();
        let containers = task.attributes.get("container_definitions").and_then(Json::as_array).into_iter().flatten();
        for (name, from) in containers.filter_map(|container| container.get("secrets")?.as_object()).flatten() {
            let Some((arn, key)) = from.as_str().and_then(reference) else { continue };
            uses.push((arn, Variable { name: name.clone(), key }, users.clone()));
        }
    }
    let secrets = deployed.of_type("secretsmanager_secret").map(|(address, resource)| {
        let name = text(resource, "name").unwrap_or_default().to_owned();
        let ours = || uses.iter().filter(|(from, _, _)| is(from, &resource.place.id, &name));
        let variables: BTreeSet<Variable> = ours().map(|(_, variable, _)| variable.clone()).collect();
        let variables = if variables.is_empty() { BTreeSet::from([Variable { name: usual(&name), key: None }]) } else { variables };
        Secret {
            address: address.clone(),
            arn: resource.place.id.clone(),
            region: resource.place.region.clone(),
            variables: variables.into_iter().collect(),
            services: ours().flat_map(|(_, _, services)| services.clone()).collect(),
            name,
        }
    });
    secrets.collect()
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

/// Whether a container's ARN, which may lack the suffix that AWS adds, is this secret's.
fn is(from: &str, arn: &str, name: &str) -> bool {
    from == arn || from.rsplit_once(':').is_some_and(|(_, last)| last == name)
}

/// The variable that a secret no container uses is in a file: `leo/github-bot-token` is `GITHUB_BOT_TOKEN`.
fn usual(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

/// Reads the values of these secrets and compares them with the files'.
///
/// # Errors
/// When one cannot be read, or what is in it is not the JSON object its keys are to be in.
pub async fn compare(deployed: &Deployed<'_>, secrets: Vec<Secret>, files: &Variables) -> Outcome<Vec<Compared>> {
    let compared = secrets.into_iter().map(async |secret| {
        let current = value(&deployed.provider.region(&secret.region), &secret.arn).await?;
        let wanted = wanted(&secret, current.as_deref(), files)?;
        let standing = match (&current, &wanted) {
            (None, None) => Standing::Nowhere,
            (None, Some(_)) => Standing::Unset,
            (Some(_), None) => Standing::NotInFiles,
            (Some(current), Some(wanted)) if current == wanted => Standing::Same,
            (Some(_), Some(_)) => Standing::Differs,
        };
        let value = wanted.filter(|_| matches!(standing, Standing::Unset | Standing::Differs));
        Ok(Compared { secret, standing, value })
    });
    try_join_all(compared).await
}

/// A secret's value; none when none was ever set.
async fn value(aws: &Aws, arn: &str) -> Outcome<Option<String>> {
    let found = aws.secrets().get_secret_value().secret_id(arn).send().await.or_fail("secretsmanager:GetSecretValue").or_absent()?;
    Ok(found.and_then(|found| found.secret_string))
}

/// What the files make of a secret; nothing when they say nothing about it.
fn wanted(secret: &Secret, current: Option<&str>, files: &Variables) -> Outcome<Option<String>> {
    let given = |variable: &Variable| files.value(&variable.name).map(|value| (variable.key.clone(), value.to_owned()));
    let given: Vec<(Option<String>, String)> = secret.variables.iter().filter_map(given).collect();
    if let Some((_, whole)) = given.iter().find(|(key, _)| key.is_none()) {
        return match given.iter().find(|(key, value)| key.is_some() || value != whole) {
            None => Ok(Some(whole.clone())),
            Some(_) => Err(Failure::new(FailureKind::Other, format!("the files say different things about the secret {}", secret.name))),
        };
    }
    if given.is_empty() {
        return Ok(None);
    }
    let object: serde_json::Map<String, Json> = match current {
        None => serde_json::Map::new(),
        Some(current) => serde_json::from_str(current).map_err(|_| {
            // Not the parser's words: they may have the value in them.
            let problem = format!("containers want keys of a JSON object from the secret {}, whose value is none", secret.name);
            Failure::new(FailureKind::Other, problem)
        })?,
    };
    let mut with = object.clone();
    with.extend(given.into_iter().filter_map(|(key, value)| Some((key?, Json::from(value)))));
    Ok(Some(match current {
        Some(current) if with == object => current.to_owned(),
        _ => Json::from(with).to_string(),
    }))
}

/// Sets a secret to what the comparison found the files to have.
///
/// # Errors
/// When AWS refuses.
pub async fn push(deployed: &Deployed<'_>, compared: &Compared) -> Outcome<()> {
    match &compared.value {
        Some(value) => put(deployed, &compared.secret, value).await,
        None => Ok(()),
    }
}

/// Sets a secret. However often a lost answer has it sent, it makes one version of the secret.
///
/// # Errors
/// When AWS refuses.
pub async fn put(deployed: &Deployed<'_>, secret: &Secret, value: &str) -> Outcome<()> {
    let aws = deployed.provider.region(&secret.region);
    let token = uuid::Uuid::new_v4().to_string();
    let call = aws.secrets().put_secret_value().secret_id(&secret.arn).secret_string(value).client_request_token(token);
    let put = call.send().await.or_fail("secretsmanager:PutSecretValue").map(drop);
    put.map_err(|failure| failure.redacted(&redactor(value)))
}

/// What takes a secret's value out of AWS's messages, and each part of one that is a JSON object.
fn redactor(value: &str) -> Redactor {
    let parts: Vec<Value> = serde_json::from_str::<Json>(value)
        .into_iter()
        .flat_map(|json| match json {
            Json::Object(parts) => parts.into_values().map(|part| Value::from(part).into_secret()).collect(),
            _ => Vec::new(),
        })
        .collect();
    Redactor::new(parts.iter().chain([&Value::string(value).into_secret()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(variables: &[(&str, Option<&str>)]) -> Secret {
        let variables = variables.iter().map(|(name, key)| Variable { name: (*name).to_owned(), key: key.map(str::to_owned) });
        Secret {
            address: "secretsmanager_secret.x".parse().unwrap(),
            name: "leo/x".to_owned(),
            arn: "arn:aws:secretsmanager:r:1:secret:leo/x-abcdef".to_owned(),
            region: "r".to_owned(),
            variables: variables.collect(),
            services: BTreeSet::new(),
        }
    }

    fn files(pairs: &[(&str, &str)]) -> Variables {
        let mut files = Variables::default();
        files.add(".env".to_owned(), pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        files
    }

    #[test]
    fn a_container_s_reference_names_a_secret_and_maybe_a_key_in_it() {
        let arn = "arn:aws:secretsmanager:us-west-2:1:secret:leo/x";
        assert_eq!(reference(arn), Some((arn.to_owned(), None)));
        assert_eq!(reference(&format!("{arn}-abcdef:token::")), Some((format!("{arn}-abcdef"), Some("token".to_owned()))));
        assert_eq!(reference("arn:aws:ssm:us-west-2:1:parameter/x"), None);
        assert!(is(arn, "arn:aws:secretsmanager:us-west-2:1:secret:leo/x-abcdef", "leo/x"));
        assert!(!is("arn:aws:secretsmanager:us-west-2:1:secret:leo/xy", "arn:aws:secretsmanager:us-west-2:1:secret:leo/x-abcdef", "leo/x"));
    }

    #[test]
    fn keys_of_an_object_are_set_and_the_others_kept() {
        let two = secret(&[("A", Some("a")), ("B", Some("b"))]);
        assert_eq!(wanted(&two, Some(r#"{"c":"3"}"#), &files(&[("A", "1")])).unwrap().unwrap(), r#"{"c":"3","a":"1"}"#);
        assert_eq!(wanted(&two, Some(r#"{ "a": "1" }"#), &files(&[("A", "1")])).unwrap().unwrap(), r#"{ "a": "1" }"#);
        assert_eq!(wanted(&two, None, &files(&[])).unwrap(), None);
        let problem = wanted(&two, Some("hunter2"), &files(&[("A", "1")])).unwrap_err().message;
        assert!(!problem.contains("hunter2"));
    }

    #[test]
    fn an_empty_value_is_none_and_two_values_are_a_mistake() {
        let two = secret(&[("A", None), ("B", None)]);
        assert_eq!(wanted(&two, None, &files(&[("A", "")])).unwrap(), None);
        assert_eq!(wanted(&two, None, &files(&[("A", "1"), ("B", "1")])).unwrap().unwrap(), "1");
        assert!(wanted(&two, None, &files(&[("A", "1"), ("B", "2")])).is_err());
    }

    #[test]
    fn a_secret_no_container_uses_has_a_usual_variable() {
        assert_eq!(usual("leo/github-bot-token"), "GITHUB_BOT_TOKEN");
    }
}
