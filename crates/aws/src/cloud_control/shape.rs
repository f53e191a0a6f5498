//! From AWS's schema of a type to leoctl's: the attributes that stack files have, and beside them what AWS calls each part and
//! what the schema says of it that attributes cannot.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::facts::{Facts, Verb, list, table};
use super::form::{Form, form};
use super::knowledge::Knowledge;
use super::names::snake;
use super::sounds::{names_key, sounds_public, sounds_secret, sounds_unordered};
use leoctl_core::model::schema::{Attribute, DocumentKind, Order, Pattern, TextRule, Type, Unset};

/// How often a definition may stand inside itself. What is deeper is a JSON document in AWS's own names.
const DEPTH: usize = 2;

/// A part of a resource's model.
#[derive(Debug)]
pub struct Part {
    /// What it is.
    pub shape: Shape,
    /// What the schema demands of it beyond its type.
    pub limits: Limits,
}

/// What a part is.
#[derive(Debug)]
pub enum Shape {
    /// A text, a number or a truth value.
    Scalar,
    /// A sequence.
    List(Box<Part>),
    /// A table with free keys.
    Map(Box<Part>),
    /// A table with these properties.
    Object(Vec<Property>),
    /// A JSON document, handed to AWS as text where it says so.
    Document {
        /// Whether AWS takes it as text.
        text: bool,
    },
    /// Tags, a table in stack files.
    Tags(TagForm),
}

/// How AWS has a type's tags.
#[derive(Debug)]
pub enum TagForm {
    /// As a table.
    Table,
    /// As a list of tables with a key and a value, and perhaps more that is the same of all.
    List {
        /// The name of the key.
        key: String,
        /// The name of the value.
        value: String,
        /// What else each has.
        more: Map<String, Json>,
    },
}

/// A property of an object.
#[derive(Debug)]
pub struct Property {
    /// Its name at AWS.
    pub aws: String,
    /// Its name in stack files.
    pub name: String,
    /// What is in it.
    pub part: Part,
    /// Whether AWS sets it.
    pub computed: bool,
}

/// What a schema demands of a part beyond its type.
#[derive(Debug, Default)]
pub struct Limits {
    /// The fewest characters.
    pub min_length: Option<u64>,
    /// The fewest elements.
    pub min_items: Option<u64>,
    /// The most elements.
    pub max_items: Option<u64>,
    /// The least number.
    pub minimum: Option<f64>,
    /// The greatest number.
    pub maximum: Option<f64>,
    /// Groups of attributes of which exactly one has to be there.
    pub one_of: Vec<Vec<String>>,
    /// Groups of attributes of which one at least has to be there.
    pub any_of: Vec<Vec<String>>,
    /// Attributes with those that have to be there beside them.
    pub needed: Vec<(String, Vec<String>)>,
}

impl Part {
    fn of(shape: Shape) -> Self {
        Self { shape, limits: Limits::default() }
    }
}

/// Reads the schema of a type.
pub struct Reading<'a> {
    facts: &'a Facts,
    knowledge: &'a Knowledge,
    /// The definitions that are being read.
    open: Vec<String>,
    /// The patterns so far: many properties have the same.
    patterns: BTreeMap<String, Pattern>,
    updatable: bool,
}

impl<'a> Reading<'a> {
    /// Reads the attributes of a type, and what they are at AWS.
    pub fn read(facts: &'a Facts, knowledge: &'a Knowledge) -> (Vec<Attribute>, Part) {
        let mut reading = Self { facts, knowledge, open: Vec::new(), patterns: BTreeMap::new(), updatable: facts.can(Verb::Update) };
        let required: BTreeSet<&str> = list(facts.whole(), "required").iter().filter_map(Json::as_str).collect();
        let properties: Vec<(&str, &Json)> = facts.properties().collect();
        let (mut attributes, properties) = reading.properties(&properties, &required, "");
        let limits = groups(facts.whole());
        exclude(&mut attributes, &limits.one_of);
        (attributes, Part { shape: Shape::Object(properties), limits })
    }

    fn properties(&mut self, of: &[(&str, &Json)], required: &BTreeSet<&str>, at: &str) -> (Vec<Attribute>, Vec<Property>) {
        let mut taken = BTreeSet::new();
        let mut attributes = Vec::new();
        let mut properties = Vec::new();
        for (aws, schema) in of {
            let path = if at.is_empty() { (*aws).to_owned() } else { format!("{at}/{aws}") };
            let tags = at.is_empty().then(|| self.tags(aws, schema)).flatten();
            let is_tags = tags.is_some();
            let (ty, part) = tags.unwrap_or_else(|| self.part(schema, &path));
            let mut name = if is_tags { "tags".to_owned() } else { self.name(aws, at) };
            while !taken.insert(name.clone()) {
                name.push('_');
            }
            let attribute = self.attribute(&name, ty, &path, required.contains(aws), is_tags);
            properties.push(Property { aws: (*aws).to_owned(), name, part, computed: attribute.computed });
            attributes.push(attribute);
        }
        (attributes, properties)
    }

    /// The name of a property in stack files. `id` is what a resource is told by, and `tags` are its tags, whatever AWS calls them.
    fn name(&self, aws: &str, at: &str) -> String {
        match snake(aws) {
            name if !at.is_empty() => name,
            name if name == "id" => {
                let own = self.facts.aws.rsplit("::").next().unwrap_or_default();
                format!("{}_id", snake(own))
            }
            name if name == "tags" => "aws_tags".to_owned(),
            name => name,
        }
    }

    fn attribute(&self, name: &str, ty: Type, path: &str, required: bool, tags: bool) -> Attribute {
        let inner_computed = matches!(&ty, Type::Object(inner) if !inner.is_empty() && inner.iter().all(|inner| inner.computed));
        let computed = self.facts.read_only.contains(path) || inner_computed;
        let unread = self.facts.write_only.contains(path) || self.knowledge.unread.iter().any(|known| known == path);
        let local = unread && !computed;
        let is_text = matches!(&ty, Type::String(_));
        let doc = format!("`{}` of {}.", path.replace('/', "."), self.facts.aws);
        let sensitive = !tags && (self.knowledge.is_sensitive(path) || has_text(&ty) && self.is_secret(path, computed));
        Attribute {
            required: required && !computed && !tags,
            computed,
            follows: self.knowledge.followed_by(path).iter().map(|followed| snake(followed)).collect(),
            replace: !computed && (!self.updatable || self.facts.create_only.contains(path)),
            kms_key: is_text && !computed && names_key(path),
            sensitive,
            local,
            unset: if tags { Unset::Absent } else { Unset::Server },
            ..Attribute::plain(name, &doc, ty)
        }
    }

    /// Whether a text is a secret: what AWS never returns is one unless its name says otherwise, and what AWS makes up if its name
    /// says so.
    fn is_secret(&self, path: &str, computed: bool) -> bool {
        match computed {
            true => sounds_secret(path),
            false => self.is_never_returned(path) && (sounds_secret(path) || !sounds_public(path)),
        }
    }

    /// Whether AWS never returns a property: itself, or all of a table that it stands in.
    fn is_never_returned(&self, path: &str) -> bool {
        let tables = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        tables.chain([path]).any(|part| self.facts.write_only.contains(part)) && !self.facts.read_only.contains(path)
    }

    /// A property as tags, where it is one that can be a table.
    fn tags(&self, aws: &str, schema: &Json) -> Option<(Type, Part)> {
        if self.facts.tags().unwrap_or("Tags") != aws || self.facts.read_only.contains(aws) {
            return None;
        }
        let schema = self.resolved(schema);
        let form = if schema.get("type").and_then(Json::as_str) == Some("array") {
            let item = self.resolved(schema.get("items")?);
            let properties = table(item, "properties")?;
            let named = |ends: [&str; 3]| ends.into_iter().find(|name| properties.contains_key(*name)).map(str::to_owned);
            let (key, value) = (named(["Key", "TagKey", "key"])?, named(["Value", "TagValue", "value"])?);
            let others = properties.iter().filter(|(name, _)| **name != key && **name != value);
            let more = others.map(|(name, of)| (of.get("type")? == "boolean").then(|| (name.clone(), Json::Bool(true))));
            let more = more.collect::<Option<_>>()?;
            TagForm::List { key, value, more }
        } else if table(schema, "properties").is_none() && list(schema, "oneOf").is_empty() {
            TagForm::Table
        } else {
            return None;
        };
        let item = Box::new(Type::String(TextRule::default()));
        Some((Type::Map { item, defaults: Default::default() }, Part::of(Shape::Tags(form))))
    }

    fn resolved<'s>(&'s self, schema: &'s Json) -> &'s Json {
        let referred = |schema: &'s Json| self.facts.referred(schema.get("$ref")?.as_str()?);
        let mut schema = schema;
        for _ in 0..8 {
            match referred(schema) {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    /// A part of the model at a path.
    fn part(&mut self, schema: &Json, path: &str) -> (Type, Part) {
        if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
            let again = self.open.iter().filter(|open| *open == reference).count();
            let facts = self.facts;
            let Some(referred) = facts.referred(reference).filter(|_| again < DEPTH) else { return document(path, false) };
            self.open.push(reference.to_owned());
            let overlaid = overlaid(referred, schema);
            let part = self.part(&overlaid, path);
            self.open.pop();
            return part;
        }
        if let Some(list) = self.only_list(schema) {
            return self.part(&list, path);
        }
        match form(schema) {
            Form::Text if self.knowledge.documents.iter().any(|known| known == path) => document(path, true),
            Form::Text => (Type::String(self.text_rule(schema, path)), scalar(schema)),
            Form::Json => document(path, true),
            Form::Bool => (Type::Bool, scalar(schema)),
            Form::Int => {
                let one_of = list(schema, "enum").iter().filter_map(Json::as_i64).collect();
                let bound = |key: &str| schema.get(key).and_then(Json::as_f64).map(|bound| bound as i64);
                (Type::Int { min: bound("minimum"), max: bound("maximum"), one_of }, scalar(schema))
            }
            Form::Float => {
                let mut part = scalar(schema);
                part.limits.minimum = schema.get("minimum").and_then(Json::as_f64);
                part.limits.maximum = schema.get("maximum").and_then(Json::as_f64);
                (Type::Float, part)
            }
            Form::List => self.list(schema, path),
            Form::Object => self.object(schema, path),
            Form::Any => document(path, false),
        }
    }

    /// The list that a part is, where the only other thing that it may be is a document.
    fn only_list(&self, schema: &Json) -> Option<Json> {
        let [one, other] = list(schema, "oneOf") else { return None };
        let is_list = |one: &Json| matches!(form(self.resolved(one)), Form::List);
        let is_document = |one: &Json| matches!(form(self.resolved(one)), Form::Any);
        match (is_list(one) && is_document(other), is_list(other) && is_document(one)) {
            (true, _) => Some(one.clone()),
            (_, true) => Some(other.clone()),
            _ => None,
        }
    }

    fn text_rule(&mut self, schema: &Json, path: &str) -> TextRule {
        // What is not understood of a pattern is AWS's to refuse.
        let known = |pattern: &str| self.patterns.entry(pattern.to_owned()).or_insert_with(|| Pattern::plain(pattern)).clone();
        TextRule {
            one_of: list(schema, "enum").iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            format: self.facts.case_of(path),
            max_length: schema.get("maxLength").and_then(Json::as_u64),
            pattern: schema.get("pattern").and_then(Json::as_str).map(known),
        }
    }

    fn list(&mut self, schema: &Json, path: &str) -> (Type, Part) {
        let Some(items) = schema.get("items").filter(|items| items.is_object()) else { return document(path, false) };
        let (item, part) = self.part(items, path);
        let order = match self.knowledge.key_of(path) {
            Some(key) => Order::Keyed(key.to_owned()),
            None if self.knowledge.is_set(path) || schema.get("insertionOrder") == Some(&Json::Bool(false)) => Order::Set,
            None if matches!(item, Type::String(_)) && sounds_unordered(path) => Order::Set,
            None => Order::Sequence,
        };
        let (min_items, max_items) = (count(schema, "minItems"), count(schema, "maxItems"));
        let limits = Limits { min_items, max_items, ..Limits::default() };
        (Type::List { item: Box::new(item), order }, Part { shape: Shape::List(Box::new(part)), limits })
    }

    fn object(&mut self, schema: &Json, path: &str) -> (Type, Part) {
        let alternatives: Vec<Json> = ["oneOf", "anyOf", "allOf"].iter().flat_map(|key| list(schema, key)).cloned().collect();
        let alternatives: Vec<Json> = alternatives.iter().map(|one| self.resolved(one).clone()).collect();
        let mut properties: Vec<(&str, &Json)> = Vec::new();
        let own = table(schema, "properties").into_iter().flatten();
        for (name, schema) in own.chain(alternatives.iter().filter_map(|one| table(one, "properties")).flatten()) {
            let known = properties.iter().position(|(known, _)| known == name);
            match known.and_then(|at| properties.get_mut(at)) {
                // What only says what else goes with it is no schema.
                Some((_, earlier)) if table_like(earlier) && !table_like(schema) => *earlier = schema,
                Some(_) => {}
                None => properties.push((name, schema)),
            }
        }
        if !properties.is_empty() {
            let required = list(schema, "required").iter().filter_map(Json::as_str).collect();
            let (mut attributes, properties) = self.properties(&properties, &required, path);
            let limits = groups(schema);
            exclude(&mut attributes, &limits.one_of);
            return (Type::Object(attributes), Part { shape: Shape::Object(properties), limits });
        }
        let values = table(schema, "patternProperties").and_then(|patterns| patterns.values().next());
        let values = values.or_else(|| schema.get("additionalProperties")).filter(|values| values.is_object());
        let Some(values) = values else { return document(path, schema.get("format").is_some() && is_text(schema)) };
        // Values that may be text, as environment variables are, are written as text.
        let text = serde_json::json!({ "type": "string" });
        let (item, part) = self.part(if may_be_text(values) { &text } else { values }, path);
        (Type::Map { item: Box::new(item), defaults: Default::default() }, Part::of(Shape::Map(Box::new(part))))
    }
}

/// Whether text is one of several kinds that a value may be of.
fn may_be_text(schema: &Json) -> bool {
    schema.get("type").and_then(Json::as_array).is_some_and(|kinds| kinds.iter().any(|kind| kind == "string"))
}

/// Whether a schema says nothing of its own, as in an alternative that only names a property.
fn table_like(schema: &Json) -> bool {
    schema.as_object().is_none_or(Map::is_empty)
}

fn is_text(schema: &Json) -> bool {
    schema.get("type").and_then(Json::as_str) == Some("string")
}

fn scalar(schema: &Json) -> Part {
    let limits = Limits { min_length: schema.get("minLength").and_then(Json::as_u64), ..Limits::default() };
    Part { shape: Shape::Scalar, limits }
}

/// A JSON document: IAM's where its name says so.
fn document(path: &str, text: bool) -> (Type, Part) {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_policy = name.ends_with("PolicyDocument") || matches!(name, "ResourcePolicy" | "KeyPolicy" | "AccessPolicies");
    let kind = if is_policy { DocumentKind::Policy } else { DocumentKind::Json };
    (Type::Document(kind), Part::of(Shape::Document { text }))
}

fn count(schema: &Json, key: &str) -> Option<u64> {
    schema.get(key).and_then(Json::as_u64)
}

/// The keywords beside a `$ref`, over what it names.
fn overlaid(referred: &Json, over: &Json) -> Json {
    let mut merged = referred.clone();
    if let (Some(merged), Some(over)) = (merged.as_object_mut(), over.as_object()) {
        merged.extend(over.iter().filter(|(key, _)| *key != "$ref").map(|(key, value)| (key.clone(), value.clone())));
    }
    merged
}

/// Which attributes an object has to have one of.
fn groups(schema: &Json) -> Limits {
    let needed = |one: &Json| match list(one, "required") {
        [Json::String(only)] => Some(snake(only)),
        _ => None,
    };
    let group = |key: &str| {
        let alternatives = list(schema, key);
        let names: Option<Vec<String>> = alternatives.iter().map(needed).collect();
        names.filter(|names| names.len() > 1).into_iter().collect::<Vec<_>>()
    };
    let named = |key: &str| {
        let names: Vec<String> = list(schema, key).iter().filter_map(Json::as_str).map(snake).collect();
        (names.len() > 1).then_some(names)
    };
    // What only some values of an attribute ask for is a schema, and no list.
    let beside = |key: &str| {
        let names = |names: &Json| Some(names.as_array()?.iter().filter_map(Json::as_str).map(snake).collect::<Vec<_>>());
        table(schema, key).into_iter().flatten().filter_map(|(name, others)| Some((snake(name), names(others)?))).collect::<Vec<_>>()
    };
    // The registry's own word: `dependentRequired` and `dependentExcluded` are what a linter advises, and AWS takes some of it.
    let needed = beside("dependencies");
    let mut limits = Limits { one_of: group("oneOf"), any_of: group("anyOf"), needed, ..Limits::default() };
    limits.one_of.extend(named("requiredXor"));
    limits.any_of.extend(named("requiredOr"));
    limits
}

/// Lets each attribute of a group exclude the others.
fn exclude(attributes: &mut [Attribute], groups: &[Vec<String>]) {
    for attribute in attributes {
        let groups = groups.iter().filter(|group| group.contains(&attribute.name));
        attribute.excludes = groups.flatten().filter(|name| **name != attribute.name).cloned().collect();
    }
}

/// Whether there is text in it that is not in a table of its own.
fn has_text(ty: &Type) -> bool {
    match ty {
        Type::String(_) => true,
        Type::List { item, .. } | Type::Map { item, .. } => has_text(item),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_may_be_a_document_instead_is_a_list() {
        let (kind, schema) = crate::cloud_control::read("awscc_dynamodb_table").unwrap();
        assert!(matches!(&schema.schema.attribute("key_schema").unwrap().ty, Type::List { item, .. } if matches!(**item, Type::Object(_))));
        let written = serde_json::json!({ "key_schema": [{ "attribute_name": "id", "key_type": "HASH" }] });
        let model = Json::Object(kind.model(&leoctl_core::model::value::Value::from(written.clone())));
        assert_eq!(model, serde_json::json!({ "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }] }));
        assert_eq!(kind.attributes("t", &model).get("key_schema").unwrap().to_json().unwrap(), written["key_schema"]);
    }

    #[test]
    fn what_something_is_in_has_no_order_and_what_is_preferred_has_one() {
        let order = |name: &str, attribute: &str| {
            let (_, schema) = crate::cloud_control::read(name).unwrap();
            match &schema.schema.attribute(attribute).unwrap().ty {
                Type::List { order, .. } => order.clone(),
                other => panic!("{other:?}"),
            }
        };
        for (name, attribute) in [
            ("awscc_rds_db_instance", "vpc_security_groups"),
            ("awscc_rds_db_cluster", "vpc_security_group_ids"),
            ("awscc_elasticache_replication_group", "security_group_ids"),
            ("awscc_cognito_user_pool", "auto_verified_attributes"),
        ] {
            assert_eq!(order(name, attribute), Order::Set, "{name}.{attribute}");
        }
        // A directory's servers are a first and a second one, and may be one twice.
        assert_eq!(order("awscc_rds_db_instance", "domain_dns_ips"), Order::Sequence);
        assert_eq!(order("awscc_elasticache_replication_group", "preferred_cache_cluster_a_zs"), Order::Sequence);
    }

    #[test]
    fn variables_are_text() {
        let of = |name: &str| crate::cloud_control::read(name).unwrap().1.schema.attributes.clone();
        let function = of("awscc_lambda_function");
        let environment = function.iter().find(|attribute| attribute.name == "environment").unwrap();
        let Type::Object(inner) = &environment.ty else { panic!("{:?}", environment.ty) };
        let variables = inner.iter().find(|attribute| attribute.name == "variables").unwrap();
        assert!(matches!(&variables.ty, Type::Map { item, .. } if matches!(**item, Type::String(_))), "{:?}", variables.ty);
    }

    #[test]
    fn what_aws_never_returns_is_a_secret_whatever_it_is_in() {
        fn at<'a>(attributes: &'a [Attribute], path: &[&str]) -> &'a Attribute {
            let (first, rest) = path.split_first().unwrap();
            let found = attributes.iter().find(|attribute| attribute.name == *first).unwrap();
            match (&found.ty, rest.is_empty()) {
                (Type::Object(inner), false) => at(inner, rest),
                _ => found,
            }
        }
        for (name, path, is_secret) in [
            ("awscc_secretsmanager_secret", "secret_string", true),
            ("awscc_elasticache_user", "passwords", true),
            ("awscc_opensearchservice_domain", "advanced_security_options.master_user_options.master_user_password", true),
            ("awscc_rds_db_instance", "master_user_password", true),
            ("awscc_lambda_function", "code.s3_key", false),
            ("awscc_rds_db_instance", "db_snapshot_identifier", false),
            ("awscc_finspace_environment", "tags", false),
        ] {
            let (_, schema) = crate::cloud_control::read(name).unwrap();
            let path: Vec<&str> = path.split('.').collect();
            assert_eq!(at(&schema.schema.attributes, &path).sensitive, is_secret, "{name}.{}", path.join("."));
        }
    }
}
