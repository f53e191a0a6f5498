//! `leoctl explain`: what there is to say of a type and its attributes.

use std::borrow::Cow;

use super::{CliError, Context, Exit, project, session};
use crate::{docs, ui};
use leoctl_aws::cloud_control::{self, names, prose};
use leoctl_core::model::schema::{Catalog, TypeSchema};
use leoctl_core::stack::diagnostic::suggestion;

/// What a data source's type begins with.
const DATA: &str = "data.";

/// Explains a type, or one attribute of it: `vpc`, `data.vpc`, `awscc_rds_db_instance.engine`, `AWS::RDS::DBInstance`.
pub async fn run(context: &Context, word: &str, from_aws: bool) -> Result<Exit, CliError> {
    let (title, path) = split(word);
    let catalog = project::catalog()?;
    let schema = schema(catalog, &title).ok_or_else(|| unknown(catalog, &title))?;
    let schema = if from_aws { Cow::Owned(described(context, &title, schema).await?) } else { Cow::Borrowed(schema) };
    if path.is_empty() {
        ui::out(docs::page(&title, &schema).trim_end());
        if let Some(own) = catalog.resources.get(&title).and_then(|resource| resource.instead) {
            ui::out(format!("\nleoctl has a type of its own for it: `leoctl explain {own}`."));
        }
        return Ok(Exit::Done);
    }
    let text = docs::attribute(&schema, path).map_err(|none| {
        let help = suggestion(&none.name, none.known.iter().map(String::as_str));
        let help = help.unwrap_or_else(|| format!("`leoctl explain {title}` lists them"));
        CliError::usage(&format!("`{title}` has no attribute `{}` there", none.name), &help)
    })?;
    ui::out(text.trim_end());
    Ok(Exit::Done)
}

/// The type that is meant, by its name in stack files, and the names of the attribute.
fn split(word: &str) -> (String, Vec<&str>) {
    let (prefix, rest) = word.strip_prefix(DATA).map_or(("", word), |rest| (DATA, rest));
    let mut names = rest.split('.');
    let first = names.next().unwrap_or_default();
    let first = if first.starts_with("AWS::") { names::type_name(first) } else { first.to_owned() };
    (format!("{prefix}{first}"), names.collect())
}

fn schema<'a>(catalog: &'a Catalog, title: &str) -> Option<&'a TypeSchema> {
    match title.strip_prefix(DATA) {
        Some(name) => catalog.data.get(name).map(AsRef::as_ref),
        None => catalog.resources.get(title).map(|resource| &resource.schema),
    }
}

fn unknown(catalog: &Catalog, title: &str) -> CliError {
    let known = match title.strip_prefix(DATA) {
        Some(_) => catalog.data.keys().map(|name| format!("{DATA}{name}")).collect(),
        None => catalog.resources.like(title),
    };
    let help = suggestion(title, known.iter().map(String::as_str));
    CliError::usage(&format!("there is no type `{title}`"), &help.unwrap_or_else(|| "docs/types lists them".to_owned()))
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
