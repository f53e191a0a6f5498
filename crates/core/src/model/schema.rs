//! Schemas: what is known of each attribute of a type, compiled from the type's JSON Schema.
//!
//! JSON Schema says types, enumerations and ranges. What it lacks is said by extension keywords:
//!
//! | keyword | meaning |
//! |---|---|
//! | `x-replace` | changing the attribute replaces the resource |
//! | `x-within` | the type in which what it names lies, and the resource stays in one of them, which its own `TYPE_id` says: a change that leads to another replaces it |
//! | `x-computed` | AWS sets it; it cannot be written |
//! | `x-server` | when it is not written AWS chooses, and what AWS chose is kept |
//! | `x-follows` | the attributes beside it, or inside of which, a change makes AWS set this one anew: it is unknown until such a change is made |
//! | `x-none` | the value by which AWS says that there is none: it is as good as absent |
//! | `x-or` | what else leaving the attribute out can mean, as AWS chooses when it makes the resource: it stays where it is |
//! | `x-kms-key` | the name of a KMS key, such as an alias, which AWS answers with the key's ARN: a name that may be the key's is no difference |
//! | `x-caseless` | text of which AWS keeps the case and by which it tells no two apart, such as the name of a role |
//! | `x-sensitive` | the value is never shown or stored |
//! | `x-set` | a list whose order means nothing |
//! | `x-key` | a list of objects told apart by this attribute |
//! | `x-local` | AWS does not know it or never returns it: the state remembers it, a secret as a hash |
//! | `x-defaults` | a map in which AWS fills in these entries, of each one value or any of several: such an entry is as good as absent |
//! | `x-document` | a JSON document: `json`, `policy` for IAM's, or `delivery` for how SNS tries deliveries again |
//! | `x-format` | `cidr`, `cidr4`, `cidr6`, `domain`, `ssh-public-key`, `certificates` in PEM, `masked-url` for one of which AWS hides the password, `lowercase` and `uppercase` for text that AWS keeps so, `arn`, or `arn:SERVICE` for one of that service (or of several, with `|`), `id:TYPE:PREFIX` for the id of a resource of that type, all of which begin so |
//! | `x-form` | what JSON Schema's `pattern` means, in words |
//!
//! A computed attribute without `x-follows` stays what it is over every update. One that AWS chooses (`x-server`) also stays
//! what it was where an answer of AWS's lacks it.
//!
//! `default` is AWS's own default: leaving the attribute out means exactly this value. An attribute with
//! neither `default` nor `x-server` is absent when it is left out.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value as Json};

use super::canonical::masked_url;
pub use super::catalog::{Catalog, Further, Refusal, ResourceSchema, Types, prefix_of};
pub use super::relation::{After, Governed, Governs, HangsOn, Inside, Named, NamedIn, NamedPart, Release};
use super::value::Value;

/// The schema of a resource type or data source.
#[derive(Clone, Debug)]
pub struct TypeSchema {
    /// The type name, such as `vpc`.
    pub name: String,
    /// What the type is, in Markdown.
    pub doc: String,
    /// Every attribute, in the order of the struct.
    pub attributes: Vec<Attribute>,
}

/// One attribute of a type or of an object inside it.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The attribute's name, in snake_case.
    pub name: String,
    /// What it is, in Markdown.
    pub doc: String,
    /// What it holds.
    pub ty: Type,
    /// Whether it has to be written.
    pub required: bool,
    /// Whether AWS sets it.
    pub computed: bool,
    /// The attributes beside it that AWS computes it from: while one of them changes, it is not known.
    pub follows: Vec<String>,
    /// Whether a change replaces the resource.
    pub replace: bool,
    /// The type in which what it names lies, and the resource stays in one of them: a change that leads to another one, or to the
    /// replacement of that one, replaces it.
    pub within: Option<String>,
    /// The value by which AWS says that there is none.
    pub none: Option<Value>,
    /// What leaving it out can mean beside its default, as AWS chooses.
    pub or: Option<Value>,
    /// Whether it names a KMS key, which AWS answers with the key's ARN.
    pub kms_key: bool,
    /// Whether AWS tells no two apart by the case of its letters.
    pub caseless: bool,
    /// Whether its value is never shown.
    pub sensitive: bool,
    /// Whether AWS does not know it or never returns it.
    pub local: bool,
    /// What leaving it out means.
    pub unset: Unset,
    /// The attributes beside it that cannot be there with it.
    pub excludes: Vec<String>,
}

/// What leaving an attribute out means.
#[derive(Clone, Debug, PartialEq)]
pub enum Unset {
    /// The attribute is absent.
    Absent,
    /// This value.
    Default(Value),
    /// AWS chooses, and its choice is kept.
    Server,
}

/// What an attribute holds.
#[derive(Clone, Debug)]
pub enum Type {
    /// True or false.
    Bool,
    /// A whole number in a range, or one of some.
    Int {
        /// The least allowed.
        min: Option<i64>,
        /// The greatest allowed.
        max: Option<i64>,
        /// The only ones allowed, when not empty.
        one_of: Vec<i64>,
    },
    /// Any number.
    Float,
    /// Text.
    String(TextRule),
    /// A sequence.
    List {
        /// What each element is.
        item: Box<Type>,
        /// How elements are told apart.
        order: Order,
    },
    /// A table with free keys.
    Map {
        /// What each value is.
        item: Box<Type>,
        /// Entries AWS fills in by itself.
        defaults: BTreeMap<String, Vec<String>>,
    },
    /// A table with known keys.
    Object(Vec<Attribute>),
    /// A JSON document, as a table or as JSON text.
    Document(DocumentKind),
}

/// What text is allowed.
#[derive(Clone, Debug, Default)]
pub struct TextRule {
    /// The only texts allowed, when not empty.
    pub one_of: Vec<String>,
    /// The form it must have.
    pub format: Option<Format>,
    /// The most characters allowed.
    pub max_length: Option<u64>,
    /// The characters and their order.
    pub pattern: Option<Pattern>,
}

/// A pattern a text must match. It is compiled for the first text: a schema has many, and a stack meets few.
#[derive(Clone, Debug)]
pub struct Pattern {
    pattern: String,
    form: Option<String>,
    /// None inside for one that is not understood.
    regex: Arc<OnceLock<Option<regex_lite::Regex>>>,
}

impl Pattern {
    /// A pattern that says itself what it means.
    pub fn plain(pattern: &str) -> Self {
        Self { pattern: pattern.to_owned(), form: None, regex: Arc::default() }
    }

    /// A pattern, and what it means in words, such as `letters and digits`.
    pub fn in_words(pattern: &str, form: String) -> Self {
        Self { form: Some(form), ..Self::plain(pattern) }
    }

    /// The pattern in words.
    pub fn form(&self) -> String {
        self.form.clone().unwrap_or_else(|| format!("what matches {}", self.pattern))
    }

    /// Whether a text is of this form. A pattern that is not understood forbids nothing.
    pub fn allows(&self, text: &str) -> bool {
        self.regex().is_none_or(|regex| regex.is_match(text))
    }

    /// Whether the pattern is understood.
    pub fn is_sound(&self) -> bool {
        self.regex().is_some()
    }

    fn regex(&self) -> Option<&regex_lite::Regex> {
        self.regex.get_or_init(|| regex_lite::Regex::new(&self.pattern).ok()).as_ref()
    }
}

/// The form of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// An IPv4 or IPv6 network.
    Cidr,
    /// An IPv4 network.
    Cidr4,
    /// An IPv6 network.
    Cidr6,
    /// A domain name: case and a dot at its end mean nothing.
    Domain,
    /// An Amazon Resource Name, of one of these services when there are any.
    Arn(Vec<String>),
    /// The id of a resource of a type.
    Id {
        /// The type.
        of: String,
        /// What all of them begin with.
        prefix: String,
    },
    /// A public key as OpenSSH writes it; the comment behind it means nothing.
    SshPublicKey,
    /// Certificates in PEM; line breaks and what stands around them mean nothing.
    Certificates,
    /// Perhaps a URL, of whose password AWS returns `****`.
    MaskedUrl,
    /// Text that AWS keeps in lower case.
    Lowercase,
    /// Text that AWS keeps in upper case.
    Uppercase,
}

/// How the elements of a list are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// By position.
    Sequence,
    /// By value: order means nothing, and nothing is there twice.
    Set,
    /// By this attribute of each.
    Keyed(String),
}

/// The kind of a JSON document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// Any JSON: only formatting and key order mean nothing.
    Json,
    /// An IAM policy: single values and lists of one are the same, lists are sets.
    Policy,
    /// How SNS tries deliveries again: what says what leaving it out says is not there.
    Delivery,
}

/// A schema that is not one leoctl understands: a mistake in a type's own file.
#[derive(Debug, thiserror::Error)]
#[error("schema of {at}: {problem}")]
pub struct SchemaError {
    /// The attribute.
    pub at: String,
    /// What is wrong.
    pub problem: String,
}

impl Attribute {
    /// An attribute with no peculiarities, which is absent when it is left out.
    pub fn plain(name: &str, doc: &str, ty: Type) -> Self {
        Self {
            name: name.to_owned(),
            doc: doc.to_owned(),
            ty,
            required: false,
            computed: false,
            follows: Vec::new(),
            replace: false,
            within: None,
            none: None,
            or: None,
            kms_key: false,
            caseless: false,
            sensitive: false,
            local: false,
            excludes: Vec::new(),
            unset: Unset::Absent,
        }
    }
}

impl TypeSchema {
    /// Compiles the JSON Schema of a type, as `schemars` makes it with subschemas inlined.
    ///
    /// # Errors
    /// When a keyword or shape in it is not understood.
    pub fn compile(name: &str, json: &Json) -> Result<Self, SchemaError> {
        let Type::Object(attributes) = compile_type(json, name)? else {
            return Err(SchemaError { at: name.to_owned(), problem: "is not an object".to_owned() });
        };
        Ok(Self { name: name.to_owned(), doc: text(json, "description"), attributes })
    }

    /// The attribute `name`.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// What tells an attribute with this value from another resource's.
    pub fn told_by(&self, name: &str, value: &Value) -> Value {
        let attribute = self.attribute(name);
        match (value, attribute.map(|attribute| &attribute.ty)) {
            (Value::String(text), _) if attribute.is_some_and(|attribute| attribute.caseless) => Value::String(text.to_ascii_lowercase()),
            (Value::String(text), Some(Type::String(TextRule { format: Some(Format::MaskedUrl), .. }))) => Value::String(masked_url(text)),
            (other, _) => other.clone(),
        }
    }

    /// Whether it is a type of AWS's registry, which has no schema of leoctl's own.
    pub fn is_of_registry(&self) -> bool {
        self.name.starts_with("awscc_")
    }

    /// Whether the type can carry tags.
    pub fn is_taggable(&self) -> bool {
        self.attribute("tags").is_some()
    }
}

fn compile_type(json: &Json, at: &str) -> Result<Type, SchemaError> {
    let fail = |problem: String| SchemaError { at: at.to_owned(), problem };
    if let Some(kind) = json.get("x-document").and_then(Json::as_str) {
        return Ok(Type::Document(match kind {
            "policy" => DocumentKind::Policy,
            "json" => DocumentKind::Json,
            "delivery" => DocumentKind::Delivery,
            other => return Err(fail(format!("x-document {other}"))),
        }));
    }
    if let Some(variants) = json.get("anyOf").and_then(Json::as_array) {
        // `Option<Struct>`: one variant and null.
        let mut real = variants.iter().filter(|variant| variant.get("type") != Some(&Json::from("null")));
        return match (real.next(), real.next()) {
            (Some(only), None) => compile_type(&overlay(only, json), at),
            _ => Err(fail("anyOf with several variants".to_owned())),
        };
    }
    match type_name(json).as_deref() {
        Some("boolean") => Ok(Type::Bool),
        Some("integer") => Ok(Type::Int {
            min: json.get("minimum").and_then(Json::as_i64),
            max: json.get("maximum").and_then(Json::as_i64),
            one_of: list(json, "enum").iter().filter_map(Json::as_i64).collect(),
        }),
        Some("number") => Ok(Type::Float),
        Some("string") => Ok(Type::String(TextRule {
            one_of: list(json, "enum").iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            format: compile_format(json, at)?,
            max_length: json.get("maxLength").and_then(Json::as_u64),
            pattern: compile_pattern(json, at)?,
        })),
        Some("array") => {
            let items = json.get("items").ok_or_else(|| fail("array without items".to_owned()))?;
            let order = match json.get("x-key").and_then(Json::as_str) {
                Some(key) => Order::Keyed(key.to_owned()),
                None if flag(json, "x-set") => Order::Set,
                None => Order::Sequence,
            };
            // A format written on the list is that of its elements.
            let mut items = items.clone();
            if let (Some(format), Some(object)) = (json.get("x-format"), items.as_object_mut()) {
                object.insert("x-format".to_owned(), format.clone());
            }
            Ok(Type::List { item: Box::new(compile_type(&items, &format!("{at}[]"))?), order })
        }
        Some("object") => match json.get("properties").and_then(Json::as_object) {
            Some(properties) => Ok(Type::Object(compile_attributes(properties, json, at)?)),
            None => {
                let values = json.get("additionalProperties").ok_or_else(|| fail("object of nothing".to_owned()))?;
                let defaults = json.get("x-defaults").and_then(Json::as_object).into_iter().flatten();
                let texts = |value: &Json| match value {
                    Json::Array(any) => any.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
                    one => one.as_str().map(str::to_owned).into_iter().collect(),
                };
                let defaults = defaults.map(|(key, value)| (key.clone(), texts(value))).collect();
                Ok(Type::Map { item: Box::new(compile_type(values, &format!("{at}.*"))?), defaults })
            }
        },
        other => Err(fail(format!("type {other:?}"))),
    }
}

fn compile_attributes(properties: &Map<String, Json>, json: &Json, at: &str) -> Result<Vec<Attribute>, SchemaError> {
    let required: Vec<&str> = list(json, "required").iter().filter_map(Json::as_str).collect();
    properties
        .iter()
        .map(|(name, schema)| {
            let computed = flag(schema, "x-computed");
            let unset = match schema.get("default") {
                Some(default) if !computed && !default.is_null() => Unset::Default(Value::from(default)),
                _ if flag(schema, "x-server") => Unset::Server,
                _ => Unset::Absent,
            };
            Ok(Attribute {
                name: name.clone(),
                doc: text(schema, "description"),
                ty: compile_type(schema, &format!("{at}.{name}"))?,
                required: required.contains(&name.as_str()) && !computed && unset == Unset::Absent,
                computed,
                follows: follows(schema, properties, &format!("{at}.{name}"))?,
                replace: flag(schema, "x-replace"),
                within: schema.get("x-within").and_then(Json::as_str).map(str::to_owned),
                none: schema.get("x-none").map(Value::from),
                or: schema.get("x-or").map(Value::from),
                kms_key: flag(schema, "x-kms-key"),
                caseless: flag(schema, "x-caseless"),
                sensitive: flag(schema, "x-sensitive"),
                local: flag(schema, "x-local"),
                unset,
                excludes: Vec::new(),
            })
        })
        .collect()
}

/// The names under `x-follows`, each of which is an attribute beside this one.
fn follows(schema: &Json, properties: &Map<String, Json>, at: &str) -> Result<Vec<String>, SchemaError> {
    let names = list(schema, "x-follows").iter().map(|name| {
        let name = name.as_str().unwrap_or_default();
        match properties.contains_key(name) {
            true => Ok(name.to_owned()),
            false => Err(SchemaError { at: at.to_owned(), problem: format!("x-follows {name}, which is not an attribute beside it") }),
        }
    });
    names.collect()
}

fn compile_pattern(json: &Json, at: &str) -> Result<Option<Pattern>, SchemaError> {
    let Some(pattern) = json.get("pattern").and_then(Json::as_str) else { return Ok(None) };
    match text(json, "x-form") {
        form if form.is_empty() => Err(SchemaError { at: at.to_owned(), problem: format!("pattern {pattern}, which needs an x-form") }),
        form => Ok(Some(Pattern::in_words(pattern, form))),
    }
}

fn compile_format(json: &Json, at: &str) -> Result<Option<Format>, SchemaError> {
    Ok(Some(match json.get("x-format").and_then(Json::as_str) {
        None => return Ok(None),
        Some("cidr") => Format::Cidr,
        Some("cidr4") => Format::Cidr4,
        Some("cidr6") => Format::Cidr6,
        Some("domain") => Format::Domain,
        Some("arn") => Format::Arn(Vec::new()),
        Some("masked-url") => Format::MaskedUrl,
        Some("lowercase") => Format::Lowercase,
        Some("uppercase") => Format::Uppercase,
        Some("ssh-public-key") => Format::SshPublicKey,
        Some("certificates") => Format::Certificates,
        Some(arn) if arn.starts_with("arn:") => Format::Arn(arn.split([':', '|']).skip(1).map(str::to_owned).collect()),
        Some(other) => match other.strip_prefix("id:").and_then(|id| id.split_once(':')) {
            Some((of, prefix)) => Format::Id { of: of.to_owned(), prefix: prefix.to_owned() },
            None => return Err(SchemaError { at: at.to_owned(), problem: format!("x-format {other}") }),
        },
    }))
}

/// `json`'s keywords laid over `base`'s.
fn overlay(base: &Json, json: &Json) -> Json {
    let mut merged = base.clone();
    if let (Some(merged), Some(over)) = (merged.as_object_mut(), json.as_object()) {
        merged.extend(over.iter().filter(|(key, _)| *key != "anyOf").map(|(key, value)| (key.clone(), value.clone())));
    }
    merged
}

/// The JSON type, `null` (which every optional attribute allows) aside.
fn type_name(json: &Json) -> Option<String> {
    match json.get("type")? {
        Json::String(name) => Some(name.clone()),
        Json::Array(names) => names.iter().filter_map(Json::as_str).find(|name| *name != "null").map(str::to_owned),
        _ => None,
    }
}

fn flag(json: &Json, key: &str) -> bool {
    json.get(key) == Some(&Json::Bool(true))
}

fn text(json: &Json, key: &str) -> String {
    json.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn list<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default()
}
