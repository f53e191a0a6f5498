//! The one canonical form that desired, live and saved values pass through before anything compares,
//! shows or sends them.

use std::collections::BTreeMap;

use super::schema::{Attribute, DocumentKind, Format, Order, Type, Unset};
use super::state::is_digest;
use super::value::Value;
use super::{delivery, pem, policy};

/// The attributes of a resource in canonical form: defaults filled in, sets and keyed lists sorted,
/// documents parsed, networks written AWS's way, domain names in lower case without a dot at the end.
pub fn canonicalize(attributes: &[Attribute], value: &Value) -> Value {
    object(attributes, value)
}

fn object(attributes: &[Attribute], value: &Value) -> Value {
    let Some(map) = value.as_map() else { return value.clone() };
    let mut out = BTreeMap::new();
    for attribute in attributes {
        let given = map.get(&attribute.name).filter(|given| !given.is_null());
        let value = match (given, &attribute.unset) {
            (Some(given), _) => of_type(&attribute.ty, given),
            (None, Unset::Default(default)) => of_type(&attribute.ty, default),
            (None, _) => continue,
        };
        if attribute.none.as_ref() == Some(&value) {
            continue;
        }
        let value = if attribute.sensitive { value.into_secret() } else { value };
        // An empty collection or text and an absent one are one thing to AWS.
        if attribute.unset == Unset::Absent && !attribute.required && is_empty(&value) {
            continue;
        }
        out.insert(attribute.name.clone(), value);
    }
    Value::Map(out)
}

/// `value` with what AWS does not know of it, at any depth, as in `from`.
pub fn with_local(attributes: &[Attribute], value: &Value, from: &Value) -> Value {
    let map = match value {
        Value::Map(map) => map,
        Value::Secret(inner) => return with_local(attributes, inner, from).into_secret(),
        other => return other.clone(),
    };
    let mut map = map.clone();
    for attribute in attributes {
        let from = from.get(&attribute.name).filter(|from| !from.is_null());
        match (attribute.local, from, map.get_mut(&attribute.name)) {
            (true, Some(local), _) => drop(map.insert(attribute.name.clone(), local.clone())),
            (true, None, _) => drop(map.remove(&attribute.name)),
            (false, from, Some(value)) => *value = local_inside(&attribute.ty, value, from.unwrap_or(&Value::Null)),
            // A table of which AWS returns nothing is left out whole.
            (false, Some(from), None) if !attribute.computed && is_local(&attribute.ty, from) => {
                map.insert(attribute.name.clone(), from.clone());
            }
            (false, _, None) => {}
        }
    }
    Value::Map(map)
}

/// Whether AWS knows or returns nothing of what is in a table, or in a list of tables.
fn is_local(ty: &Type, value: &Value) -> bool {
    let (attributes, map) = match (ty, value.revealed()) {
        (Type::List { item, .. }, Value::List(items)) => return !items.is_empty() && items.iter().all(|one| is_local(item, one)),
        (Type::Object(attributes), Value::Map(map)) => (attributes, map),
        _ => return false,
    };
    let local = |(name, value): (&String, &Value)| {
        let attribute = attributes.iter().find(|attribute| attribute.name == *name);
        attribute.is_some_and(|attribute| attribute.local || is_local(&attribute.ty, value))
    };
    let mut known = map.iter().filter(|(_, value)| !value.is_null()).peekable();
    known.peek().is_some() && known.all(local)
}

/// `value` with what AWS sets of it, and an answer of AWS's may lack, as in `known`: what was known of it goes on to hold. Of a secret
/// only the hash is remembered, which stands for nothing.
pub fn with_known(attributes: &[Attribute], value: &Value, known: &Value) -> Value {
    let Value::Map(map) = value else { return value.clone() };
    let mut map = map.clone();
    for attribute in attributes {
        let Some(known) = known.get(&attribute.name).filter(|known| !known.is_null()) else { continue };
        match (map.get_mut(&attribute.name), &attribute.ty) {
            (None, _) if attribute.computed && attribute.unset == Unset::Server && !has_digest(known) => {
                map.insert(attribute.name.clone(), known.clone());
            }
            (Some(value), Type::Object(inner)) => *value = with_known(inner, value, known),
            _ => {}
        }
    }
    Value::Map(map)
}

/// Whether there is the hash of a secret in a value.
pub(super) fn has_digest(value: &Value) -> bool {
    !value.paths_where(&|part| part.as_str().is_some_and(is_digest)).is_empty()
}

fn local_inside(ty: &Type, value: &Value, from: &Value) -> Value {
    match (ty, value) {
        (_, Value::Secret(inner)) => local_inside(ty, inner, from).into_secret(),
        (Type::Object(attributes), Value::Map(_)) => with_local(attributes, value, from),
        (Type::Map { item, .. }, Value::Map(map)) => Value::Map(
            map.iter().map(|(key, value)| (key.clone(), local_inside(item, value, from.get(key).unwrap_or(&Value::Null)))).collect(),
        ),
        (Type::List { item, order }, Value::List(items)) => {
            let others = from.as_list().unwrap_or_default();
            let of = |(index, value): (usize, &Value)| match order {
                // A member of a set is the one that is like it but for what AWS does not return.
                Order::Set if matches!(**item, Type::Object(_)) => {
                    let mut known = others.iter().map(|other| local_inside(item, value, other));
                    known.find(|known| others.contains(known)).unwrap_or_else(|| local_inside(item, value, &Value::Null))
                }
                _ => local_inside(item, value, counterpart(order, index, value, others).unwrap_or(&Value::Null)),
            };
            Value::List(items.iter().enumerate().map(of).collect())
        }
        _ => value.clone(),
    }
}

/// The element among `others`, a list in another value of the same resource, that an element of a list is:
/// by position or by key. A member of a set is no other's.
pub fn counterpart<'a>(order: &Order, index: usize, item: &Value, others: &'a [Value]) -> Option<&'a Value> {
    match order {
        Order::Keyed(key) => others.iter().find(|other| other.get(key) == item.get(key)),
        Order::Sequence => others.get(index),
        Order::Set => None,
    }
}

/// Whether a collection or text has nothing in it.
pub fn is_empty(value: &Value) -> bool {
    match value.revealed() {
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// A value of a type in canonical form.
pub fn of_type(ty: &Type, value: &Value) -> Value {
    if let Value::Secret(inner) = value {
        return of_type(ty, inner).into_secret();
    }
    match (ty, value) {
        (Type::Object(attributes), _) => object(attributes, value),
        (Type::Map { item, defaults }, Value::Map(map)) => {
            let entries = map.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), of_type(item, v)));
            let is_default = |(key, value): &(String, Value)| match (defaults.get(key), value.as_str()) {
                (Some(defaults), Some(text)) => defaults.iter().any(|default| default == text),
                _ => false,
            };
            Value::Map(entries.filter(|entry| !is_default(entry)).collect())
        }
        (Type::List { item, order }, Value::List(items)) => sorted(order, items.iter().map(|element| of_type(item, element)).collect()),
        (Type::Document(kind), _) => document(*kind, value),
        (Type::String(rule), Value::String(text)) => Value::String(canonical_text(rule.format.as_ref(), text)),
        // TOML users write ports and sizes either way; AWS's own form is the schema's.
        (Type::String(_), Value::Int(number)) => Value::String(number.to_string()),
        (Type::String(_), Value::Bool(flag)) => Value::String(flag.to_string()),
        // A whole number is one, as people write it: `60`, not `60.0`.
        (Type::Int { .. } | Type::Float, Value::Float(number)) if is_whole(*number) => Value::Int(*number as i64),
        (Type::Int { .. }, Value::String(text)) => text.parse().map_or_else(|_| value.clone(), Value::Int),
        _ => value.clone(),
    }
}

/// Whether an integer holds the number without loss: a float counts one by one to 2⁵³.
fn is_whole(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0
}

fn sorted(order: &Order, mut items: Vec<Value>) -> Value {
    match order {
        Order::Sequence => {}
        Order::Set => {
            items.sort_by_cached_key(sort_key);
            items.dedup();
        }
        Order::Keyed(key) => items.sort_by_cached_key(|item| item.get(key).map(sort_key)),
    }
    Value::List(items)
}

/// A text that orders values; the last characters sort unknowns behind everything.
pub(super) fn sort_key(value: &Value) -> String {
    match value.revealed().to_json() {
        Ok(serde_json::Value::String(text)) => text,
        Ok(json) => json.to_string(),
        Err(_) => "\u{10FFFF}".to_owned(),
    }
}

/// How an element of a keyed list or a set is told from others. It is made of the value: where [`is_name_secret`], it is
/// no name for a path.
pub fn element_name(order: &Order, item: &Value) -> String {
    match order {
        Order::Keyed(key) => item.get(key).map(sort_key).unwrap_or_default(),
        Order::Sequence | Order::Set => sort_key(item),
    }
}

/// Whether the name of an element is known only after apply.
pub fn is_name_unknown(order: &Order, item: &Value) -> bool {
    match order {
        Order::Keyed(key) => item.get(key).is_some_and(Value::has_unknown),
        Order::Sequence | Order::Set => item.has_unknown(),
    }
}

/// Whether the name of an element shows something secret.
pub fn is_name_secret(order: &Order, item: &Value) -> bool {
    match order {
        Order::Keyed(key) => matches!(item, Value::Secret(_)) || item.get(key).is_some_and(Value::has_secret),
        Order::Sequence | Order::Set => item.has_secret(),
    }
}

fn document(kind: DocumentKind, value: &Value) -> Value {
    let parsed = match value {
        Value::String(text) => match serde_json::from_str::<serde_json::Value>(text) {
            Ok(json) => Value::from(json),
            Err(_) => return value.clone(),
        },
        other => other.clone(),
    };
    match kind {
        DocumentKind::Json => parsed,
        DocumentKind::Delivery => delivery::canonicalize(&parsed),
        DocumentKind::Policy => policy::canonicalize(&parsed),
    }
}

fn canonical_text(format: Option<&Format>, text: &str) -> String {
    match format {
        Some(Format::Cidr | Format::Cidr4 | Format::Cidr6) => {
            text.parse::<ipnet::IpNet>().map_or_else(|_| text.to_owned(), |net| net.to_string())
        }
        Some(Format::Domain) => domain(text),
        Some(Format::SshPublicKey) => text.split_whitespace().take(2).collect::<Vec<_>>().join(" "),
        Some(Format::Certificates) => pem::canonical(text),
        Some(Format::Lowercase) => text.to_ascii_lowercase(),
        Some(Format::Uppercase) => text.to_ascii_uppercase(),
        Some(Format::Arn(_) | Format::Id { .. } | Format::MaskedUrl) | None => text.to_owned(),
    }
}

/// A domain name in lower case, without a dot at its end, its escapes undone. Route 53 escapes everything but letters,
/// digits, hyphens and underscores as three octal digits, `*` as `\052`, and takes names written so
/// (Route 53 Developer Guide, "DNS domain name format").
pub fn domain(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let mut rest = lower.strip_suffix('.').unwrap_or(&lower);
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(u8::is_ascii_graphic);
        match (code, after.get(3..)) {
            (Some(code), Some(tail)) => {
                out.push(char::from(code));
                rest = tail;
            }
            _ => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// A URL with `****` for its password, as SNS returns it.
pub fn masked_url(text: &str) -> String {
    let masked = || {
        let (scheme, rest) = text.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (who, host) = authority.rsplit_once('@')?;
        let (user, _) = who.split_once(':')?;
        Some(format!("{scheme}://{user}:****@{host}{path}"))
    };
    masked().unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::{canonicalize, with_known, with_local};
    use crate::model::schema::TypeSchema;
    use crate::model::value::Value;

    fn schema(properties: Json) -> TypeSchema {
        TypeSchema::compile("t", &json!({ "type": "object", "properties": properties })).unwrap()
    }

    #[test]
    fn a_table_of_which_aws_returns_nothing_is_remembered_and_one_that_it_returns_otherwise_is_not() {
        let text = |more: Json| {
            let mut text = json!({ "type": "string", "x-server": true });
            text.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            text
        };
        let local = || text(json!({ "x-local": true }));
        let code =
            json!({ "type": "object", "x-server": true, "properties": { "bucket": local(), "key": local(), "size": text(json!({})) } });
        let schema = schema(json!({ "code": code }));
        let seen = |live: Json, known: Json| with_local(&schema.attributes, &Value::from(live), &Value::from(known)).to_json().unwrap();
        let known = || json!({ "code": { "bucket": "b", "key": "k" } });
        assert_eq!(seen(json!({}), known()), known());
        assert_eq!(seen(json!({ "code": { "size": "1" } }), known()), json!({ "code": { "bucket": "b", "key": "k", "size": "1" } }));
        // AWS would say its size if it were there.
        assert_eq!(seen(json!({}), json!({ "code": { "bucket": "b", "size": "1" } })), json!({}));
    }

    #[test]
    fn a_member_of_a_set_keeps_what_aws_does_not_return_of_it() {
        let secret = json!({ "type": "string", "x-local": true });
        let tunnel = json!({ "type": "object", "properties": { "cidr": { "type": "string" }, "key": secret } });
        let schema = schema(json!({ "tunnels": { "type": "array", "items": tunnel, "x-set": true } }));
        let value = |json: Json| canonicalize(&schema.attributes, &Value::from(json));
        let known = value(json!({ "tunnels": [{ "cidr": "b", "key": "2" }, { "cidr": "a", "key": "1" }] }));
        let live = value(json!({ "tunnels": [{ "cidr": "a" }, { "cidr": "b" }, { "cidr": "c" }] }));
        let seen = with_local(&schema.attributes, &live, &known).to_json().unwrap();
        assert_eq!(seen, json!({ "tunnels": [{ "cidr": "a", "key": "1" }, { "cidr": "b", "key": "2" }, { "cidr": "c" }] }));
    }

    #[test]
    fn what_aws_sets_and_does_not_say_again_stays_known() {
        let made = json!({ "type": "string", "x-computed": true, "x-server": true });
        let own = json!({ "type": "string", "x-computed": true });
        let schema = schema(json!({ "url": made, "address": own, "name": { "type": "string", "x-server": true } }));
        let known = Value::from(json!({ "url": "u", "address": "a", "name": "n" }));
        let seen = |live: Json| with_known(&schema.attributes, &Value::from(live), &known).to_json().unwrap();
        assert_eq!(seen(json!({})), json!({ "url": "u" }));
        assert_eq!(seen(json!({ "url": "v" })), json!({ "url": "v" }));
        let hash = Value::from(json!({ "url": crate::model::state::digest("salt", &Value::string("u")) }));
        assert_eq!(with_known(&schema.attributes, &Value::from(json!({})), &hash).to_json().unwrap(), json!({}));
    }

    #[test]
    fn only_the_password_of_a_url_is_masked() {
        for (url, masked) in [
            ("https://user:secret@example.org/a?b=c:d@e", "https://user:****@example.org/a?b=c:d@e"),
            ("https://user:p@ss@example.org", "https://user:****@example.org"),
            ("https://user@example.org:8443/", "https://user@example.org:8443/"),
            ("https://example.org:8443/a:b@c", "https://example.org:8443/a:b@c"),
            ("ops@example.org", "ops@example.org"),
        ] {
            assert_eq!(super::masked_url(url), masked);
        }
    }

    #[test]
    fn domain_names_lose_their_escapes_and_last_dot() {
        for (name, canonical) in [
            (r"\052.Example.org.", "*.example.org"),
            ("example.org", "example.org"),
            (r"a\057b.example.org.", "a/b.example.org"),
            (r"odd\09", r"odd\09"),
            (r"end\", r"end\"),
        ] {
            assert_eq!(super::domain(name), canonical);
        }
    }
}
