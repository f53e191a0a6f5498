//! What the stack file wants a resource to be, in canonical form: the same for planning and applying.

use std::collections::BTreeMap;

use crate::model::address::Address;
use crate::model::canonical::canonicalize;
use crate::model::module::MODULE;
use crate::model::path::Path;
use crate::model::pin::{Pins, at, put};
use crate::model::state::Remembered;
use crate::model::state::is_digest;
use crate::model::value::Value;
use crate::plan::diff::{complete, ignore};
use crate::plan::withdrawn::completed;
use crate::stack::config::ResourceBlock;
use crate::stack::scope::StackScope;
use crate::stack::template::Failure;

/// The tag that names the stack a resource belongs to.
pub const STACK_TAG: &str = "leoctl:stack";
/// The tag that names the resource's address in its stack.
pub const ADDRESS_TAG: &str = "leoctl:address";

/// The longest value of a tag, in characters (the same guide).
const LONGEST_TAG: usize = 256;

/// The tags by which a resource is known to be ours.
pub fn ownership_tags(stack: &str, address: &Address) -> BTreeMap<String, String> {
    [(STACK_TAG.to_owned(), stack.to_owned()), (ADDRESS_TAG.to_owned(), tag_value(address))].into()
}

/// Whose a resource is by its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The stack.
    pub stack: String,
    /// The address in it.
    pub address: String,
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of stack {}", self.address, self.stack)
    }
}

/// The owner that attributes' tags name, when they name stack and address.
pub fn owner(attributes: &Value) -> Option<Owner> {
    let tag = |key: &str| attributes.get("tags").and_then(|tags| tags.get(key)).and_then(Value::as_str).map(str::to_owned);
    Some(Owner { stack: tag(STACK_TAG)?, address: tag(ADDRESS_TAG)? })
}

/// An address as a tag value: AWS allows no quotes or brackets in most services' tags
/// (Tagging AWS Resources User Guide, "Tag naming limits and requirements"). No two addresses have the same: one that cannot be
/// written whole ends in its digest.
pub(super) fn tag_value(address: &Address) -> String {
    let allowed = |c: char| c.is_alphanumeric() || " +-=._:/@".contains(c);
    let keyed =
        |key: Option<&String>| key.map(|key| format!("/{}", key.chars().map(|c| if allowed(c) { c } else { '_' }).collect::<String>()));
    let modules =
        address.block.module.iter().map(|used| format!("{MODULE}.{}{}.", used.name, keyed(used.key.as_ref()).unwrap_or_default()));
    let block = &address.block;
    let key = keyed(address.key.as_ref()).unwrap_or_default();
    let whole: String = modules.chain([format!("{}.{}{key}", block.type_name, block.name)]).collect();
    let keys = || address.block.module.iter().filter_map(|used| used.key.as_ref());
    let is_allowed = keys().chain(&address.key).all(|key| key.chars().all(allowed));
    // Behind a module's key come further names, which such a key could imitate.
    let is_plain = keys().all(|key| !key.contains(['.', '/']));
    if is_allowed && is_plain && whole.chars().count() <= LONGEST_TAG {
        return whole;
    }
    let digest = crate::model::base64::sha256(&address.to_string());
    whole.chars().take(LONGEST_TAG - digest.len() - 1).chain(['/']).chain(digest.chars()).collect()
}

/// The desired attributes of a resource, canonical, with the stack's and the ownership tags, and what is pinned.
///
/// # Errors
/// The expression that fails, and where it stands.
pub fn desired(block: &ResourceBlock, address: &Address, scope: &StackScope<'_>, pins: &Pins) -> Result<Value, Failure> {
    let value = block.attributes.eval(scope)?;
    let schema = &block.schema.schema;
    let Value::Map(mut map) = value else { return Ok(value) };
    if schema.is_taggable() {
        let mut tags = BTreeMap::new();
        // Where a whole table of tags is secret, its keys are.
        let mut secret = false;
        if let Some(stack_tags) = &scope.stack.config.tags {
            let stack_tags = stack_tags.eval(scope)?;
            secret |= matches!(stack_tags, Value::Secret(_));
            tags.extend(stack_tags.as_map().cloned().unwrap_or_default());
        }
        match map.remove("tags") {
            Some(own @ (Value::Map(_) | Value::Secret(_))) => {
                secret |= matches!(own, Value::Secret(_));
                tags.extend(own.as_map().cloned().unwrap_or_default());
            }
            Some(Value::Unknown) => tags.extend([("(more)".to_owned(), Value::Unknown)]),
            _ => {}
        }
        let ownership = ownership_tags(&scope.stack.name, address);
        tags.extend(ownership.into_iter().map(|(key, value)| (key, Value::String(value))));
        let tags = Value::Map(tags);
        map.insert("tags".to_owned(), if secret { tags.into_secret() } else { tags });
    }
    let value = pins.iter().fold(Value::Map(map), |value, (path, pin)| put(value, &path.0, &Value::from(&pin.value)));
    Ok(canonicalize(&schema.attributes, &value))
}

/// Who chooses something of a resource, and among which values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Governor {
    /// The values.
    pub among: Vec<String>,
    /// Who, in words.
    pub by: String,
}

/// A resource that exists.
#[derive(Clone, Copy)]
pub struct Present<'a> {
    /// Its attributes in AWS.
    pub live: &'a Value,
    /// What is remembered of it.
    pub saved: Option<&'a Remembered>,
    /// Who else chooses something of it.
    pub governors: &'a [Governor],
}

/// What is wanted, but for what counts as it is in AWS: what `ignore_changes` names, and what something else there sets.
pub fn left(block: &ResourceBlock, wanted: &Value, live: &Value, governors: &[Governor]) -> Value {
    yielded(block, ignore(wanted, live, &block.ignored(live, wanted)), live, governors)
}

fn yielded(block: &ResourceBlock, wanted: Value, live: &Value, governors: &[Governor]) -> Value {
    governors.iter().fold(wanted, |wanted, governor| (block.schema.yields)(&wanted, live, &governor.among))
}

/// What is written and is not what is in AWS, as something else there sets it; in words.
pub fn governed_notes(block: &ResourceBlock, desired: &Value, live: &Value, governors: &[Governor]) -> Vec<String> {
    let wanted = complete(&block.schema.schema.attributes, desired, Some(live));
    let written = |path: &Path| path.root().is_some_and(|name| block.attributes.as_table().is_some_and(|table| table.contains_key(name)));
    let governed = (block.schema.governed)(live, &wanted).into_iter().filter(|governed| written(&governed.path));
    let set = governed.filter_map(|governed| {
        let (path, by) = (&governed.path, governed.by?);
        match (at(live, path), at(&wanted, path)) {
            (is, says) if is == says || says.is_null() => None,
            (Value::Int(is), Value::Int(says)) => Some(format!("`{path}` stays {is} and is not set to {says}: {by} sets it")),
            _ => Some(format!("`{path}` stays as it is, whatever is written: {by} sets it")),
        }
    });
    let chosen = governors.iter().filter(|governor| (block.schema.yields)(&wanted, live, &governor.among) != wanted);
    let chosen = chosen.map(|governor| format!("where it sends requests stays as it is: {} moves them", governor.by));
    set.chain(chosen).collect()
}

/// What a live resource is to become: what is desired, but for what counts as it is.
///
/// A replacement (`anew`) keeps what `ignore_changes` names, too, and sends requests to where they go. With `only`, nothing
/// but these attributes changes.
pub fn settled(block: &ResourceBlock, desired: &Value, existing: Present<'_>, anew: bool, only: Option<&[Path]>) -> Value {
    let attributes = &block.schema.schema.attributes;
    let Present { live, saved, governors } = existing;
    let complete = if anew { complete(attributes, desired, None) } else { completed(&block.schema, desired, live, saved) };
    // What is only remembered by its hash cannot be made again from that.
    let known = |path: &Path| !anew || at(live, path).paths_where(&|value| value.as_str().is_some_and(is_digest)).is_empty();
    let kept = |paths: Vec<Path>| -> Vec<Path> { paths.into_iter().filter(known).collect() };
    match only {
        None if anew => yielded(block, ignore(&complete, live, &kept(block.lifecycle.ignore_changes.clone())), live, governors),
        None => left(block, &complete, live, governors),
        Some(only) => {
            // A new one is ours by its tags, whoever has made the one before.
            let set = attributes.iter().filter(|attribute| !(attribute.computed || anew && attribute.name == "tags"));
            let all: Vec<Path> = set.map(|attribute| Path::attribute(&*attribute.name)).collect();
            ignore(&ignore(&complete, live, &kept(all)), &complete, only)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_of_an_address_has_what_tags_may_have_and_tells_long_ones_apart() {
        let tag = |address: &str| tag_value(&address.parse().unwrap());
        assert_eq!(tag("vpc.main"), "vpc.main");
        assert_eq!(tag(r#"subnet.public["a/b"]"#), "subnet.public/a/b");
        assert!(tag(r#"subnet.public["a*b"]"#).starts_with("subnet.public/a_b/"));
        assert_eq!(tag(r#"module.web["orders"].module.db.subnet.all["a"]"#), "module.web/orders.module.db.subnet.all/a");
        let long = |end: &str| tag(&format!("module.web[\"{}\"].vpc.{end}", "k".repeat(300)));
        assert_eq!(long("one").len(), LONGEST_TAG);
        assert_ne!(long("one"), long("two"));
        assert_ne!(tag(r#"subnet.public["a*b"]"#), tag(r#"subnet.public["a#b"]"#));
        assert_ne!(tag(r#"subnet.public["a*b"]"#), tag(r#"subnet.public["a_b"]"#));
        assert_ne!(tag(r#"module.web["a.vpc.b/c"].subnet.d"#), tag(r#"module.web["a"].vpc.b["c.subnet.d"]"#));
    }
}
