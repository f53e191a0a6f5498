//! One change of a stack file's text, which keeps its comments and its layout.

use toml_edit::{Array, DocumentMut, Item, RawString, TableLike, Value as Toml};

use super::elements::{append, taken_out};
use super::place::within;
use super::written::{plain, read, toml};
use crate::model::address::Block;
use crate::model::canonical::{canonicalize, element_name, of_type};
use crate::model::path::Segment;
use crate::model::schema::{Order, Type};
use crate::model::value::Value;
use crate::plan::diff::complete_value;

/// Why a value is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// An expression gives it.
    Expression,
    /// Its block stands for several resources.
    Repeated,
    /// Its block is a module's that is used several times.
    SharedModule,
    /// It is secret.
    Secret,
    /// It is a tag of leoctl's own.
    Ownership,
    /// There is nothing that could be written.
    NoValue,
    /// Nothing in the block says what would have to go.
    NotThere,
}

impl Why {
    /// The reason, in words.
    pub(super) fn says(self) -> &'static str {
        match self {
            Self::Expression => "an expression gives it",
            Self::Repeated => "its block stands for several resources",
            Self::SharedModule => "its block is a module's that is used several times",
            Self::Secret => "it is sensitive, and leoctl writes no secret into a file",
            Self::Ownership => "leoctl knows by it whose the resource is",
            Self::NoValue => "AWS says nothing of it that could be written",
            Self::NotThere => "nothing in its block says it",
        }
    }

    /// The way out.
    pub(super) fn help(self) -> &'static str {
        match self {
            Self::Expression => "change what the expression refers to, or write the value instead of it",
            Self::Repeated => "give the block something to tell this one by, such as a value of its `for_each`",
            Self::SharedModule => "make it an input of the module, and give it where the module is used",
            Self::Secret => "set the variable or the secret that it comes from",
            Self::Ownership => "apply to set it back",
            Self::NoValue => "write it by hand, or apply to set it back",
            Self::NotThere => "change what sets it, such as `tags` of `[stack]`, or apply to set it back",
        }
    }
}

/// What is to stand there.
pub(super) struct New {
    /// The value.
    pub value: Value,
    /// Whether it is a JSON document, which may be written as text.
    pub document: bool,
}

/// The table of a block.
pub(super) fn block<'d>(document: &'d mut DocumentMut, block: &Block) -> Option<&'d mut dyn TableLike> {
    let resources = document.get_mut("resource")?.as_table_like_mut()?;
    let named = resources.get_mut(&block.type_name)?.as_table_like_mut()?;
    named.get_mut(&block.name)?.as_table_like_mut()
}

/// Puts a value at a path of a table, or takes it away.
pub(super) fn put(table: &mut dyn TableLike, ty: &Type, path: &[Segment], new: Option<&New>) -> Result<(), Why> {
    let Some((Segment::Name(name), rest)) = path.split_first() else { return Err(Why::NotThere) };
    let (name, inner) = (name.as_str(), within(ty, &Segment::field(name.as_str())));
    if !table.contains_key(name) {
        let mut value = wrapped(&inner, rest, new.ok_or(Why::NotThere)?)?;
        // In a table in braces, the space before the last one belongs to the value before it.
        let last = table.iter_mut().last().and_then(|(_, item)| item.as_value_mut());
        if let Some(decor) = last.map(Toml::decor_mut) {
            let space = decor.suffix().and_then(RawString::as_str).filter(|suffix| suffix.trim().is_empty()).unwrap_or_default().to_owned();
            if !space.is_empty() {
                decor.set_suffix("");
                value.decor_mut().set_suffix(space);
            }
        }
        table.insert(name, Item::Value(value));
        return Ok(());
    }
    let item = table.get_mut(name).ok_or(Why::NotThere)?;
    match new {
        _ if !rest.is_empty() => enter(item, &inner, rest, new),
        _ if has_expression(item) => Err(Why::Expression),
        Some(new) => replace(item, new),
        None => {
            table.remove(name);
            Ok(())
        }
    }
}

/// A value inside of tables and lists that are not there yet.
fn wrapped(ty: &Type, rest: &[Segment], new: &New) -> Result<Toml, Why> {
    let Some((segment, rest)) = rest.split_first() else { return toml(&new.value).ok_or(Why::NoValue) };
    let inner = wrapped(&within(ty, segment), rest, new)?;
    match (ty, segment) {
        (Type::Object(_) | Type::Map { .. }, Segment::Name(name)) => Ok(Toml::InlineTable([(name.as_str(), inner)].into_iter().collect())),
        (Type::List { .. }, _) if rest.is_empty() => Ok(Toml::Array([inner].into_iter().collect())),
        _ => Err(Why::NotThere),
    }
}

/// Goes on in what stands at a key.
fn enter(item: &mut Item, ty: &Type, path: &[Segment], new: Option<&New>) -> Result<(), Why> {
    if let Some(table) = item.as_table_like_mut() {
        return put(table, ty, path, new);
    }
    let (Type::List { item: of, order }, Some((segment, rest))) = (ty, path.split_first()) else { return Err(Why::Expression) };
    let of: &Type = of;
    if let Some(tables) = item.as_array_of_tables_mut() {
        let named = |table: &toml_edit::Table| name(of, order, &Toml::InlineTable(table.clone().into_inline_table()));
        let place = place(order, segment, tables.iter().map(named));
        return match (place.and_then(|place| tables.get_mut(place)), rest) {
            (Some(table), [_, ..]) => put(table, of, rest, new),
            _ => Err(Why::NotThere),
        };
    }
    match item.as_array_mut() {
        Some(array) => in_array(array, (of, order), (segment, rest), new),
        None => Err(Why::Expression),
    }
}

fn in_array(
    array: &mut Array,
    (of, order): (&Type, &Order),
    (segment, rest): (&Segment, &[Segment]),
    new: Option<&New>,
) -> Result<(), Why> {
    let found = place(order, segment, array.iter().map(|item| name(of, order, item)));
    match (found, new, rest) {
        (Some(at), _, [_, ..]) => {
            let table = array.get_mut(at).and_then(Toml::as_inline_table_mut).ok_or(Why::Expression)?;
            put(table, of, rest, new)
        }
        (Some(at), new, []) => {
            if array.get(at).is_none_or(|item| read(item).is_none()) {
                return Err(Why::Expression);
            }
            match new {
                Some(new) => {
                    let value = toml(&new.value).ok_or(Why::NoValue)?;
                    array.replace(at, value);
                }
                None => taken_out(array, at),
            }
            Ok(())
        }
        (None, Some(new), []) if fits(array, order, segment) => {
            append(array, toml(&new.value).ok_or(Why::NoValue)?);
            Ok(())
        }
        _ => Err(missing(array)),
    }
}

/// Why an element is not found: an expression may be it.
fn missing(array: &Array) -> Why {
    if array.iter().any(|item| read(item).is_none()) { Why::Expression } else { Why::NotThere }
}

/// Whether an element that is not there comes at the end of a list.
fn fits(array: &Array, order: &Order, segment: &Segment) -> bool {
    match (order, segment) {
        (Order::Sequence, Segment::Index(index)) => *index == array.len(),
        (Order::Sequence, _) => false,
        _ => true,
    }
}

/// Which element of a list a step of a path leads to.
fn place(order: &Order, segment: &Segment, names: impl Iterator<Item = Option<String>>) -> Option<usize> {
    let mut names = names;
    match (order, segment) {
        (Order::Sequence, Segment::Index(index)) => names.nth(*index).map(|_| *index),
        (Order::Set | Order::Keyed(_), Segment::Name(name)) => names.position(|known| known.as_deref() == Some(name.as_str())),
        _ => None,
    }
}

/// How an element of a list is told from others; none where an expression says it.
fn name(of: &Type, order: &Order, item: &Toml) -> Option<String> {
    if let Order::Keyed(key) = order {
        let key_of = item.as_inline_table().and_then(|table| table.get(key)).and_then(read)?;
        return Some(element_name(order, &Value::Map([(key.clone(), key_of)].into())));
    }
    let value = read(item)?;
    let canonical = match of {
        Type::Object(attributes) => canonicalize(attributes, &value),
        other => of_type(other, &value),
    };
    Some(element_name(order, &complete_value(of, &canonical, None)))
}

/// Puts a value in the place of another; the comments around it stay.
fn replace(item: &mut Item, new: &New) -> Result<(), Why> {
    let is_text = item.as_str().is_some();
    let mut value = match (&new.value, new.document && is_text) {
        (value @ (Value::Map(_) | Value::List(_)), true) => {
            let json = value.to_json().map_err(|_| Why::NoValue)?;
            Toml::from(json.to_string().replace("${", "$${"))
        }
        (value, _) => toml(value).ok_or(Why::NoValue)?,
    };
    if let Some(old) = item.as_value() {
        *value.decor_mut() = old.decor().clone();
    }
    *item = Item::Value(value);
    Ok(())
}

/// Whether an expression stands anywhere in what is written.
fn has_expression(item: &Item) -> bool {
    fn in_value(value: &Toml) -> bool {
        match value {
            Toml::String(text) => plain(text.value()).is_none(),
            Toml::Array(items) => items.iter().any(in_value),
            Toml::InlineTable(table) => table.iter().any(|(_, value)| in_value(value)),
            _ => false,
        }
    }
    match item {
        Item::None => false,
        Item::Value(value) => in_value(value),
        Item::Table(table) => table.iter().any(|(_, item)| has_expression(item)),
        Item::ArrayOfTables(tables) => tables.iter().any(|table| table.iter().any(|(_, item)| has_expression(item))),
    }
}
