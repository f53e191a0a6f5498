//! Taking secrets out of texts that others have written: AWS quotes what it refuses.

use std::collections::BTreeSet;

use super::value::Value;

/// What stands for a secret.
pub const MASK: &str = "(sensitive)";

/// The shortest secret that is looked for in a text, in bytes: shorter ones are part of ordinary words.
const SHORTEST: usize = 4;

/// The secrets that are taken out of texts.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// The longest first: one may be part of another.
    secrets: Vec<String>,
}

impl Redactor {
    /// A redactor of everything secret in some values.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut found = BTreeSet::new();
        values.into_iter().for_each(|value| collect(value, false, &mut found));
        let mut secrets: Vec<String> = found.into_iter().collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// This one and another.
    pub fn and(self, other: Self) -> Self {
        let mut secrets: Vec<String> = self.secrets.into_iter().chain(other.secrets).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Self { secrets }
    }

    /// The text with words in the place of secrets.
    pub fn redact(&self, text: &str) -> String {
        self.secrets.iter().filter(|secret| text.contains(secret.as_str())).fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
    }
}

fn collect(value: &Value, secret: bool, found: &mut BTreeSet<String>) {
    match value {
        Value::Secret(inner) => collect(inner, true, found),
        Value::List(items) => items.iter().for_each(|item| collect(item, secret, found)),
        Value::Map(map) => {
            for (key, item) in map {
                if secret {
                    add(key.clone(), found);
                }
                collect(item, secret, found);
            }
        }
        Value::String(text) if secret => add(text.clone(), found),
        Value::Int(number) if secret => add(number.to_string(), found),
        _ => {}
    }
}

/// A secret, and how it stands inside of JSON text and of several lines of it.
fn add(secret: String, found: &mut BTreeSet<String>) {
    let escaped = serde_json::Value::from(secret.as_str()).to_string();
    let escaped = escaped.trim_matches('"').to_owned();
    let lines = secret.lines().map(str::trim).map(str::to_owned);
    let all: Vec<String> = lines.chain([secret.clone(), escaped]).collect();
    found.extend(all.into_iter().filter(|text| text.len() >= SHORTEST));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_go_and_what_is_around_them_stays() {
        let map = Value::Map([("a".to_owned(), Value::string("pa\"ss").into_secret()), ("b".to_owned(), Value::string("shown"))].into());
        let nested = Value::from(json!({ "key1": ["longer-than-pass", 47110815] })).into_secret();
        let redactor = Redactor::new([&map, &nested]);
        let text = "'pa\"ss' in {\"x\":\"pa\\\"ss\"}, longer-than-pass, 47110815, key1, shown";
        let expected = "'(sensitive)' in {\"x\":\"(sensitive)\"}, (sensitive), (sensitive), (sensitive), shown";
        assert_eq!(redactor.redact(text), expected);
    }

    #[test]
    fn short_secrets_are_left_as_they_are_part_of_words() {
        assert_eq!(Redactor::new([&Value::string("on").into_secret()]).redact("connection"), "connection");
    }
}
