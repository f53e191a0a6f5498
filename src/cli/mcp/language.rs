//! The tools that need no AWS: `validate`, `explain`, `schema`.

use serde_json::{Map, Value as Json, json};

use super::answer::{self, Answer, ENTRIES};
use super::arguments::{Explain, OfStack, Schema};
use super::here::Here;
use crate::cli::explain::{self, list};
use crate::cli::{CliError, error, validate};
use crate::docs::json_schema::{self, File};
use leoctl_aws::registry;

/// How many mistakes are said at once.
const MISTAKES: usize = 50;

/// Checks a stack or a module: what is wrong with it is its answer, and no failure of the tool.
pub fn validate(here: &Here, args: &OfStack) -> Answer {
    let path = here.stack(args.of.stack.as_deref())?;
    let checked = validate::checked(&here.context(&args.of.vars), &path)?;
    let (mut shown, entries) = (checked.shown, checked.entries);
    // A file that is not there has no entry at a place of its own.
    let entries = match &checked.stack {
        Err(problem) if entries.is_empty() => error::json(problem),
        _ => entries,
    };
    let total = entries.len();
    let entries: Vec<Json> = entries.into_iter().take(MISTAKES).collect();
    if let Some(fields) = shown.as_object_mut() {
        // The same as one text, and as entries.
        fields.remove("error");
        fields.remove("warnings");
        fields.remove("errors");
        let name = if checked.stack.is_ok() { "warnings" } else { "errors" };
        fields.insert("stack_file".to_owned(), json!(path));
        fields.insert(name.to_owned(), entries.into());
        fields.insert(format!("{name}_total"), total.into());
    }
    answer::cut(&mut shown);
    Ok(shown)
}

/// Says what a type, an attribute or a code is, or lists types.
pub fn explain(args: &Explain) -> Answer {
    match (&args.what, &args.search) {
        (Some(_), Some(_)) => Err(CliError::usage("`what` and `search` ask for two answers", "leave one of them out")),
        (Some(what), None) => Ok(answer::page(&explain::text(what)?, args.offset)),
        (None, search) => Ok(listed(&search.as_deref().unwrap_or_default().to_lowercase(), args.offset)),
    }
}

fn listed(word: &str, offset: usize) -> Json {
    let has = |text: &str| text.to_lowercase().contains(word);
    let all = list::all().into_iter();
    let some: Vec<list::Listed> =
        all.filter(|one| if word.is_empty() { one.kind != "awscc" } else { has(&one.name) || has(&one.summary) }).collect();
    let part = answer::part(some.iter().map(list::json), offset, ENTRIES);
    json!({ "types": part.entries, "total": part.total, "next_offset": part.next })
}

/// The JSON Schema of a type's blocks, or of stack files without their types.
pub fn schema(args: &Schema) -> Answer {
    let file = if args.module { File::Module } else { File::Stack };
    let further: Vec<String> = args.of_type.iter().map(|name| name.trim_start_matches("data.").to_owned()).collect();
    if let Some(name) = &args.of_type {
        explain::known(name)?;
    }
    let mut whole = json_schema::of(file, registry::catalog(), &further);
    let text = match &args.of_type {
        Some(name) => {
            let (section, name) = name.strip_prefix("data.").map_or(("resource", name.as_str()), |name| ("data", name));
            whole.pointer(&format!("/properties/{section}/properties/{name}")).unwrap_or(&Json::Null).to_string()
        }
        None => {
            let sections = whole.get_mut("properties").and_then(Json::as_object_mut);
            sections.into_iter().for_each(without_types);
            whole.to_string()
        }
    };
    Ok(answer::page(&text, args.offset))
}

/// Says of the two sections that hold types where those are.
fn without_types(sections: &mut Map<String, Json>) {
    for (section, example) in [("resource", "ecs_service"), ("data", "data.vpc")] {
        if let Some(found) = sections.get_mut(section) {
            let of =
                format!("Blocks by type and name. The tool `schema` with `type`, such as {example}, has the schema of one type's blocks.");
            *found = json!({ "type": "object", "description": of });
        }
    }
}
