//! `leoctl explain`: what there is to say of a type and its attributes.

pub mod list;

use std::borrow::Cow;

use serde_json::json;

use super::args::ExplainArgs;
use super::{CliError, Context, Exit, session};
use crate::codes;
use crate::docs::{self, NoAttribute};
use crate::ui;
use leoctl_aws::cloud_control::{self, names, prose};
use leoctl_aws::examples;
use leoctl_core::model::schema::{Catalog, TypeSchema};
use leoctl_core::stack::diagnostic::{Code, suggestion};

/// What a data source's type begins with.
const DATA: &str = "data.";

/// Explains a type, or one attribute of it: `vpc`, `data.vpc`, `awscc_rds_db_instance.engine`, `AWS::RDS::DBInstance`; or lists all.
pub async fn run(context: &Context, args: &ExplainArgs) -> Result<Exit, CliError> {
    match &args.what {
        Some(word) => one(context, word, args.aws).await,
        None => Ok(list::run(context)),
    }
}

async fn one(context: &Context, word: &str, from_aws: bool) -> Result<Exit, CliError> {
    if let Some(code) = Code::named(word) {
        return of_code(context, code);
    }
    let (title, path) = split(word);
    let schema = known(&title)?;
    let schema = if from_aws { Cow::Owned(described(context, &title, schema).await?) } else { Cow::Borrowed(schema) };
    if context.global.json {
        let mut shown = docs::json(&schema, path.iter().map(String::as_str)).map_err(|none| no_attribute(&title, &none))?;
        if let (true, Some(example), Some(fields)) = (path.is_empty(), examples::of(&title), shown.as_object_mut()) {
            fields.insert("example".to_owned(), example.into());
        }
        ui::out(shown);
        return Ok(Exit::Done);
    }
    ui::out(said(&title, &path, &schema)?);
    Ok(Exit::Done)
}

/// What there is to say of a type, or of one of its attributes.
fn said(title: &str, path: &[String], schema: &TypeSchema) -> Result<String, CliError> {
    if !path.is_empty() {
        let text = docs::attribute(schema, path.iter().map(String::as_str)).map_err(|none| no_attribute(title, &none))?;
        return Ok(text.trim_end().to_owned());
    }
    let mut parts = vec![docs::page(title, schema)];
    let resource = leoctl_aws::registry::catalog().resources.get(title);
    parts.extend(resource.and_then(|resource| docs::life(resource)));
    if title.starts_with(names::PREFIX) {
        parts.push(format!("`leoctl explain --aws {title}` has AWS's own words for each attribute."));
    }
    parts.extend(
        resource.and_then(|resource| resource.instead).map(|own| format!("leoctl has a type of its own for it: `leoctl explain {own}`.")),
    );
    Ok(parts.iter().map(|part| part.trim_end()).collect::<Vec<_>>().join("\n\n"))
}

/// What there is to say of a type, an attribute or a code, as Markdown.
///
/// # Errors
/// When there is none of that name; it says the nearest.
pub fn text(word: &str) -> Result<String, CliError> {
    if let Some(code) = Code::named(word) {
        return Ok(codes::markdown(code.as_str(), &page(code)?).trim_end().to_owned());
    }
    let (title, path) = split(word);
    said(&title, &path, known(&title)?)
}

/// The schema of a resource type, or of a data source with `data.` before its name.
///
/// # Errors
/// When there is none of that name; it says the nearest.
pub fn known(title: &str) -> Result<&'static TypeSchema, CliError> {
    let catalog = leoctl_aws::registry::catalog();
    schema(catalog, title).ok_or_else(|| unknown(catalog, title))
}

fn page(code: Code) -> Result<codes::Page, CliError> {
    let none = || CliError::usage(&format!("there is no page of {}", code.as_str()), "docs/errors.md has them all");
    codes::page(code).ok_or_else(none)
}

/// Explains what a code of a mistake or failure means.
fn of_code(context: &Context, code: Code) -> Result<Exit, CliError> {
    let page = page(code)?;
    if context.global.json {
        ui::out(json!({ "code": code.as_str(), "page": page }));
    } else {
        ui::out(codes::markdown(code.as_str(), &page).trim_end());
    }
    Ok(Exit::Done)
}

fn no_attribute(title: &str, none: &NoAttribute) -> CliError {
    let help = suggestion(&none.name, none.known.iter().map(String::as_str));
    let help = help.unwrap_or_else(|| format!("`leoctl explain {title}` lists them"));
    CliError::usage(&format!("`{title}` has no attribute `{}` there", none.name), &help)
}

/// The type that is meant, by its name in stack files, and the names of the attribute. What AWS calls a type and its properties is
/// understood, and so are places of elements, as messages have them.
fn split(word: &str) -> (String, Vec<String>) {
    let (prefix, rest) = word.strip_prefix(DATA).map_or(("", word), |rest| (DATA, rest));
    let plain = |name: &str| name.split('[').next().unwrap_or_default().to_owned();
    let mut parts = rest.split('.').map(plain);
    let first = parts.next().unwrap_or_default();
    match first.starts_with("AWS::") {
        true => (format!("{prefix}{}", names::type_name(&first)), parts.map(|name| names::snake(&name)).collect()),
        false => (format!("{prefix}{first}"), parts.collect()),
    }
}

fn schema<'a>(catalog: &'a Catalog, title: &str) -> Option<&'a TypeSchema> {
    match title.strip_prefix(DATA) {
        Some(name) => catalog.data.get(name).map(AsRef::as_ref),
        None => catalog.resources.get(title).map(|resource| &resource.schema),
    }
}

fn unknown(catalog: &'static Catalog, title: &str) -> CliError {
    let message = format!("there is no type `{title}`");
    let known = match title.strip_prefix(DATA) {
        Some(_) => catalog.data.keys().map(|name| format!("{DATA}{name}")).collect(),
        None => catalog.resources.like(title),
    };
    // Terraform's names begin with its provider's.
    let own = title.strip_prefix("aws_").filter(|name| catalog.resources.contains_key(name));
    let help = own.map(|name| format!("leoctl calls it `{name}`"));
    let help = help.or_else(|| suggestion(title, known.iter().map(String::as_str))).unwrap_or_else(|| {
        let word = title.trim_start_matches("aws_").trim_start_matches(names::PREFIX).trim_end_matches('_');
        let all = catalog.resources.keys().map(String::as_str).chain(cloud_control::type_names());
        let like: Vec<&str> = all.filter(|name| !word.is_empty() && name.contains(word)).collect();
        match like.as_slice() {
            [] => "`leoctl explain` completes the names of all, with `leoctl completions`".to_owned(),
            some => format!("there are {}{}", some.iter().take(MOST).copied().collect::<Vec<_>>().join(", "), more(some.len())),
        }
    });
    CliError::usage(&message, &help)
}

/// How many names are listed.
const MOST: usize = 20;

fn more(count: usize) -> String {
    count.checked_sub(MOST).filter(|beyond| *beyond > 0).map_or_else(String::new, |beyond| format!(" and {beyond} more"))
}

/// The schema with AWS's own words.
async fn described(context: &Context, title: &str, schema: &TypeSchema) -> Result<TypeSchema, CliError> {
    let Some(kind) = cloud_control::kind(title) else {
        return Err(CliError::usage(
            &format!("`{title}` is a type of leoctl's own, of which AWS's registry has no words"),
            &format!("`leoctl explain {title}` says all there is"),
        ));
    };
    if context.global.sandbox {
        return Err(CliError::usage("the sandbox has no registry of types", "leave `--sandbox` out: AWS is asked with your credentials"));
    }
    let aws = session::buckets(&session::settings(&context.global), None, None).await?;
    let described = prose::described(&aws, kind, schema).await;
    described.map_err(|failure| CliError::aws(&format!("cannot read what AWS says of {}", kind.facts.aws), failure))
}
