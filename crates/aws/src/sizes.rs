//! How many elements the lists and tables of a type may have, by `maxItems` and `maxProperties` of its JSON Schema.

use std::collections::BTreeMap;

use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::value::Value;
use serde_json::Value as Json;

/// The most elements of a value, and of what is inside of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    most: Option<usize>,
    fields: BTreeMap<String, Sizes>,
    element: Option<Box<Sizes>>,
}

impl Sizes {
    /// What a schema says; none when it sets no bound anywhere.
    pub fn compile(schema: &Json) -> Option<Self> {
        let schema = one_variant(schema);
        let most = schema.get("maxItems").or_else(|| schema.get("maxProperties")).and_then(Json::as_u64);
        let fields = schema.get("properties").and_then(Json::as_object).into_iter().flatten();
        let sizes = Self {
            most: most.and_then(|most| usize::try_from(most).ok()),
            fields: fields.filter_map(|(name, schema)| Some((name.clone(), Self::compile(schema)?))).collect(),
            element: schema.get("items").or_else(|| schema.get("additionalProperties")).and_then(Self::compile).map(Box::new),
        };
        (sizes != Self::default()).then_some(sizes)
    }

    /// The lists and tables that have too many elements, and where.
    pub fn exceeded(&self, value: &Value) -> Vec<(Path, String)> {
        let mut problems = Vec::new();
        self.look(value, &Path::default(), &mut problems);
        problems
    }

    fn look(&self, value: &Value, path: &Path, problems: &mut Vec<(Path, String)>) {
        let value = value.revealed();
        let count = value.as_list().map(<[Value]>::len).or_else(|| Some(value.as_map()?.len())).unwrap_or_default();
        if let Some(most) = self.most.filter(|most| count > *most) {
            problems.push((path.clone(), format!("`{path}` has {count} elements, and AWS allows {most}")));
        }
        for (index, element) in value.as_list().into_iter().flatten().enumerate() {
            self.element.iter().for_each(|sizes| sizes.look(element, &path.join(Segment::Index(index)), problems));
        }
        for (name, field) in value.as_map().into_iter().flatten() {
            let sizes = self.fields.get(name).or(self.element.as_deref());
            sizes.into_iter().for_each(|sizes| sizes.look(field, &path.join(Segment::field(name)), problems));
        }
    }
}

/// What `Option<Struct>` is when it is there: the schema's one variant that is not null.
fn one_variant(schema: &Json) -> &Json {
    let variants = schema.get("anyOf").and_then(Json::as_array);
    variants.into_iter().flatten().find(|variant| variant.get("type") != Some(&Json::from("null"))).unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Sizes;
    use leoctl_core::model::value::Value;

    #[test]
    fn a_list_too_long_is_found_at_any_depth() {
        let inner =
            json!({ "type": "object", "properties": { "gids": { "type": "array", "maxItems": 2, "items": { "type": "integer" } } } });
        let schema = json!({ "properties": {
            "user": { "anyOf": [inner, { "type": "null" }] },
            "users": { "type": "array", "items": inner },
            "names": { "type": "object", "maxProperties": 1, "additionalProperties": { "type": "string" } },
        } });
        let sizes = Sizes::compile(&schema).unwrap();
        let found = |value: serde_json::Value| {
            sizes.exceeded(&Value::from(&value)).into_iter().map(|(path, problem)| format!("{path}: {problem}")).collect::<Vec<_>>()
        };
        assert_eq!(found(json!({ "user": { "gids": [1, 2] }, "names": { "a": "1" } })), Vec::<String>::new());
        assert_eq!(found(json!({ "user": { "gids": [1, 2, 3] } })), ["user.gids: `user.gids` has 3 elements, and AWS allows 2"]);
        assert_eq!(
            found(json!({ "users": [{ "gids": [1] }, { "gids": [1, 2, 3] }] })),
            ["users[1].gids: `users[1].gids` has 3 elements, and AWS allows 2"]
        );
        assert_eq!(found(json!({ "names": { "a": "1", "b": "2" } })), ["names: `names` has 2 elements, and AWS allows 1"]);
    }

    #[test]
    fn a_type_without_bounds_has_nothing_to_look_at() {
        assert_eq!(Sizes::compile(&json!({ "properties": { "name": { "type": "string" } } })), None);
    }
}
