//! How the stack file says that its state, journal, copies and plans are encrypted.

use super::Stack;
use super::check::failed;
use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::scope::StackScope;
use super::template::Template;
use crate::model::value::Value;

/// `[stack.encryption]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// Whose keys what is written is encrypted with.
    pub with: With,
    /// Whose keys what is there may still be encrypted with.
    pub previous: Vec<With>,
    /// Whether a state in the clear is refused.
    pub required: bool,
}

/// Whose keys encrypt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum With {
    /// age's.
    Age {
        /// Who can decrypt: `age1…`.
        recipients: Vec<String>,
        /// The file with the identities that decrypt here.
        identity_file: Option<String>,
    },
    /// A key of KMS.
    Kms(KmsKey),
}

/// A key of KMS that encrypts data keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmsKey {
    /// Its id, ARN or alias.
    pub key_id: String,
    /// Its region; that of its ARN, or the stack's, when absent.
    pub region: Option<String>,
    /// The profile whose credentials may use it; the stack's own when absent.
    pub profile: Option<String>,
}

impl Encryption {
    /// The keys of KMS that are used, those of before included.
    pub fn kms_keys(&self) -> impl Iterator<Item = &KmsKey> {
        std::iter::once(&self.with).chain(&self.previous).filter_map(|with| match with {
            With::Kms(key) => Some(key),
            With::Age { .. } => None,
        })
    }
}

/// How a stack's files are encrypted; none when they are not.
///
/// # Errors
/// What is wrong with the table.
pub fn of(stack: &Stack) -> Result<Option<Encryption>, Diagnostics> {
    let Some(template) = &stack.config.encryption else { return Ok(None) };
    let scope = StackScope::offline(stack);
    let value = template.eval(&scope).map_err(|failure| Diagnostics::from(vec![failed(failure)]))?;
    let lacks = stack.lacks(&scope.take_lookups());
    if value.has_unknown() && lacks.has_errors() {
        return Err(lacks);
    }
    let mut reader = Reader { template, problems: Diagnostics::default() };
    if value.has_secret() {
        let error =
            Diagnostic::error(Code::BadEncryption, &template.span, "who can decrypt cannot be sensitive: it stands in every header");
        return Err(Diagnostics::from(vec![error.help(super::PUBLIC)]));
    }
    let read = reader.encryption(&value);
    match read {
        Some(read) if !reader.problems.has_errors() => Ok(Some(read)),
        _ => Err(reader.problems),
    }
}

struct Reader<'a> {
    template: &'a Template,
    problems: Diagnostics,
}

impl Reader<'_> {
    fn encryption(&mut self, value: &Value) -> Option<Encryption> {
        let previous = match value.get("previous") {
            Some(previous) => self.both(previous, false),
            None => Vec::new(),
        };
        let with = self.both(value, true);
        let required = self.flag(value, "required");
        match <[With; 1]>::try_from(with) {
            Ok([with]) => Some(Encryption { with, previous, required }),
            Err(found) => {
                if !self.problems.has_errors() {
                    let problem = if found.is_empty() { "has neither" } else { "has both" };
                    self.wrong(format!("[stack.encryption] {problem} `age` and `kms`: it takes one of them"));
                }
                None
            }
        }
    }

    /// Both ways, as far as they are written.
    fn both(&mut self, value: &Value, writes: bool) -> Vec<With> {
        let age = value.get("age").filter(|age| !age.is_null()).and_then(|age| self.age(age, writes));
        let kms = value.get("kms").filter(|kms| !kms.is_null()).and_then(|kms| self.kms(kms));
        age.into_iter().chain(kms).collect()
    }

    fn age(&mut self, value: &Value, writes: bool) -> Option<With> {
        let identity_file = self.text(value, "identity_file", false);
        let recipients = self.recipients(value)?;
        if recipients.is_empty() && writes {
            self.wrong("`recipients` of [stack.encryption.age] is empty: nobody could read the state".to_owned());
            return None;
        }
        Some(With::Age { recipients, identity_file })
    }

    fn recipients(&mut self, value: &Value) -> Option<Vec<String>> {
        let mut recipients = Vec::new();
        let items = match value.get("recipients") {
            None => return Some(recipients),
            Some(Value::List(items)) => items,
            Some(Value::Unknown) => return self.too_late("recipients"),
            Some(other) => {
                self.wrong(format!("`recipients` is a list of recipients of age, not {}", other.kind()));
                return None;
            }
        };
        for item in items {
            match item.revealed() {
                Value::String(text) if is_recipient(text) => recipients.push(text.clone()),
                Value::String(text) if text.starts_with("AGE-SECRET-KEY-") => {
                    self.wrong("`recipients` has an identity, which is a secret: what belongs there is its recipient, `age1…`".to_owned());
                    return None;
                }
                Value::String(text) => {
                    self.wrong(format!("`{text}` is no recipient of age: one begins with `age1`"));
                    return None;
                }
                Value::Unknown => return self.too_late("recipients"),
                other => {
                    self.wrong(format!("a recipient is a string, not {}", other.kind()));
                    return None;
                }
            }
        }
        recipients.sort();
        recipients.dedup();
        Some(recipients)
    }

    fn kms(&mut self, value: &Value) -> Option<With> {
        let (region, profile) = (self.text(value, "region", false), self.text(value, "profile", false));
        let key_id = self.text(value, "key_id", true)?;
        Some(With::Kms(KmsKey { key_id, region, profile }))
    }

    fn text(&mut self, value: &Value, key: &str, required: bool) -> Option<String> {
        match value.get(key).map(Value::revealed) {
            Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
            None | Some(Value::Null) if !required => None,
            Some(Value::Unknown) => self.too_late(key),
            found => {
                let problem = match found {
                    Some(Value::String(_)) => format!("`{key}` of the encryption is empty"),
                    None => format!("[stack.encryption] needs `{key}`"),
                    Some(other) => format!("`{key}` of the encryption is a string, not {}", other.kind()),
                };
                self.wrong(problem);
                None
            }
        }
    }

    fn flag(&mut self, value: &Value, key: &str) -> bool {
        match value.get(key) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                self.wrong(format!("`{key}` of the encryption is true or false, not {}", other.kind()));
                false
            }
        }
    }

    fn too_late<T>(&mut self, key: &str) -> Option<T> {
        self.wrong(format!("`{key}` of the encryption can use variables, locals and env only"));
        None
    }

    fn wrong(&mut self, problem: String) {
        self.problems.push(Diagnostic::error(Code::BadEncryption, &self.template.span, problem));
    }
}

/// Whether a text looks like a recipient of age.
fn is_recipient(text: &str) -> bool {
    text.strip_prefix("age1").is_some_and(|rest| rest.len() > 20 && rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}
