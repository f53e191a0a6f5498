//! Whether an expression whose value is not known yet is of the kind that an attribute takes, and what to write instead.

use super::kind::Kind;
use crate::model::fit::described;
use crate::model::schema::{Attribute, TextRule, Type};

/// Something that is of the wrong kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What it is not, in words: `a list`.
    pub wanted: &'static str,
    /// What it is, in words.
    pub given: &'static str,
    /// Whether it is the elements that are wrong.
    pub inside: bool,
    /// What to write instead.
    pub cure: Option<String>,
}

/// Why a value of a kind cannot be one of a type; nothing when it may be. `source` is the expression it comes from.
pub fn misfit(ty: &Type, kind: &Kind<'_>, source: &str) -> Option<Misfit> {
    match (ty, kind) {
        (_, Kind::Any | Kind::Null) => None,
        (_, Kind::Either(kinds)) => kinds.iter().find_map(|kind| misfit(ty, kind, source)),
        (Type::Bool, Kind::Bool)
        // A text may be a number when it is known: then it counts as one.
        | (Type::Int { .. }, Kind::Int | Kind::Float | Kind::Text)
        | (Type::Float, Kind::Int | Kind::Float)
        | (Type::String(_), Kind::Text | Kind::Int | Kind::Bool)
        | (Type::Object(_), Kind::Object(_) | Kind::Fields(_) | Kind::Table(_))
        | (Type::Map { .. }, Kind::Object(_))
        | (Type::Document(_), Kind::Text | Kind::List(_) | Kind::Table(_) | Kind::Fields(_) | Kind::Object(_)) => None,
        (Type::List { item, .. }, Kind::List(given)) | (Type::Map { item, .. }, Kind::Table(given)) => {
            misfit(item, given, source).map(|misfit| Misfit { inside: true, cure: None, ..misfit })
        }
        (Type::Map { item, .. }, Kind::Fields(fields)) => {
            fields.values().find_map(|given| misfit(item, given, source)).map(|misfit| Misfit { inside: true, cure: None, ..misfit })
        }
        _ => Some(Misfit { wanted: described(ty), given: kind.described()?, inside: false, cure: cure(ty, kind, source) }),
    }
}

fn cure(ty: &Type, kind: &Kind<'_>, source: &str) -> Option<String> {
    match (ty, kind) {
        (Type::List { item, .. }, Kind::Table(one)) => match (item.as_ref(), one.as_ref()) {
            (Type::String(_), Kind::Object(attributes)) => Some(format!("write `${{pluck({source}, '{}')}}`", handle(attributes)?)),
            _ => Some(format!("write `${{values({source})}}`")),
        },
        (Type::List { item, .. }, Kind::Fields(_)) if matches!(item.as_ref(), Type::Object(_)) => {
            Some("each of them is a table: write `[[…]]` with two brackets, or `[{ … }]`".to_owned())
        }
        (Type::List { item, .. }, kind) => {
            let alone = misfit(item, kind, source);
            match (item.as_ref(), kind) {
                (Type::String(_), Kind::Object(attributes)) => Some(format!("write `[\"${{{source}.{}}}\"]`", handle(attributes)?)),
                _ if alone.is_none() => Some(format!("write `[\"${{{source}}}\"]`")),
                _ => None,
            }
        }
        (Type::String(_), Kind::List(_)) => {
            Some(format!("write `${{({source})[0]}}` for one of its elements, or `${{({source}).join(',')}}` for all in one text"))
        }
        (Type::String(_), Kind::Object(attributes)) => Some(format!("write `${{{source}.{}}}`", handle(attributes)?)),
        (Type::String(_), Kind::Table(one)) if matches!(one.as_ref(), Kind::Object(_)) => {
            let Kind::Object(attributes) = one.as_ref() else { return None };
            let handle = handle(attributes)?;
            Some(format!(
                "write `${{{source}['KEY'].{handle}}}` for one, `${{pluck({source}, '{handle}')}}` for the list of all, without `[…]` around it"
            ))
        }
        (Type::String(_), Kind::Fields(fields)) if fields.keys().any(|key| key == "Ref" || key.starts_with("Fn::")) => {
            Some("a reference is written `\"${vpc.main.id}\"`".to_owned())
        }
        (Type::String(rule), Kind::Fields(_)) if !rule.one_of.is_empty() => allowed(ty),
        (Type::String(_), Kind::Table(_) | Kind::Fields(_)) => Some(format!("write `${{jsonencode({source})}}` for JSON text")),
        (Type::Bool, _) => Some("write `true`, `false` or a condition such as `${x == 'y'}`".to_owned()),
        (Type::Map { .. } | Type::Object(_), _) => Some("a table is written `{ key = … }`".to_owned()),
        _ => None,
    }
}

/// The attribute by which others refer to a resource.
fn handle(attributes: &[Attribute]) -> Option<&'static str> {
    ["id", "arn"].into_iter().find(|name| attributes.iter().any(|attribute| attribute.name == *name))
}

/// What a text is one of, where it is, in words.
pub fn allowed(ty: &Type) -> Option<String> {
    let Type::String(TextRule { one_of, .. }) = ty else { return None };
    (!one_of.is_empty()).then(|| format!("allowed: {}", one_of.iter().map(|one| format!("\"{one}\"")).collect::<Vec<_>>().join(", ")))
}
