//! The difference between two values of a resource, attribute by attribute and element by element.
//! Whatever is shown or sent comes from here.

use std::collections::BTreeMap;

use crate::model::canonical::{counterpart, element_name, is_empty, is_name_secret, is_name_unknown, masked_url, of_type};
use crate::model::kms_key::may_name;
use crate::model::path::{Path, Segment};
use crate::model::pin::position;
use crate::model::schema::{Attribute, Format, Order, TextRule, Type, Unset};
use crate::model::value::Value;

/// One place at which two values differ.
#[derive(Clone, Debug)]
pub struct AttributeChange {
    /// Where.
    pub path: Path,
    /// What is there now; nothing when it is added.
    pub before: Option<Value>,
    /// What is to be there; nothing when it is removed.
    pub after: Option<Value>,
    /// Whether the change replaces the resource.
    pub forces_replacement: bool,
    /// Whether the values are never shown.
    pub sensitive: bool,
    /// Whether the values are JSON documents, compared line by line when shown.
    pub document: bool,
    /// Whether AWS chooses the value when nobody writes one.
    pub server_chosen: bool,
}

/// What a resource will be: what is desired, with AWS's part from the live one, or unknown when there is none.
pub fn complete(attributes: &[Attribute], desired: &Value, live: Option<&Value>) -> Value {
    let empty = BTreeMap::new();
    let desired = desired.as_map().unwrap_or(&empty);
    let mut out = BTreeMap::new();
    for attribute in attributes {
        let from_live = live.map(|live| live.get(&attribute.name).cloned().unwrap_or(Value::Null));
        let value = match desired.get(&attribute.name) {
            // To AWS an empty one and none are one thing.
            Some(value) if attribute.unset == Unset::Server && is_empty(value) && from_live.as_ref().is_some_and(Value::is_null) => {
                continue;
            }
            Some(value) if attribute.kms_key => complete_key(value, from_live.as_ref()),
            Some(value) if !attribute.computed => match from_live.as_ref().filter(|live| is_default_too(attribute, value, live)) {
                Some(live) => live.clone(),
                None => complete_value(&attribute.ty, value, from_live.as_ref()),
            },
            _ if attribute.computed || attribute.unset == Unset::Server => from_live.unwrap_or(Value::Unknown),
            _ => continue,
        };
        if !value.is_null() {
            out.insert(attribute.name.clone(), value);
        }
    }
    Value::Map(out)
}

/// Whether a live value is what leaving an attribute out can mean beside the default that is desired.
fn is_default_too(attribute: &Attribute, desired: &Value, live: &Value) -> bool {
    let (Some(or), Unset::Default(default)) = (&attribute.or, &attribute.unset) else { return false };
    of_type(&attribute.ty, or) == *live && of_type(&attribute.ty, default) == *desired
}

/// A KMS key: the one that there is, where what is written may be a name of it.
fn complete_key(desired: &Value, live: Option<&Value>) -> Value {
    match (desired, desired.as_str(), live.map(Value::revealed)) {
        (Value::Secret(inner), ..) => complete_key(inner, live).into_secret(),
        (_, Some(name), Some(Value::String(key))) if may_name(name, key) => Value::string(key),
        _ => desired.clone(),
    }
}

/// A value of a type as it will be: what is desired, with AWS's part from the live one.
pub(super) fn complete_value(ty: &Type, desired: &Value, live: Option<&Value>) -> Value {
    match (ty, desired) {
        (Type::Object(attributes), Value::Map(_)) => complete(attributes, desired, live.filter(|live| live.as_map().is_some())),
        (Type::List { item, order }, Value::List(items)) => {
            let live_items = live.and_then(Value::as_list).unwrap_or_default();
            let complete_item = |(index, value): (usize, &Value)| match order {
                // A member of a set is the live one when it becomes it by taking over AWS's part.
                Order::Set => live_items
                    .iter()
                    .map(|live| (live, complete_value(item, value, Some(live))))
                    .find(|(live, completed)| *completed == **live)
                    .map_or_else(|| complete_value(item, value, None), |(_, completed)| completed),
                _ => complete_value(item, value, counterpart(order, index, value, live_items)),
            };
            Value::List(items.iter().enumerate().map(complete_item).collect())
        }
        (Type::Map { item, defaults }, Value::Map(map)) => {
            let given = map.iter().map(|(key, value)| (key.clone(), complete_value(item, value, live.and_then(|live| live.get(key)))));
            // Where AWS fills in entries, those leoctl has no default of are AWS's own.
            let foreign = live.and_then(Value::as_map).into_iter().flatten();
            let foreign = foreign.filter(|(key, _)| !defaults.is_empty() && !defaults.contains_key(*key) && !map.contains_key(*key));
            Value::Map(given.chain(foreign.map(|(key, value)| (key.clone(), value.clone()))).collect())
        }
        (_, Value::Secret(inner)) => complete_value(ty, inner, live).into_secret(),
        _ => desired.clone(),
    }
}

/// Every difference between two canonical values of a resource; what AWS computes is not compared.
pub fn diff(attributes: &[Attribute], before: &Value, after: &Value) -> Vec<AttributeChange> {
    let mut changes = Vec::new();
    Differ { changes: &mut changes }.object(attributes, before, after, At { path: &Path::default(), forces: false, sensitive: false });
    changes
}

/// Where two values are compared, and what holds there.
#[derive(Clone, Copy)]
struct At<'p> {
    path: &'p Path,
    /// Whether a difference replaces the resource.
    forces: bool,
    /// Whether a difference is never shown.
    sensitive: bool,
}

struct Differ<'a> {
    changes: &'a mut Vec<AttributeChange>,
}

impl Differ<'_> {
    fn object(&mut self, attributes: &[Attribute], before: &Value, after: &Value, at: At<'_>) {
        for attribute in attributes.iter().filter(|attribute| !attribute.computed) {
            let so_far = self.changes.len();
            let path = at.path.join(Segment::field(&attribute.name));
            let (before, after) = (before.get(&attribute.name), after.get(&attribute.name));
            let forces = at.forces || attribute.replace || appears_fixed(&attribute.ty, before, after);
            self.value(&attribute.ty, before, after, At { path: &path, forces, sensitive: at.sensitive || attribute.sensitive });
            for change in self.changes.iter_mut().skip(so_far) {
                change.server_chosen |= attribute.unset == Unset::Server;
            }
        }
    }

    fn value(&mut self, ty: &Type, before: Option<&Value>, after: Option<&Value>, at: At<'_>) {
        let before = before.filter(|value| !value.is_null());
        let after = after.filter(|value| !value.is_null());
        if before == after {
            return;
        }
        if let (Some(from), Some(to)) = (before, after) {
            let hidden = Sides { from: is_secret(from), to: is_secret(to) };
            match (ty, from.revealed(), to.revealed()) {
                (Type::Object(attributes), from @ Value::Map(_), to @ Value::Map(_)) => {
                    return self.object(attributes, from, to, At { sensitive: at.sensitive || hidden.either(), ..at });
                }
                (Type::Map { item, .. }, Value::Map(from), Value::Map(to)) => return self.map(item, (from, to), hidden, at),
                (Type::List { item, order }, Value::List(from), Value::List(to)) => return self.list(item, order, (from, to), hidden, at),
                // AWS returns it without the password.
                (Type::String(TextRule { format: Some(Format::MaskedUrl), .. }), Value::String(from), Value::String(to))
                    if *from == masked_url(to) =>
                {
                    return;
                }
                _ => {}
            }
        }
        self.changes.push(AttributeChange {
            path: at.path.clone(),
            before: before.cloned(),
            after: after.cloned(),
            forces_replacement: at.forces,
            sensitive: at.sensitive || [before, after].into_iter().flatten().any(is_secret),
            document: matches!(ty, Type::Document(_)),
            server_chosen: false,
        });
    }

    /// The entries of two tables. A key is shown when a side shows it.
    fn map(&mut self, item: &Type, (from, to): (&BTreeMap<String, Value>, &BTreeMap<String, Value>), hidden: Sides, at: At<'_>) {
        let mut names = Names::default();
        for key in from.keys().chain(to.keys().filter(|key| !from.contains_key(*key))) {
            let (before, after) = (from.get(key), to.get(key));
            if before == after {
                continue;
            }
            let secret = at.sensitive || before.is_none_or(|_| hidden.from) && after.is_none_or(|_| hidden.to);
            let path = at.path.join(names.segment(secret, || Segment::field(key)));
            self.entry(item, (before, after), hidden, At { path: &path, ..at });
        }
    }

    fn list(&mut self, item: &Type, order: &Order, (from, to): (&[Value], &[Value]), hidden: Sides, at: At<'_>) {
        if *order == Order::Sequence {
            for index in 0..from.len().max(to.len()) {
                let path = at.path.join(Segment::Index(index));
                self.entry(item, (from.get(index), to.get(index)), hidden, At { path: &path, ..at });
            }
            return;
        }
        // What is not known yet is none of the others: each has a place of its own.
        let name = |(index, value): (usize, &Value)| match is_name_unknown(order, value) {
            true => (format!("{}{index}", element_name(order, value)), value.clone()),
            false => (element_name(order, value), value.clone()),
        };
        let named = |items: &[Value]| items.iter().enumerate().map(name).collect::<Vec<_>>();
        let (from, to) = (named(from), named(to));
        let find = |items: &[(String, Value)], name: &str| items.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        // An element with another key is another element: what its key forces, its coming and going does.
        let key_forces = |key: &String| matches!(item, Type::Object(of) if of.iter().any(|one| one.name == *key && one.replace));
        let other = at.forces || matches!(order, Order::Keyed(key) if key_forces(key));
        let kept = from.iter().map(|(name, value)| (name, Some(value.clone()), find(&to, name)));
        let is_new = |name: &str| !from.iter().any(|(known, _)| known == name);
        let new = to.iter().filter(|(name, _)| is_new(name)).map(|(name, value)| (name, None, Some(value.clone())));
        let mut names = Names::default();
        for (name, before, after) in kept.chain(new).filter(|(_, before, after)| before != after) {
            // A name is shown when a side shows it.
            let hides = |value: &Option<Value>, hidden: bool| value.as_ref().is_none_or(|value| hidden || is_name_secret(order, value));
            let secret = at.sensitive || hides(&before, hidden.from) && hides(&after, hidden.to);
            let unknown = after.as_ref().is_some_and(|after| is_name_unknown(order, after));
            let path = at.path.join(if unknown { names.unknown() } else { names.segment(secret, || Segment::element(name)) });
            let forces = if before.is_some() && after.is_some() { at.forces } else { other };
            self.entry(item, (before.as_ref(), after.as_ref()), hidden, At { path: &path, forces, ..at });
        }
    }

    /// An element or entry of a collection, which is secret where the collection is.
    fn entry(&mut self, item: &Type, (before, after): (Option<&Value>, Option<&Value>), hidden: Sides, at: At<'_>) {
        let of = |value: &Value, hidden: bool| if hidden { value.clone().into_secret() } else { value.clone() };
        let (before, after) = (before.map(|value| of(value, hidden.from)), after.map(|value| of(value, hidden.to)));
        self.value(item, before.as_ref(), after.as_ref(), at);
    }
}

/// Which of two values is secret as a whole.
#[derive(Clone, Copy)]
struct Sides {
    from: bool,
    to: bool,
}

impl Sides {
    fn either(self) -> bool {
        self.from || self.to
    }
}

/// Whether a table comes or goes as a whole with something in it that only a replacement changes.
fn appears_fixed(ty: &Type, before: Option<&Value>, after: Option<&Value>) -> bool {
    let there = |value: Option<&'_ Value>| value.is_some_and(|value| !value.is_null());
    match (before.filter(|_| there(before)), after.filter(|_| there(after))) {
        (Some(only), None) | (None, Some(only)) => has_fixed(ty, only.revealed()),
        _ => false,
    }
}

fn has_fixed(ty: &Type, value: &Value) -> bool {
    let Type::Object(attributes) = ty else { return false };
    let fixed = |attribute: &Attribute, value: &Value| attribute.replace || has_fixed(&attribute.ty, value.revealed());
    let set = attributes.iter().filter(|attribute| !attribute.computed);
    set.filter_map(|attribute| Some((attribute, value.get(&attribute.name)?)))
        .any(|(attribute, value)| !matches!(value, Value::Null | Value::Unknown) && fixed(attribute, value))
}

fn is_secret(value: &Value) -> bool {
    matches!(value, Value::Secret(_))
}

/// What the elements of one collection are called in paths.
#[derive(Default)]
struct Names {
    hidden: usize,
    unknown: usize,
}

impl Names {
    /// The segment of the next element whose name is not known yet.
    fn unknown(&mut self) -> Segment {
        self.unknown += 1;
        Segment::Unknown(self.unknown)
    }

    /// The segment of the next element: `shown`, or a number when that would show a secret.
    fn segment(&mut self, secret: bool, shown: impl FnOnce() -> Segment) -> Segment {
        if !secret {
            return shown();
        }
        self.hidden += 1;
        Segment::Hidden(self.hidden)
    }
}

/// `value` with everything at `paths` as it is in `live`: what `ignore_changes` asks for.
pub fn ignore(value: &Value, live: &Value, paths: &[Path]) -> Value {
    paths.iter().fold(value.clone(), |value, path| restore(value, live, &path.0))
}

/// `live`, secret wherever `like` is. Elements of lists go by their names; one that `like` has not is secret whole.
fn veiled(live: &Value, like: &Value) -> Value {
    match (live, like) {
        (_, like) if !like.has_secret() => live.clone(),
        (Value::Map(map), Value::Map(like)) => {
            let veil =
                |(key, value): (&String, &Value)| (key.clone(), like.get(key).map_or_else(|| value.clone(), |like| veiled(value, like)));
            Value::Map(map.iter().map(veil).collect())
        }
        (Value::List(items), Value::List(likes)) => {
            let same = |item: &Value, like: &Value| item.get("name").is_some_and(|name| like.get("name") == Some(name));
            let veil = |item: &Value| match likes.iter().find(|like| same(item, like)) {
                Some(like) => veiled(item, like),
                None => item.clone().into_secret(),
            };
            Value::List(items.iter().map(veil).collect())
        }
        _ => live.clone().into_secret(),
    }
}

fn restore(value: Value, live: &Value, path: &[Segment]) -> Value {
    let Some((segment, rest)) = path.split_first() else {
        // What was to be secret is not shown for being left as it is.
        return veiled(live, &value);
    };
    match (value, segment) {
        (Value::Secret(inner), _) => restore(*inner, live, path).into_secret(),
        (Value::Map(mut map), Segment::Name(name)) => {
            let name = name.as_str();
            let was = live.get(name).cloned().unwrap_or(Value::Null);
            let is = map.remove(name).unwrap_or(Value::Null);
            let restored = restore(is, &was, rest);
            if !restored.is_null() {
                map.insert(name.to_owned(), restored);
            }
            Value::Map(map)
        }
        (Value::List(items), segment) => {
            let live = live.as_list().and_then(|live| live.get(position(live, segment)?));
            let place = position(&items, segment);
            Value::List(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(at, item)| match live {
                        Some(live) if Some(at) == place => restore(item, live, rest),
                        _ => item,
                    })
                    .collect(),
            )
        }
        (value, _) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::schema::TypeSchema;

    #[test]
    fn what_is_left_as_it_is_is_secret_where_it_was_to_be() {
        let container = |name: &str, token: Value| {
            let fields = [("name".to_owned(), Value::string(name)), ("token".to_owned(), token)];
            Value::Map(fields.into())
        };
        let all = |containers| Value::Map([("containers".to_owned(), Value::List(containers))].into());
        let desired = all(vec![container("web", Value::string("new").into_secret()), container("log", Value::string("x"))]);
        let live = all(vec![container("log", Value::string("y")), container("web", Value::string("old"))]);
        let left = ignore(&desired, &live, &[Path::attribute("containers")]);
        let secret = [container("log", Value::string("y")), container("web", Value::string("old").into_secret())];
        let containers = left.get("containers").and_then(Value::as_list).unwrap();
        assert_eq!(format!("{containers:?}"), format!("{secret:?}"));
    }

    #[test]
    fn members_that_are_not_known_yet_are_told_apart_and_have_no_made_up_name() {
        let members = json!({ "type": "array", "items": { "type": "string" }, "x-set": true });
        let schema = TypeSchema::compile("t", &json!({ "type": "object", "properties": { "members": members } })).unwrap();
        let set = |members: Vec<Value>| Value::Map([("members".to_owned(), Value::List(members))].into());
        let changes = diff(&schema.attributes, &set(vec![Value::string("a")]), &set(vec![Value::Unknown, Value::Unknown]));
        let paths: Vec<String> = changes.iter().map(|change| change.path.to_string()).collect();
        assert_eq!(paths, [r#"members["a"]"#, "members[unknown 1]", "members[unknown 2]"]);
        for path in paths {
            assert_eq!(Path::parse(&path).unwrap().to_string(), path);
        }
    }

    #[test]
    fn what_aws_makes_of_leaving_out_stays_and_what_it_says_for_none_is_none() {
        let port = json!({ "type": "integer", "x-none": -1 });
        let list = json!({ "type": "array", "items": { "type": "string" }, "x-set": true, "default": ["v4"], "x-or": ["v6", "v4"] });
        let schema = TypeSchema::compile("t", &json!({ "type": "object", "properties": { "out": list, "port": port } })).unwrap();
        let canonical = |json: serde_json::Value| crate::model::canonical::canonicalize(&schema.attributes, &Value::from(json));
        let changes = |desired: serde_json::Value, live: serde_json::Value| {
            let (desired, live) = (canonical(desired), canonical(live));
            diff(&schema.attributes, &live, &complete(&schema.attributes, &desired, Some(&live))).len()
        };
        assert_eq!(changes(json!({}), json!({ "out": ["v4", "v6"], "port": -1 })), 0);
        assert_eq!(changes(json!({ "port": -1 }), json!({ "out": ["v4"] })), 0);
        assert_eq!(changes(json!({ "out": ["v6"] }), json!({ "out": ["v4", "v6"] })), 1);
        assert_eq!(changes(json!({}), json!({ "out": ["v4", "other"] })), 1);
        assert_eq!(changes(json!({ "port": 0 }), json!({ "out": ["v4"], "port": -1 })), 1);
    }

    #[test]
    fn an_empty_list_is_what_aws_answers_with_none() {
        let list = json!({ "type": "array", "items": { "type": "string" }, "x-server": true });
        let schema = TypeSchema::compile("t", &json!({ "type": "object", "properties": { "list": list } })).unwrap();
        let changes = |desired: serde_json::Value, live: serde_json::Value| {
            let live = Value::from(live);
            diff(&schema.attributes, &live, &complete(&schema.attributes, &Value::from(desired), Some(&live))).len()
        };
        assert_eq!(changes(json!({ "list": [] }), json!({})), 0);
        assert_eq!(changes(json!({ "list": [] }), json!({ "list": ["a"] })), 1);
        assert_eq!(changes(json!({}), json!({ "list": ["a"] })), 0);
    }

    #[test]
    fn a_table_that_comes_or_goes_with_something_fixed_in_it_replaces() {
        let table =
            json!({ "type": "object", "properties": { "key": { "type": "string", "x-replace": true }, "on": { "type": "boolean" } } });
        let schema = TypeSchema::compile("t", &json!({ "type": "object", "properties": { "table": table } })).unwrap();
        let replaces = |before: serde_json::Value, after: serde_json::Value| {
            let changes = diff(&schema.attributes, &Value::from(before), &Value::from(after));
            assert_eq!(changes.len(), 1);
            changes.iter().any(|change| change.forces_replacement)
        };
        let (with, without) = (|| json!({ "table": { "key": "k", "on": true } }), || json!({ "table": { "on": true } }));
        assert!(replaces(json!({}), with()) && replaces(with(), json!({})) && replaces(without(), with()));
        assert!(!replaces(json!({}), without()));
    }

    #[test]
    fn a_masked_password_is_no_difference() {
        let url = json!({ "type": "string", "x-replace": true, "x-format": "masked-url" });
        let schema = TypeSchema::compile("t", &json!({ "type": "object", "properties": { "url": url } })).unwrap();
        let differs = |live: &str, wanted: Value| {
            let of = |url: Value| Value::Map([("url".to_owned(), url)].into());
            !diff(&schema.attributes, &of(Value::string(live)), &of(wanted)).is_empty()
        };
        let written = || Value::string("https://user:secret@example.org/");
        assert!(
            !differs("https://user:****@example.org/", written()) && !differs("https://user:****@example.org/", written().into_secret())
        );
        assert!(differs("https://user:****@example.org/other", written()) && differs("https://user@example.org/", written()));
    }
}
