//! Names of which only the beginning is written: `name_prefix` beside `name`, `bucket_prefix` beside `bucket`. What comes behind
//! it is chosen when the resource is made, so that a replacement can stand beside its predecessor.

use crate::given::{Problem, is_given, problem, text};
use leoctl_core::model::schema::{Attribute, TextRule, Type, TypeSchema, Unset, prefix_of};
use leoctl_core::model::value::Value;
use leoctl_core::plan::naming::SUFFIX;

/// The attributes that can be given by their beginning.
const NAMES: [&str; 2] = ["name", "bucket"];

/// The attribute of a type that can be given so: one that has to be written, and is unique by itself.
pub fn prefixed(schema: &TypeSchema, unique: &[&[&str]]) -> Option<&'static str> {
    let is_alone = |name: &str| unique.iter().any(|group| *group == [name]);
    let is_name = |name: &str| schema.attribute(name).is_some_and(|one| one.required && matches!(one.ty, Type::String(_)));
    NAMES.into_iter().find(|name| is_alone(name) && is_name(name))
}

/// A type's schema with the attribute beside the name.
pub fn extend(schema: &mut TypeSchema, name: &str) {
    let Some(index) = schema.attributes.iter().position(|attribute| attribute.name == name) else { return };
    let Some(attribute) = schema.attributes.get_mut(index) else { return };
    attribute.required = false;
    attribute.unset = Unset::Server;
    let longest = match &attribute.ty {
        Type::String(rule) => rule.max_length.map(|most| most.saturating_sub(SUFFIX as u64)),
        _ => None,
    };
    let doc = format!(
        "What `{name}` begins with, instead of all of it: {SUFFIX} letters and digits follow that are chosen when it is made, so \
         that one that replaces it can be made before it goes."
    );
    let rule = Type::String(TextRule { max_length: longest, ..TextRule::default() });
    let prefix = Attribute { local: true, ..Attribute::plain(&prefix_of(name), &doc, rule) };
    schema.attributes.insert(index + 1, prefix);
}

/// That either the name or its beginning is written, and that names that begin so are of the form that AWS takes.
pub fn check(schema: &TypeSchema, name: &str, resource: &Value) -> Option<Problem> {
    resource.as_map()?;
    let prefix = prefix_of(name);
    match (is_given(resource, name), is_given(resource, &prefix)) {
        (true, true) => Some(problem(&prefix, format!("either `{name}` is written or `{prefix}`"))),
        (false, false) => Some(problem(name, format!("`{name}` or `{prefix}` is needed"))),
        (true, false) => None,
        (false, true) => {
            let Type::String(rule) = &schema.attribute(name)?.ty else { return None };
            let pattern = rule.pattern.as_ref()?;
            let whole = format!("{}{}", text(resource, &prefix)?, "a".repeat(SUFFIX));
            (!pattern.allows(&whole)).then(|| problem(&prefix, format!("`{prefix}` is the beginning of: {}", pattern.form())))
        }
    }
}

/// Whether a resource's name does not begin as it is to: then another takes its place.
pub fn replaces(name: &str, before: &Value, after: &Value) -> bool {
    let prefix = text(after, &prefix_of(name));
    prefix.zip(text(before, name)).is_some_and(|(prefix, name)| !name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::catalog;

    #[test]
    fn names_that_are_unique_by_themselves_can_be_given_by_their_beginning() {
        let catalog = catalog();
        let with: Vec<&str> = catalog.resources.iter().filter(|(_, one)| one.prefixed.is_some()).map(|(name, _)| name.as_str()).collect();
        for name in ["cloudwatch_log_group", "iam_role", "lb", "lb_target_group", "s3_bucket"] {
            assert!(with.contains(&name), "{name}: {with:?}");
        }
        let bucket = &catalog.resources["s3_bucket"];
        assert_eq!(bucket.prefixed, Some("bucket"));
        let problems = |value: serde_json::Value| {
            (bucket.check)(&Value::from(&value)).into_iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(problems(json!({ "bucket_prefix": "shop-" })), Vec::<String>::new());
        assert_eq!(problems(json!({ "bucket": "shop-files" })), Vec::<String>::new());
        assert_eq!(problems(json!({})), ["bucket"]);
        assert_eq!(problems(json!({ "bucket": "shop-files", "bucket_prefix": "shop-" })), ["bucket_prefix"]);
        assert_eq!(problems(json!({ "bucket_prefix": "Shop-" })), ["bucket_prefix"]);
    }

    #[test]
    fn a_name_that_begins_otherwise_is_replaced() {
        let value = |json: serde_json::Value| Value::from(&json);
        let live = value(json!({ "name": "shop-a1b2c3d4" }));
        assert!(!replaces("name", &live, &value(json!({ "name_prefix": "shop-" }))));
        assert!(replaces("name", &live, &value(json!({ "name_prefix": "store-" }))));
        assert!(!replaces("name", &live, &value(json!({ "name": "shop-a1b2c3d4" }))));
    }
}
