//! Names of which only the beginning is written.

use crate::model::schema::{ResourceSchema, prefix_of};
use crate::model::state::Intent;
use crate::model::value::Value;
use serde_json::Value as Json;

/// How many letters and digits follow a prefix.
pub const SUFFIX: usize = 8;

/// What is to be made, with a name where only its beginning is written. One that `open`, an unfinished creation of just the same,
/// was given is taken again: that creation may still arrive.
pub fn named(schema: &ResourceSchema, desired: Value, open: &[Intent], digest: &dyn Fn(&Value) -> Json, random: u128) -> Value {
    let Some(name) = schema.prefixed else { return desired };
    let prefix = desired.get(&prefix_of(name)).and_then(Value::as_str).map(str::to_owned);
    let (Some(prefix), Value::Map(mut map)) = (prefix, desired.clone()) else { return desired };
    if map.get(name).and_then(Value::as_str).is_some() {
        return desired;
    }
    let given = open.iter().find_map(|intent| {
        let given = intent.attributes.get(name)?.as_str()?;
        map.insert(name.to_owned(), Value::string(given));
        let same = Value::Map(map.clone()).to_public_json(digest) == intent.attributes;
        (same && given.starts_with(&prefix)).then(|| given.to_owned())
    });
    map.insert(name.to_owned(), Value::String(given.unwrap_or_else(|| format!("{prefix}{}", suffix(random)))));
    Value::Map(map)
}

/// Small letters and digits, the first of them a letter.
fn suffix(mut random: u128) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut suffix = String::with_capacity(SUFFIX);
    while suffix.len() < SUFFIX {
        let among = if suffix.is_empty() { 24 } else { LETTERS.len() as u128 };
        let index = usize::try_from(random % among).unwrap_or_default();
        suffix.push(LETTERS.get(index).copied().map_or('a', char::from));
        random /= among;
    }
    suffix
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::schema::TypeSchema;

    fn schema() -> ResourceSchema {
        let text = json!({ "type": "string" });
        let json = json!({ "type": "object", "properties": { "name": text, "name_prefix": text, "size": { "type": "integer" } } });
        ResourceSchema { prefixed: Some("name"), ..ResourceSchema::plain(TypeSchema::compile("thing", &json).unwrap()) }
    }

    fn name(desired: serde_json::Value, open: &[Intent], random: u128) -> String {
        let named = named(&schema(), Value::from(&desired), open, &|_| Json::Null, random);
        named.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn open(attributes: Json) -> Intent {
        Intent {
            address: "thing.a".parse().unwrap(),
            account: "1".into(),
            region: "r".into(),
            token: "t".into(),
            attributes,
            sensitive: Vec::new(),
            authored: Vec::new(),
            depends_on: Vec::new(),
            guard: crate::model::state::Guard::default(),
        }
    }

    #[test]
    fn a_name_begins_as_it_is_written_and_ends_otherwise_each_time() {
        let (one, other) = (name(json!({ "name_prefix": "shop-" }), &[], 1), name(json!({ "name_prefix": "shop-" }), &[], u128::MAX / 3));
        assert!(one.starts_with("shop-") && one.len() == "shop-".len() + SUFFIX, "{one}");
        assert_ne!(one, other);
        assert_eq!(name(json!({ "name": "shop" }), &[], 1), "shop");
    }

    #[test]
    fn an_unfinished_creation_of_the_same_keeps_its_name() {
        let begun = [open(json!({ "name_prefix": "shop-", "name": "shop-abcdefgh", "size": 1 }))];
        assert_eq!(name(json!({ "name_prefix": "shop-", "size": 1 }), &begun, 1), "shop-abcdefgh");
        assert_ne!(name(json!({ "name_prefix": "shop-", "size": 2 }), &begun, 1), "shop-abcdefgh");
    }
}
