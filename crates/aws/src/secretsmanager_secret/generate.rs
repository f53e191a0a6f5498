//! Values of secrets that nobody chooses or sees: AWS's random characters, put once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::client::{Aws, send_once};
use crate::document::Document;
use crate::error::OrFail;
use crate::repeat::{Changing, verified};
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::value::Value;

/// A random value. It is put when the secret has none, and never read, shown or stored by leoctl; what is changed here later
/// leaves it as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generate {
    /// How many characters it has.
    #[schemars(extend("default" = 32), range(min = 1, max = 4096))]
    #[serde(default = "length")]
    length: i64,
    /// Characters it does not have.
    #[schemars(length(max = 4096))]
    exclude_characters: Option<String>,
    /// Whether it has no small letters.
    #[schemars(extend("default" = false))]
    #[serde(default)]
    exclude_lowercase: bool,
    /// Whether it has no capital letters.
    #[schemars(extend("default" = false))]
    #[serde(default)]
    exclude_uppercase: bool,
    /// Whether it has no digits.
    #[schemars(extend("default" = false))]
    #[serde(default)]
    exclude_numbers: bool,
    /// Whether it has letters, digits and nothing else.
    #[schemars(extend("default" = false))]
    #[serde(default)]
    exclude_punctuation: bool,
    /// Whether it may have spaces.
    #[schemars(extend("default" = false))]
    #[serde(default)]
    include_space: bool,
    /// Whether it has at least one of each kind of character that it may have.
    #[schemars(extend("default" = true))]
    #[serde(default = "yes")]
    require_each_included_type: bool,
    /// The key of the random value in `template`.
    key: Option<String>,
    /// A table that the secret's value is as JSON, with the random value under `key`: `{ username = "admin" }`.
    template: Option<Document>,
}

fn length() -> i64 {
    32
}

fn yes() -> bool {
    true
}

/// What is wrong with it.
pub fn check(desired: &Value) -> Option<(Path, String)> {
    let generate = desired.get("generate").filter(|generate| !generate.is_null())?;
    let problem = |name: &str, what: String| Some((Path::attribute("generate").join(Segment::field(name)), what));
    let length = generate.get("length").and_then(|length| if let Value::Int(length) = length { Some(*length) } else { None });
    if length.is_some_and(|length| length < FEWEST) && generate.get("require_each_included_type") != Some(&Value::Bool(false)) {
        return problem(
            "length",
            format!("at least {FEWEST}: the value has one of each kind of character, unless `require_each_included_type` is false"),
        );
    }
    match (generate.get("template").map(Value::revealed), generate.get("key").and_then(Value::as_str)) {
        (Some(Value::Map(template)), Some(key)) if template.contains_key(key) => {
            return problem("key", format!("`{key}` is in the template: the random value would take its place"));
        }
        (None | Some(Value::Null | Value::Unknown | Value::Map(_)), _) => {}
        (Some(other), _) => return problem("template", format!("a template is a table, not {}", other.kind())),
    }
    let is_written = |name: &str| generate.get(name).is_some_and(|value| !value.is_null());
    let (missing, other) = match (is_written("key"), is_written("template")) {
        (true, false) => ("template", "key"),
        (false, true) => ("key", "template"),
        _ => return None,
    };
    let what = format!("`{other}` needs `{missing}` beside it: the value is a table with a random value under that key");
    problem(other, what)
}

/// How many kinds of characters there are (Secrets Manager API Reference, GetRandomPassword).
const FEWEST: i64 = 4;

impl Generate {
    /// A new value.
    ///
    /// # Errors
    /// When AWS gives none.
    pub async fn value(&self, aws: &Aws) -> Outcome<String> {
        let operation = "secretsmanager:GetRandomPassword";
        let call = aws
            .secrets()
            .get_random_password()
            .password_length(self.length)
            .set_exclude_characters(self.exclude_characters.clone())
            .exclude_lowercase(self.exclude_lowercase)
            .exclude_uppercase(self.exclude_uppercase)
            .exclude_numbers(self.exclude_numbers)
            .exclude_punctuation(self.exclude_punctuation)
            .include_space(self.include_space)
            .require_each_included_type(self.require_each_included_type);
        let random = call.send().await.or_fail(operation)?.random_password.filter(|random| !random.is_empty());
        let Some(random) = random else {
            let none = Failure::new(FailureKind::Other, "AWS's answer lacks the random value");
            return Err(Failure { operation: operation.to_owned(), ..none });
        };
        Ok(match (&self.key, &self.template) {
            (Some(key), Some(Document(Json::Object(template)))) => {
                let mut whole = template.clone();
                whole.insert(key.clone(), random.into());
                Json::Object(whole).to_string()
            }
            _ => random,
        })
    }

    /// Puts a value into a secret that has none.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn put(&self, aws: &Aws, id: &str) -> Outcome<()> {
        let has_value = async || {
            let found = super::describe(aws, id).await?;
            let versions = found.and_then(|found| found.version_ids_to_stages).unwrap_or_default();
            // The stage of the value that readers get (Secrets Manager API Reference, PutSecretValue).
            Ok(versions.values().flatten().any(|stage| stage == "AWSCURRENT"))
        };
        if has_value().await? {
            return Ok(());
        }
        let call = aws.secrets().put_secret_value().secret_id(id).secret_string(self.value(aws).await?);
        let sent = send_once!(aws_sdk_secretsmanager, call).await.sent_once("secretsmanager:PutSecretValue");
        verified(sent, &["ResourceExistsException"], has_value).await.map(drop)
    }
}
