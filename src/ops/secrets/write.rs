//! Setting secrets.

use serde_json::Value as Json;

use super::compare::Compared;
use super::current;
use crate::ops::Deployed;
use leoctl_aws::repeat::Changing;
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};
use leoctl_core::model::redact::Redactor;
use leoctl_core::model::value::Value;

/// Sets a secret, all keys of it at once, to what the comparison found the files to have. However often a lost answer
/// has it sent, it makes one version of the secret.
///
/// # Errors
/// When AWS refuses, and when the secret has changed since it was compared.
pub async fn write(deployed: &Deployed<'_>, compared: &Compared) -> Outcome<()> {
    let Some(value) = &compared.value else { return Ok(()) };
    let stored = &compared.stored;
    let aws = deployed.provider.at(&stored.site)?;
    if current(&aws, &stored.arn).await?.version != compared.current.version {
        let problem = "somebody else has set it since leoctl read it: run the command again to see what it would change now";
        return Err(Failure::new(FailureKind::Refused, problem));
    }
    let token = uuid::Uuid::new_v4().to_string();
    let call = aws.secrets().put_secret_value().secret_id(&stored.arn).secret_string(value).client_request_token(token);
    // With the same token and value there is one version (Secrets Manager API Reference, PutSecretValue).
    let put = call.send().await.idempotent("secretsmanager:PutSecretValue").map(drop);
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
