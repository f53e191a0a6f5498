//! The reference of every type, written from the schemas.

pub mod commands;
pub mod json_schema;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value as Json, json};

use crate::ui::value::inline;
use leoctl_aws::examples;
use leoctl_core::model::schema::{Attribute, Catalog, DocumentKind, Format, Order, ResourceSchema, Type, TypeSchema, Unset};

/// The pages of the reference by file name.
pub fn pages(catalog: &Catalog) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut index = String::from("# Types\n\nWritten from the schemas; what is said here is what leoctl checks.\n\n## Resources\n\n");
    for (name, resource) in catalog.resources.iter() {
        entry(&mut index, name, &format!("{name}.md"), &resource.schema);
        pages.insert(format!("{name}.md"), page(name, &resource.schema));
    }
    index.push_str("\n## Data sources\n\n");
    for (name, schema) in catalog.data.iter() {
        let file = format!("data-{name}.md");
        entry(&mut index, name, &file, schema);
        pages.insert(file, page(&format!("data.{name}"), schema));
    }
    pages.insert("README.md".to_owned(), index);
    pages
}

/// The data sources there are, as the documentation of the stack language lists them.
pub fn data_sources(catalog: &Catalog) -> String {
    let links = catalog.data.keys().map(|name| format!("[`{name}`](types/data-{name}.md)"));
    format!("Available: {}.", links.collect::<Vec<_>>().join(", "))
}

/// What there is to say of one attribute of a type, by its path of names.
///
/// # Errors
/// If there is no such attribute.
pub fn attribute<'a>(schema: &TypeSchema, path: impl IntoIterator<Item = &'a str>) -> Result<String, NoAttribute> {
    let mut text = String::new();
    find(schema, path)?.1.into_iter().for_each(|attribute| item(&mut text, attribute, 0));
    Ok(text)
}

/// The same of a type, or of one of its attributes, for programs.
///
/// # Errors
/// If there is no such attribute.
pub fn json<'a>(schema: &TypeSchema, path: impl IntoIterator<Item = &'a str>) -> Result<Json, NoAttribute> {
    let (among, found) = find(schema, path)?;
    Ok(match found {
        Some(attribute) => attribute_json(attribute),
        None => json!({ "type": schema.name, "doc": schema.doc, "attributes": among.iter().map(attribute_json).collect::<Vec<_>>() }),
    })
}

fn attribute_json(attribute: &Attribute) -> Json {
    let inner = inside(&attribute.ty).map(|inner| inner.iter().map(attribute_json).collect::<Vec<_>>());
    json!({
        "name": attribute.name,
        "doc": attribute.doc,
        "type": kind(&attribute.ty),
        "required": attribute.required,
        "computed": attribute.computed,
        "replaces": attribute.replace,
        "sensitive": attribute.sensitive,
        "default": if let Unset::Default(default) = &attribute.unset { default.to_json().ok() } else { None },
        "attributes": inner,
    })
}

/// The attribute at a path of names and those inside of it; of no name, those of the type.
fn find<'s, 'a>(
    schema: &'s TypeSchema,
    path: impl IntoIterator<Item = &'a str>,
) -> Result<(&'s [Attribute], Option<&'s Attribute>), NoAttribute> {
    let (mut among, mut found): (&[Attribute], _) = (&schema.attributes, None);
    for name in path {
        let one = among.iter().find(|attribute| attribute.name == name);
        let one = one.ok_or_else(|| NoAttribute { name: name.to_owned(), known: among.iter().map(|one| one.name.clone()).collect() })?;
        (among, found) = (inside(&one.ty).unwrap_or_default(), Some(one));
    }
    Ok((among, found))
}

/// There is no attribute of this name where it was looked for.
#[derive(Debug)]
pub struct NoAttribute {
    /// The name.
    pub name: String,
    /// Those that there are.
    pub known: Vec<String>,
}

fn entry(index: &mut String, name: &str, file: &str, schema: &TypeSchema) {
    let summary = schema.doc.lines().next().unwrap_or_default();
    // Writing to a String cannot fail.
    let _ = writeln!(index, "- [`{name}`]({file}): {summary}");
}

/// All there is to say of a type.
pub fn page(title: &str, schema: &TypeSchema) -> String {
    let mut text = format!("# {title}\n\n{}\n", schema.doc);
    if let Some(example) = examples::of(title) {
        let _ = write!(text, "\n## Example\n\n```toml\n{example}```\n");
    }
    let (computed, written): (Vec<&Attribute>, Vec<&Attribute>) = schema.attributes.iter().partition(|attribute| attribute.computed);
    if !written.is_empty() {
        text.push_str("\n## Attributes\n\n");
        written.iter().for_each(|attribute| item(&mut text, attribute, 0));
    }
    if !computed.is_empty() {
        text.push_str("\n## Set by AWS\n\n");
        computed.iter().for_each(|attribute| item(&mut text, attribute, 0));
    }
    text
}

/// What is known of the life of a type's resources beside its attributes; nothing where that is nothing.
pub fn life(resource: &ResourceSchema) -> Option<String> {
    let mut lines = Vec::new();
    lines.extend(resource.data_loss.map(|loss| format!("Deleting or replacing one loses {loss}.")));
    for how in resource.interrupts.iter().map(|(_, how)| *how).collect::<BTreeSet<_>>() {
        let names = resource.interrupts.iter().filter(|(_, other)| *other == how).map(|(name, _)| format!("`{name}`"));
        lines.push(format!("A change of {} {how}.", names.collect::<Vec<_>>().join(", ")));
    }
    let held: Vec<String> = resource.held_by.iter().map(|name| format!("`{name}`")).collect();
    lines.extend((!held.is_empty()).then(|| format!("AWS does not delete one while {} uses it.", held.join(" or "))));
    let text: Vec<String> = lines.iter().map(|line| format!("- {line}\n")).collect();
    (!text.is_empty()).then(|| format!("## Life\n\n{}", text.concat()))
}

fn item(text: &mut String, attribute: &Attribute, indent: usize) {
    let doc = attribute.doc.replace('\n', " ");
    let _ = writeln!(text, "{:indent$}- `{}` ({}): {doc}", "", attribute.name, notes(attribute));
    if let Some(inner) = inside(&attribute.ty) {
        inner.iter().for_each(|attribute| item(text, attribute, indent + 2));
    }
}

/// What can be said of an attribute in a few words.
fn notes(attribute: &Attribute) -> String {
    let mut notes = vec![kind(&attribute.ty)];
    if attribute.required {
        notes.push("required".to_owned());
    }
    match &attribute.unset {
        Unset::Default(default) => notes.push(format!("default `{}`", inline(default))),
        Unset::Server if !attribute.computed && !attribute.required => notes.push("AWS's choice when left out".to_owned()),
        _ => {}
    }
    if attribute.replace {
        notes.push("**changing it replaces the resource**".to_owned());
    }
    if !attribute.follows.is_empty() {
        let names: Vec<String> = attribute.follows.iter().map(|name| format!("`{name}`")).collect();
        notes.push(format!("follows {}", names.join(", ")));
    }
    if !attribute.excludes.is_empty() {
        let names: Vec<String> = attribute.excludes.iter().map(|name| format!("`{name}`")).collect();
        notes.push(format!("not together with {}", names.join(" or ")));
    }
    match (attribute.sensitive, attribute.local) {
        (true, _) => notes.push("never shown or stored".to_owned()),
        (false, true) => notes.push("leoctl's own".to_owned()),
        (false, false) => {}
    }
    notes.join(", ")
}

fn inside(ty: &Type) -> Option<&[Attribute]> {
    match ty {
        Type::Object(attributes) => Some(attributes),
        Type::List { item, .. } | Type::Map { item, .. } => inside(item),
        _ => None,
    }
}

/// What a type holds, in a few words.
pub fn kind(ty: &Type) -> String {
    match ty {
        Type::Bool => "boolean".to_owned(),
        Type::Float => "number".to_owned(),
        Type::Int { one_of, .. } if !one_of.is_empty() => {
            format!("one of {}", one_of.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Type::Int { min: Some(min), max: Some(max), .. } => format!("integer from {min} to {max}"),
        Type::Int { min: Some(min), .. } => format!("integer from {min} on"),
        Type::Int { .. } => "integer".to_owned(),
        Type::String(rule) if !rule.one_of.is_empty() => {
            format!("one of {}", rule.one_of.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", "))
        }
        Type::String(rule) => match &rule.format {
            Some(Format::Cidr) => "network".to_owned(),
            Some(Format::Cidr4) => "IPv4 network".to_owned(),
            Some(Format::Cidr6) => "IPv6 network".to_owned(),
            Some(Format::Domain) => "domain name".to_owned(),
            Some(Format::SshPublicKey) => "public key".to_owned(),
            Some(Format::Certificates) => "certificates in PEM".to_owned(),
            Some(Format::MaskedUrl | Format::Lowercase | Format::Uppercase | Format::Id { .. }) => "string".to_owned(),
            Some(Format::Arn(services)) if services.is_empty() => "ARN".to_owned(),
            Some(Format::Arn(services)) => format!("ARN of {}", services.join(" or ")),
            None => "string".to_owned(),
        },
        Type::List { item, order: Order::Sequence } => format!("list of {}", kind(item)),
        Type::List { item, order: Order::Set } => format!("set of {}", kind(item)),
        Type::List { item, order: Order::Keyed(key) } => format!("list of {} by `{key}`", kind(item)),
        Type::Map { item, .. } => format!("map of {}", kind(item)),
        Type::Object(_) => "table".to_owned(),
        Type::Document(DocumentKind::Policy) => "policy document".to_owned(),
        Type::Document(DocumentKind::Json | DocumentKind::Delivery) => "JSON document".to_owned(),
    }
}
