//! The JSON Schema of stack and module files, for editors that complete and check TOML by one: draft 7, the newest that they know.
//!
//! It is made of the keys that the reader takes and of the schemas of types. Where a value is expected, text with `${…}` is
//! accepted. Nothing is demanded of tables: the file may be laid over another one that has it.

use serde_json::{Map, Value as Json, json};

use super::notes;
use leoctl_core::model::schema::{Attribute, Catalog, Type, TypeSchema};
use leoctl_core::stack::keys::{self, Holds, Key};
use leoctl_core::stack::usage::ASSUMPTIONS;

/// What text with an expression in it is called inside.
const EXPRESSION: &str = "#/definitions/expression";

/// Which kind of file a schema is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// A stack.
    Stack,
    /// A module.
    Module,
}

/// The schema of such files. Of the types that leoctl has none of its own for, it knows `further`; others are not checked.
pub fn of(file: File, catalog: &Catalog, further: &[String]) -> Json {
    let (title, sections): (_, &[Key]) = match file {
        File::Stack => ("A stack of leoctl", &keys::SECTIONS),
        File::Module => ("A module of leoctl", &keys::OF_A_MODULE),
    };
    let mut schema = Writer { catalog, further }.table(sections);
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        fields.insert("title".to_owned(), json!(title));
        fields.insert("definitions".to_owned(), json!({ "expression": { "type": "string", "pattern": "\\$\\{" } }));
    }
    schema
}

struct Writer<'a> {
    catalog: &'a Catalog,
    further: &'a [String],
}

impl Writer<'_> {
    /// A table with these keys.
    fn table(&self, keys: &[Key]) -> Json {
        closed(keys.iter().map(|key| (key.name.to_owned(), self.key(key))).collect())
    }

    fn key(&self, key: &Key) -> Json {
        described(self.holds(&key.holds), key.doc)
    }

    fn holds(&self, holds: &Holds) -> Json {
        match holds {
            Holds::Text => json!({ "type": "string" }),
            Holds::OneOf(texts) => json!({ "type": "string", "enum": texts }),
            Holds::Texts => json!({ "anyOf": [{ "type": "array", "items": { "type": "string" } }, { "type": "string" }] }),
            Holds::Flag => json!({ "type": "boolean" }),
            Holds::Duration => json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": "^[0-9 ]+[smh]$" }] }),
            Holds::Any => json!({}),
            Holds::List => json!({ "type": "array" }),
            Holds::Free => json!({ "type": "object" }),
            Holds::Table(keys) => self.table(keys),
            Holds::Named(keys) => named(self.table(keys)),
            Holds::Tables(keys) => json!({ "type": "array", "items": self.table(keys) }),
            Holds::Resources => self.resources(),
            Holds::Data => self.data(),
            Holds::Usage => self.usage(),
        }
    }

    fn resources(&self) -> Json {
        let own = self.catalog.resources.keys().chain(self.further);
        let types = own.filter_map(|name| Some((name.clone(), &self.catalog.resources.get(name)?.schema)));
        self.blocks(types.map(|(name, schema)| (name, self.block(schema, &keys::META))).collect())
    }

    fn data(&self) -> Json {
        let catalog = self.catalog;
        let mut names: Vec<&String> = catalog.data.keys().chain(catalog.resources.keys()).chain(self.further).collect();
        names.sort();
        names.dedup();
        let types = names.into_iter().filter_map(|name| {
            let schema = catalog.data_source(name)?;
            Some((name.clone(), self.block(&schema, &keys::OF_DATA)))
        });
        self.blocks(types.collect())
    }

    /// Blocks by type and name. What is not known of a type through Cloud Control is not checked.
    fn blocks(&self, types: Map<String, Json>) -> Json {
        let mut blocks = closed(types);
        if let Some(fields) = blocks.as_object_mut() {
            let unchecked = json!({ "type": "object", "description": "`leoctl schema --type NAME` tells editors of this type, too." });
            fields.insert("patternProperties".to_owned(), json!({ "^awscc_": unchecked }));
        }
        blocks
    }

    /// The blocks of a type, by name.
    fn block(&self, schema: &TypeSchema, meta: &[Key]) -> Json {
        let mut fields = written(&schema.attributes);
        for key in meta {
            // An attribute of the same name goes before it.
            fields.entry(key.name).or_insert_with(|| self.key(key));
        }
        described(named(closed(fields)), &schema.doc)
    }

    fn usage(&self) -> Json {
        let number = |doc: &str| described(json!({ "type": "number", "minimum": 0 }), doc);
        let of = |about: &dyn Fn(&[&str]) -> bool| -> Map<String, Json> {
            let known = ASSUMPTIONS.iter().filter(|known| about(known.types));
            known.map(|known| (known.use_of.name().to_owned(), number(known.doc))).collect()
        };
        let mut fields = of(&|_| true);
        for name in self.catalog.resources.keys() {
            let own = of(&|types| types.contains(&name.as_str()));
            if !own.is_empty() {
                fields.insert(name.clone(), named(closed(own)));
            }
        }
        closed(fields)
    }
}

/// The attributes that can be written.
fn written(attributes: &[Attribute]) -> Map<String, Json> {
    let written = attributes.iter().filter(|attribute| !attribute.computed);
    written.map(|attribute| (attribute.name.clone(), self::attribute(attribute))).collect()
}

fn attribute(attribute: &Attribute) -> Json {
    let doc = attribute.doc.replace('\n', " ");
    described(or_expression(value(&attribute.ty)), &format!("{doc}\n\n({})", notes(attribute)))
}

fn value(ty: &Type) -> Json {
    match ty {
        Type::Bool => json!({ "type": "boolean" }),
        Type::Float => json!({ "type": "number" }),
        Type::Int { one_of, .. } if !one_of.is_empty() => json!({ "type": "integer", "enum": one_of }),
        Type::Int { min, max, .. } => {
            let limits =
                [("minimum", min), ("maximum", max)].into_iter().filter_map(|(name, limit)| Some((name.to_owned(), json!((*limit)?))));
            [("type".to_owned(), json!("integer"))].into_iter().chain(limits).collect()
        }
        Type::String(rule) if !rule.one_of.is_empty() => json!({ "type": "string", "enum": rule.one_of }),
        Type::String(_) => json!({ "type": "string" }),
        Type::List { item, .. } => json!({ "type": "array", "items": or_expression(element(item)) }),
        Type::Map { item, .. } => json!({ "type": "object", "additionalProperties": or_expression(value(item)) }),
        Type::Object(attributes) => closed(written(attributes)),
        Type::Document(_) => json!({}),
    }
}

/// An element of a list, which is laid over nothing: what it needs has to be in it.
fn element(ty: &Type) -> Json {
    let mut schema = value(ty);
    if let (Type::Object(attributes), Some(fields)) = (ty, schema.as_object_mut()) {
        let required: Vec<&str> = attributes.iter().filter(|one| one.required).map(|one| one.name.as_str()).collect();
        if !required.is_empty() {
            fields.insert("required".to_owned(), json!(required));
        }
    }
    schema
}

/// A value, or text with an expression that yields one.
fn or_expression(schema: Json) -> Json {
    let takes_any_text = schema == json!({ "type": "string" }) || schema == json!({});
    if takes_any_text { schema } else { json!({ "anyOf": [schema, { "$ref": EXPRESSION }] }) }
}

/// A table with these keys and no others.
fn closed(fields: Map<String, Json>) -> Json {
    json!({ "type": "object", "properties": fields, "additionalProperties": false })
}

/// Tables of this form, each below a name.
fn named(schema: Json) -> Json {
    json!({ "type": "object", "additionalProperties": schema })
}

fn described(mut schema: Json, doc: &str) -> Json {
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("description".to_owned(), json!(doc));
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Json {
        of(File::Stack, leoctl_aws::registry::catalog(), &["awscc_sqs_queue".to_owned()])
    }

    #[test]
    fn every_type_that_leoctl_knows_best_is_in_it() {
        let (schema, catalog) = (schema(), leoctl_aws::registry::catalog());
        for name in catalog.resources.keys() {
            assert!(schema["properties"]["resource"]["properties"][name].is_object(), "{name}");
        }
        for name in catalog.data.keys() {
            assert!(schema["properties"]["data"]["properties"][name].is_object(), "{name}");
        }
        assert!(schema["properties"]["resource"]["properties"]["awscc_sqs_queue"].is_object());
    }

    #[test]
    fn an_attribute_that_is_called_as_a_meta_key_goes_before_it() {
        let catalog = leoctl_aws::registry::catalog();
        let both = |name: &str| catalog.resources.iter().find(|(_, resource)| resource.schema.attribute(name).is_some());
        for key in keys::META {
            if let Some((type_name, resource)) = both(key.name) {
                let shown = &schema()["properties"]["resource"]["properties"][type_name]["additionalProperties"]["properties"][key.name];
                let doc = resource.schema.attribute(key.name).unwrap().doc.replace('\n', " ");
                assert!(shown["description"].as_str().unwrap_or_default().starts_with(&doc), "{type_name}.{}", key.name);
            }
        }
    }

    #[test]
    fn a_module_has_no_stack() {
        let module = of(File::Module, leoctl_aws::registry::catalog(), &[]);
        assert!(module["properties"]["stack"].is_null() && module["properties"]["vars"].is_object());
    }
}
