//! Where a value stands in a stack's files.

use crate::model::path::{Path, Segment};
use crate::model::schema::{Attribute, Order, Type};
use crate::stack::diagnostic::Span;
use crate::stack::template::{Template, TemplateKind};

use super::named;

/// Where the deepest part of a path stands that a block says; none where it does not even say the attribute.
pub(super) fn stands<'a>(block: &'a Template, attributes: &[Attribute], path: &Path) -> Option<&'a Span> {
    let mut span = None;
    let mut here = block;
    let mut ty = Type::Object(attributes.to_vec());
    for segment in &path.0 {
        let next = match (&here.kind, &ty, segment) {
            (TemplateKind::Table(fields), _, Segment::Name(name)) => fields.get(name.as_str()).map(|field| &field.value),
            (TemplateKind::List(items), Type::List { order, .. }, segment) => element(items, order, segment),
            _ => None,
        };
        let Some(next) = next else { break };
        ty = within(&ty, segment);
        span = Some(&next.span);
        here = next;
    }
    span
}

fn element<'a>(items: &'a [Template], order: &Order, segment: &Segment) -> Option<&'a Template> {
    match (order, segment) {
        (Order::Sequence, Segment::Index(index)) => items.get(*index),
        (Order::Keyed(key), Segment::Name(name)) => items.iter().find(|item| {
            let literal = item.as_table().and_then(|fields| fields.get(key)).map(|field| &field.value.kind);
            matches!(literal, Some(TemplateKind::Literal(value)) if value.as_str() == Some(name.as_str()))
        }),
        _ => None,
    }
}

/// The type of what one step of a path leads to.
pub(super) fn within(ty: &Type, segment: &Segment) -> Type {
    match (ty, segment) {
        (Type::Object(attributes), Segment::Name(name)) => {
            named(attributes, name.as_str()).map_or_else(|| ty.clone(), |attribute| attribute.ty.clone())
        }
        (Type::List { item, .. } | Type::Map { item, .. }, _) => (**item).clone(),
        _ => ty.clone(),
    }
}
