//! What a stack file wrote of a resource and does not write any more. Where a change of a type takes away what it does not say
//! (`ResourceSchema::takes_away`), that leaves AWS, at whatever depth; what AWS filled in by itself and nobody wrote stays.

use crate::model::base64::sha256;
use crate::model::canonical::{counterpart, element_name, is_name_secret, is_name_unknown};
use crate::model::path::{Path, Segment};
use crate::model::schema::{Attribute, Order, ResourceSchema, Type, Unset};
use crate::model::state::Remembered;
use crate::model::value::Value;
use crate::plan::diff::{complete, complete_value};
use std::collections::{BTreeMap, BTreeSet};

/// The paths of everything that is written in canonical attributes: of tables what is in them, and an empty table itself.
pub fn authored(attributes: &[Attribute], written: &Value) -> Vec<Path> {
    let mut found = Vec::new();
    table(attributes, written, &Path::default(), &mut found);
    found
}

fn table(attributes: &[Attribute], written: &Value, path: &Path, found: &mut Vec<Path>) {
    for attribute in attributes.iter().filter(|attribute| !attribute.computed) {
        if let Some(value) = present(written, &attribute.name) {
            collect(&attribute.ty, value, &path.join(Segment::field(&attribute.name)), found);
        }
    }
}

fn collect(ty: &Type, written: &Value, path: &Path, found: &mut Vec<Path>) {
    match (ty, written) {
        (Type::Object(attributes), Value::Map(map)) if !map.is_empty() => table(attributes, written, path, found),
        (Type::Map { item, .. }, Value::Map(map)) if !map.is_empty() && has_tables(item) => {
            map.iter().for_each(|(key, value)| collect(item, value, &path.join(Segment::field(key)), found));
        }
        (Type::List { item, order }, Value::List(items)) if !items.is_empty() && has_tables(item) => match segments(order, items) {
            Some(segments) => {
                let elements = segments.into_iter().zip(items);
                elements.for_each(|(segment, value)| collect(item, value, &path.join(segment), found));
            }
            None => found.push(path.clone()),
        },
        _ => found.push(path.clone()),
    }
}

/// The step that leads to each element of a list; none where one is not known or not to be shown.
fn segments(order: &Order, items: &[Value]) -> Option<Vec<Segment>> {
    let segment = |(index, item): (usize, &Value)| match order {
        Order::Sequence => Some(Segment::Index(index)),
        Order::Set => Some(member(item)),
        Order::Keyed(_) if is_name_secret(order, item) || is_name_unknown(order, item) => None,
        Order::Keyed(_) => Some(Segment::element(element_name(order, item))),
    };
    items.iter().enumerate().map(segment).collect()
}

/// The step that leads to a member of a set of tables: a hash of what is written of it, as it has no name. What is secret in it is
/// no part of that.
fn member(written: &Value) -> Segment {
    let written = match written.has_unknown() {
        true => String::new(),
        false => written.to_public_json(&|_| serde_json::Value::Null).to_string(),
    };
    Segment::element(sha256(&written).chars().take(12).collect::<String>())
}

/// Whether a type has tables with known keys, of which AWS may fill in some.
fn has_tables(ty: &Type) -> bool {
    match ty {
        Type::Object(_) => true,
        Type::List { item, .. } | Type::Map { item, .. } => has_tables(item),
        _ => false,
    }
}

fn present<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name).filter(|value| !value.is_null())
}

/// What a resource will be: what is desired, with AWS's part from the live one, but for what was written once (`saved`) and is
/// not any more, and for what cannot be there together with what is desired.
pub fn completed(schema: &ResourceSchema, desired: &Value, live: &Value, saved: Option<&Remembered>) -> Value {
    let attributes = &schema.schema.attributes;
    if !schema.takes_away {
        return complete(attributes, desired, Some(live));
    }
    let was = Was { authored: saved.map(|saved| saved.authored.as_slice()).unwrap_or_default() };
    let remembered = saved.map_or(Value::Null, |saved| Value::from(&saved.attributes));
    let kept = was.kept(Table { attributes, live, desired, remembered: &remembered, path: &Path::default() });
    let completed = complete(attributes, desired, Some(&kept));
    was.marked(attributes, completed, desired, &remembered, &Path::default())
}

/// What was written at the last apply.
struct Was<'a> {
    authored: &'a [Path],
}

/// A live table, what is desired of it and what was remembered of it.
#[derive(Clone, Copy)]
struct Table<'a> {
    attributes: &'a [Attribute],
    live: &'a Value,
    desired: &'a Value,
    remembered: &'a Value,
    path: &'a Path,
}

impl Was<'_> {
    /// Whether something at a path, or in it, was written.
    fn has(&self, path: &Path) -> bool {
        self.authored.iter().any(|authored| authored.starts_with(path))
    }

    /// A live table without what leaves it.
    fn kept(&self, of: Table<'_>) -> Value {
        let Value::Map(map) = of.live else { return of.live.clone() };
        let exchanged = self.is_exchanged(of);
        let stays = map.iter().filter_map(|(name, value)| {
            let attribute = of.attributes.iter().find(|attribute| attribute.name == *name && !attribute.computed);
            let kept = match (attribute, present(of.desired, name)) {
                (Some(attribute), None) if self.leaves(of, attribute, exchanged) => return None,
                (Some(attribute), Some(desired)) => {
                    let remembered = of.remembered.get(name).unwrap_or(&Value::Null);
                    self.inside(&attribute.ty, value, desired, remembered, &of.path.join(Segment::field(name)))
                }
                (None, _) | (Some(_), None) => value.clone(),
            };
            Some((name.clone(), kept))
        });
        Value::Map(stays.collect())
    }

    /// Whether something that is not desired leaves a table: it was written there, or it cannot be there with what is desired
    /// instead. What only a replacement takes away stays.
    fn leaves(&self, of: Table<'_>, attribute: &Attribute, exchanged: bool) -> bool {
        let taken_away = !attribute.replace && self.has(&of.path.join(Segment::field(&attribute.name)));
        let mut excluding = attribute.excludes.iter();
        let excluded = excluding.any(|other| present(of.desired, other).is_some() && present(of.live, other).is_none());
        let put_there = exchanged && present(of.remembered, &attribute.name).is_none();
        attribute.unset == Unset::Server && (taken_away || excluded || put_there)
    }

    /// Whether something that was written in a table, and is still desired, is not in it any more: then what else is new there
    /// was put in its place.
    fn is_exchanged(&self, of: Table<'_>) -> bool {
        let is_lost = |attribute: &Attribute| {
            let there = |value| present(value, &attribute.name).is_some();
            let lost = there(of.desired) && there(of.remembered) && !there(of.live) && !attribute.local;
            lost && self.has(&of.path.join(Segment::field(&attribute.name)))
        };
        !of.path.0.is_empty() && of.attributes.iter().any(is_lost)
    }

    fn inside(&self, ty: &Type, live: &Value, desired: &Value, remembered: &Value, path: &Path) -> Value {
        match (ty, live, desired.revealed()) {
            (_, Value::Secret(inner), _) => self.inside(ty, inner, desired, remembered, path).into_secret(),
            (Type::Object(attributes), Value::Map(_), Value::Map(_)) => {
                self.kept(Table { attributes, live, desired: desired.revealed(), remembered, path })
            }
            (Type::Map { item, .. }, Value::Map(map), Value::Map(wanted)) => {
                let null = Value::Null;
                let entry = |(key, value): (&String, &Value)| {
                    let kept = wanted.get(key).map_or_else(
                        || value.clone(),
                        |wanted| self.inside(item, value, wanted, remembered.get(key).unwrap_or(&null), &path.join(Segment::field(key))),
                    );
                    (key.clone(), kept)
                };
                Value::Map(map.iter().map(entry).collect::<BTreeMap<_, _>>())
            }
            (Type::List { item, order: Order::Set }, Value::List(items), Value::List(wanted)) if has_tables(item) => {
                Value::List(items.iter().map(|live| self.member(item, live, wanted, path)).collect())
            }
            (Type::List { item, order: Order::Sequence }, Value::List(items), Value::List(wanted)) if has_tables(item) => {
                let before = remembered.as_list().unwrap_or_default();
                let element = |(wanted, paired): (&Value, Option<usize>)| {
                    let Some((index, live)) = paired.and_then(|index| Some((index, items.get(index)?))) else { return Value::Null };
                    self.inside(item, live, wanted, before.get(index).unwrap_or(&Value::Null), &path.join(Segment::Index(index)))
                };
                Value::List(wanted.iter().zip(pairs(item, items, wanted)).map(element).collect())
            }
            (Type::List { item, order }, Value::List(items), Value::List(wanted)) if has_tables(item) => {
                let Some(segments) = segments(order, items) else { return live.clone() };
                let before = remembered.as_list().unwrap_or_default();
                let element = |(index, (value, segment)): (usize, (&Value, Segment))| match counterpart(order, index, value, wanted) {
                    Some(wanted) => {
                        let remembered = counterpart(order, index, value, before).unwrap_or(&Value::Null);
                        self.inside(item, value, wanted, remembered, &path.join(segment))
                    }
                    None => value.clone(),
                };
                Value::List(items.iter().zip(segments).enumerate().map(element).collect())
            }
            _ => live.clone(),
        }
    }

    /// A live member of a set without what leaves it, where it is one of the wanted ones. One that was not written so before was
    /// one of those that are not written any more.
    fn member(&self, item: &Type, live: &Value, wanted: &[Value], path: &Path) -> Value {
        let known = |wanted: &Value| self.has(&path.join(member(wanted)));
        let gone = || self.members(path).into_iter().filter(|one| !wanted.iter().any(|wanted| member(wanted) == *one));
        let kept = |wanted: &Value| match known(wanted) {
            true => live.clone(),
            false => gone().fold(live.clone(), |kept, one| self.inside(item, &kept, wanted, &Value::Null, &path.join(one))),
        };
        let same = wanted.iter().filter(|wanted| complete_value(item, wanted, Some(live)) == *live);
        let kept: Vec<Value> = same.map(kept).collect();
        let whole = kept.iter().find(|kept| **kept == *live);
        whole.or(kept.first()).unwrap_or(live).clone()
    }

    /// The members of a set that were written.
    fn members(&self, path: &Path) -> Vec<Segment> {
        let inside = self.authored.iter().filter(|authored| authored.starts_with(path));
        let mut members: Vec<Segment> = inside.filter_map(|authored| authored.0.get(path.0.len()).cloned()).collect();
        members.dedup();
        members
    }

    /// Tables that are desired empty, put where completing takes them for none: that there is one may be all they say. One that
    /// was written before and that AWS did not show then is none.
    fn marked(&self, attributes: &[Attribute], completed: Value, desired: &Value, remembered: &Value, path: &Path) -> Value {
        let Value::Map(mut map) = completed else { return completed };
        for attribute in attributes.iter().filter(|attribute| !attribute.computed) {
            let Some(wanted) = present(desired, &attribute.name) else { continue };
            let path = path.join(Segment::field(&attribute.name));
            let before = remembered.get(&attribute.name).unwrap_or(&Value::Null);
            match map.remove(&attribute.name) {
                Some(value) => drop(map.insert(attribute.name.clone(), self.marked_inside(&attribute.ty, value, wanted, before, &path))),
                None if is_mark(&attribute.ty, wanted) && (!before.is_null() || !self.has(&path)) => {
                    map.insert(attribute.name.clone(), wanted.clone());
                }
                None => {}
            }
        }
        Value::Map(map)
    }

    fn marked_inside(&self, ty: &Type, completed: Value, desired: &Value, remembered: &Value, path: &Path) -> Value {
        match (ty, completed, desired) {
            (Type::Object(attributes), completed @ Value::Map(_), Value::Map(_)) => {
                self.marked(attributes, completed, desired, remembered, path)
            }
            // Elements are completed in their order.
            (Type::List { item, order }, Value::List(items), Value::List(wanted)) if has_tables(item) => {
                let Some(segments) = segments(order, wanted) else { return Value::List(items) };
                let before = remembered.as_list().unwrap_or_default();
                let element = |(index, ((value, wanted), segment)): (usize, ((Value, &Value), Segment))| {
                    let remembered = counterpart(order, index, wanted, before).unwrap_or(&Value::Null);
                    self.marked_inside(item, value, wanted, remembered, &path.join(segment))
                };
                Value::List(items.into_iter().zip(wanted).zip(segments).enumerate().map(element).collect())
            }
            (_, completed, _) => completed,
        }
    }
}

/// Which live element each of the wanted ones of a list is, by its position: the one that it becomes by taking over AWS's part, or
/// else the one in its place; none where that is another one's.
fn pairs(item: &Type, live: &[Value], wanted: &[Value]) -> Vec<Option<usize>> {
    let same = |wanted: &Value, live: &Value| complete_value(item, wanted, Some(live)) == *live;
    let in_place = |(index, wanted): (usize, &Value)| Some(index).filter(|_| live.get(index).is_some_and(|live| same(wanted, live)));
    let mut pairs: Vec<Option<usize>> = wanted.iter().enumerate().map(in_place).collect();
    let mut taken: BTreeSet<usize> = pairs.iter().flatten().copied().collect();
    for (pair, wanted) in pairs.iter_mut().zip(wanted).filter(|(pair, _)| pair.is_none()) {
        let moved = live.iter().enumerate().find(|(at, live)| !taken.contains(at) && same(wanted, live));
        *pair = moved.map(|(at, _)| at);
        taken.extend(*pair);
    }
    let changed = pairs.iter_mut().enumerate().filter(|(index, pair)| pair.is_none() && *index < live.len() && !taken.contains(index));
    changed.for_each(|(index, pair)| *pair = Some(index));
    pairs
}

/// Whether a value is an empty table of a kind of which there is one or none.
fn is_mark(ty: &Type, value: &Value) -> bool {
    matches!((ty, value), (Type::Object(_) | Type::Document(_), Value::Map(map)) if map.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::model::canonical::canonicalize;
    use crate::model::place::Place;
    use crate::model::schema::TypeSchema;
    use crate::model::state::Guard;
    use crate::plan::diff::diff;

    /// A type with a table of which one member is there (`action`), one with plain members (`log`), and lists of such tables.
    fn schema() -> ResourceSchema {
        let text = || json!({ "type": "string", "x-server": true });
        let object = |properties: Json| json!({ "type": "object", "x-server": true, "properties": properties });
        let empty = || object(json!({ "code": text() }));
        let action = || object(json!({ "allow": empty(), "block": empty() }));
        let rule = || object(json!({ "name": text(), "action": action(), "note": text() }));
        let list = |more: (&str, Json)| json!({ "type": "array", "x-server": true, "items": rule(), more.0: more.1 });
        let schema = json!({ "type": "object", "properties": {
            "action": action(),
            "log": object(json!({ "bucket": text(), "prefix": text() })),
            "rules": list(("x-set", json!(false))),
            "keyed": list(("x-key", json!("name"))),
            "set": list(("x-set", json!(true))),
            "fixed": { "type": "string", "x-server": true, "x-replace": true },
        } });
        ResourceSchema { takes_away: true, ..ResourceSchema::plain(TypeSchema::compile("t", &schema).unwrap()) }
    }

    fn value(schema: &ResourceSchema, json: Json) -> Value {
        canonicalize(&schema.schema.attributes, &Value::from(json))
    }

    /// What changes of a resource that was applied as `before`, of which AWS then said `saved` and says `live` now.
    fn changes(before: Json, saved: &Json, live: &Json, desired: Json) -> Vec<String> {
        let schema = schema();
        let attributes = &schema.schema.attributes;
        let remembered = Remembered {
            place: Place { type_name: "t".to_owned(), account: String::new(), region: String::new(), id: "i".to_owned() },
            attributes: value(&schema, saved.clone()).to_json().unwrap(),
            authored: authored(attributes, &value(&schema, before)),
            sensitive: Vec::new(),
            depends_on: Vec::new(),
            guard: Guard::default(),
            incomplete: false,
            updating: Vec::new(),
        };
        let live = value(&schema, live.clone());
        let after = completed(&schema, &value(&schema, desired), &live, Some(&remembered));
        let sign = |before: bool, after: bool| match (before, after) {
            (true, true) => '~',
            (true, false) => '-',
            _ => '+',
        };
        let changes = diff(attributes, &live, &after);
        changes.iter().map(|change| format!("{} {}", sign(change.before.is_some(), change.after.is_some()), change.path)).collect()
    }

    /// The same of one that AWS has as it said last.
    fn changed(before: Json, live: Json, desired: Json) -> Vec<String> {
        changes(before, &live, &live, desired)
    }

    #[test]
    fn a_table_of_which_one_member_is_there_is_switched() {
        let (allow, block) = (json!({ "action": { "allow": {} } }), json!({ "action": { "block": {} } }));
        assert_eq!(changed(allow.clone(), allow.clone(), block.clone()), ["- action.allow", "+ action.block"]);
        // Also inside of lists, however their elements are told apart.
        for (list, path) in [("rules", "rules[0]"), ("keyed", "keyed[\"r\"]")] {
            let of = |action: Json| json!({ list: [{ "name": "r", "action": action }] });
            let found = changed(of(json!({ "allow": {} })), of(json!({ "allow": { "code": "1" } })), of(json!({ "block": {} })));
            assert_eq!(found, [format!("- {path}.action.allow"), format!("+ {path}.action.block")]);
        }
    }

    #[test]
    fn what_somebody_puts_in_the_place_of_what_is_written_is_put_back() {
        let (allow, block) = (json!({ "action": { "allow": {} } }), json!({ "action": { "block": { "code": "403" } } }));
        assert_eq!(changes(allow.clone(), &allow, &block, allow.clone()), ["+ action.allow", "- action.block"]);
    }

    #[test]
    fn a_line_taken_away_at_any_depth_leaves_and_what_aws_filled_in_stays() {
        let live = json!({ "log": { "bucket": "b", "prefix": "p" }, "fixed": "x" });
        assert_eq!(changed(live.clone(), live.clone(), json!({ "log": { "bucket": "b" }, "fixed": "x" })), ["- log.prefix"]);
        assert_eq!(changed(live.clone(), live.clone(), json!({ "fixed": "x" })), ["- log"]);
        assert!(changed(json!({ "log": { "bucket": "b" } }), live.clone(), json!({ "log": { "bucket": "b" } })).is_empty());
        // Nothing is made anew for a line that is not there any more.
        assert!(changed(live.clone(), live.clone(), json!({ "log": { "bucket": "b", "prefix": "p" } })).is_empty());
    }

    #[test]
    fn an_element_that_comes_before_others_takes_over_nothing_of_theirs() {
        let live = json!({ "rules": [{ "name": "a", "note": "1" }, { "name": "b", "note": "2" }] });
        let of = |names: &[&str]| json!({ "rules": names.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>() });
        let schema = schema();
        let after = |names: &[&str]| completed(&schema, &value(&schema, of(names)), &value(&schema, live.clone()), None);
        let notes = |names: &[&str]| {
            let after = after(names);
            let rules = after.get("rules").and_then(Value::as_list).unwrap().to_vec();
            rules.iter().map(|rule| rule.get("note").and_then(Value::as_str).unwrap_or("?").to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(notes(&["a", "b"]), ["1", "2"]);
        assert_eq!(notes(&["new", "a", "b"]), ["?", "1", "2"]);
        assert_eq!(notes(&["b"]), ["2"]);
        assert_eq!(notes(&["b", "a"]), ["2", "1"]);
        // One that is changed in its place is still itself.
        assert_eq!(notes(&["a", "other"]), ["1", "2"]);
    }

    #[test]
    fn a_member_of_a_set_loses_what_was_written_of_it_and_nothing_else() {
        let live = json!({ "set": [{ "name": "a", "note": "1" }, { "name": "b", "note": "2" }] });
        let of = |note: Json| json!({ "set": [note, { "name": "b" }] });
        let with = of(json!({ "name": "a", "note": "1" }));
        assert!(changed(with.clone(), live.clone(), with.clone()).is_empty());
        let taken = |found: Vec<String>| found.iter().filter(|change| change.starts_with('-') && change.contains("\\\"1\\\"")).count() == 1;
        assert!(taken(changed(with, live.clone(), of(json!({ "name": "a" })))));
        // Also where another one has the same line.
        let both = |note: Json| json!({ "set": [note, { "name": "b", "note": "2" }] });
        assert!(taken(changed(both(json!({ "name": "a", "note": "1" })), live.clone(), both(json!({ "name": "a" })))));
        // What AWS chose may be written.
        assert!(changed(of(json!({ "name": "a" })), live.clone(), both(json!({ "name": "a", "note": "1" }))).is_empty());
        let without = of(json!({ "name": "a" }));
        assert!(changed(without.clone(), live.clone(), without).is_empty());
    }

    #[test]
    fn an_empty_table_that_aws_did_not_show_is_no_difference_and_a_new_one_is() {
        let empty = || json!({ "log": {} });
        assert!(changed(empty(), json!({}), empty()).is_empty());
        assert_eq!(changed(json!({}), json!({}), empty()), ["+ log"]);
        assert_eq!(changes(empty(), &empty(), &json!({}), empty()), ["+ log"]);
    }

    #[test]
    fn attributes_that_exclude_one_another_are_exchanged_also_where_nothing_is_remembered() {
        let mut schema = schema();
        let Some(Type::Object(members)) = schema.schema.attributes.iter_mut().find(|one| one.name == "action").map(|one| &mut one.ty)
        else {
            panic!("no table")
        };
        for (member, other) in [("allow", "block"), ("block", "allow")] {
            members.iter_mut().find(|one| one.name == member).unwrap().excludes = vec![other.to_owned()];
        }
        let live = value(&schema, json!({ "action": { "block": { "code": "1" } } }));
        let after = |desired: Json, live: &Value| completed(&schema, &value(&schema, desired), live, None).to_json().unwrap();
        let allow = || json!({ "action": { "allow": { "code": "2" } } });
        assert_eq!(after(allow(), &live), allow());
        // Where AWS returns both, both are there.
        let both = json!({ "action": { "allow": { "code": "2" }, "block": { "code": "1" } } });
        assert_eq!(after(allow(), &value(&schema, both.clone())), both);
    }
}
