//! What is there twice: as an element of another resource's list, and as a resource of its own.

use super::Builder;
use crate::model::path::Path;
use crate::model::schema::{Attribute, Inside, Type};
use crate::model::value::Value;
use crate::plan::types::{Action, Change};
use crate::stack::diagnostic::{Code, Diagnostic};

impl Builder<'_> {
    /// Reports every resource that stands in a list of another one as well.
    pub(super) fn inside(&mut self) {
        let desired = |change: &&Change| !matches!(change.action, Action::Delete | Action::Forget);
        let found: Vec<Diagnostic> = self.changes.iter().filter(desired).flat_map(|change| self.twice(change)).collect();
        found.into_iter().for_each(|diagnostic| self.diagnostics.push(diagnostic));
    }

    fn twice(&self, change: &Change) -> Vec<Diagnostic> {
        let schema = self.catalog.resources.get(change.address.type_name());
        let places = schema.into_iter().flat_map(|schema| schema.inside);
        places.filter_map(|inside| self.twice_in(change, inside)).collect()
    }

    fn twice_in(&self, change: &Change, inside: &Inside) -> Option<Diagnostic> {
        let (name, value) = inside.when;
        change.after.get(name).filter(|written| written.as_str() == Some(value))?;
        let holder = self.changes.iter().find(|other| other.address.type_name() == inside.of && is_in(change, inside, other))?;
        // What `ignore_changes` leaves alone is somebody else's.
        let ignored = self.stack.config.resources.get(&holder.address.block).map(|block| &block.lifecycle.ignore_changes);
        let names = |paths: &[Path]| paths.iter().any(|path| path.root() == Some(inside.list));
        if ignored.is_some_and(|paths| names(paths)) {
            return None;
        }
        let list = self.catalog.resources.get(inside.of)?.schema.attribute(inside.list)?;
        let items = holder.after.get(inside.list)?.revealed().as_list()?;
        items.iter().find(|item| is_same(&list.ty, item, &change.after, inside.aside))?;
        let (address, other) = (&change.address, &holder.address);
        let error = format!("{address} and an element of `{}` of {other} are the same, and AWS allows that once", inside.list);
        Some(self.at(address, Code::SamePlace, &error).help(format!("take it out of {other}, or keep it only there")))
    }
}

/// Whether `other` is what a resource names: by its id, or by a reference to that while it is not known.
fn is_in(change: &Change, inside: &Inside, other: &Change) -> bool {
    match change.after.get(inside.by) {
        Some(Value::String(id)) => other.id() == Some(id) && other.action != Action::Replace,
        Some(Value::Unknown) => {
            let waits = change.waits_for.get(&Path::attribute(inside.by)).map(Vec::as_slice).unwrap_or_default();
            matches!(waits, [only] if *only == format!("{}.id", other.address))
        }
        _ => false,
    }
}

/// Whether an element of a list says what a resource says. What is not known is no other.
fn is_same(list: &Type, item: &Value, resource: &Value, aside: &[&str]) -> bool {
    let Type::List { item: ty, .. } = list else { return false };
    let Type::Object(attributes) = ty.as_ref() else { return false };
    let of = |value: &Value, name: &str| value.get(name).map_or(Value::Null, |value| value.revealed().clone());
    let equal = |attribute: &Attribute| {
        let (one, other) = (of(item, &attribute.name), of(resource, &attribute.name));
        !one.has_unknown() && one == other
    };
    attributes.iter().filter(|attribute| !aside.contains(&attribute.name.as_str())).all(equal)
}
