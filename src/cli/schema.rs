//! `leoctl schema`: the JSON Schema of stack and module files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::args::SchemaArgs;
use super::{CliError, Context, Exit, project};
use crate::docs::json_schema::{self, File};
use crate::{disk, ui};
use leoctl_aws::{cloud_control, registry};
use leoctl_core::stack::MAX_FILE_SIZE;
use leoctl_core::stack::diagnostic::{Diagnostics, suggestion};
use leoctl_core::stack::node;

/// The schema of stack files in a project.
pub const STACK_FILE: &str = ".leoctl/stack.schema.json";
/// The schema of modules in a project.
pub const MODULE_FILE: &str = ".leoctl/module.schema.json";

/// Writes the schema.
pub fn run(context: &Context, args: &SchemaArgs) -> Result<Exit, CliError> {
    let catalog = registry::catalog();
    for name in &args.types {
        if !catalog.resources.contains_key(name) {
            let known = catalog.resources.like(name);
            let help = suggestion(name, known.iter().map(String::as_str));
            let help = help.unwrap_or_else(|| "`leoctl explain --list` lists all".to_owned());
            return Err(CliError::usage(&format!("there is no type `{name}`"), &help));
        }
    }
    let further: BTreeSet<String> = args.types.iter().cloned().chain(used(context)?).filter(|name| is_further(name)).collect();
    let file = if args.module { File::Module } else { File::Stack };
    let text = text(file, &Vec::from_iter(further));
    let Some(path) = &args.out else {
        ui::terminal::exact(&text);
        return Ok(Exit::Done);
    };
    let written = fs::create_dir_all(disk::folder(path)).and_then(|()| fs::write(path, format!("{text}\n")));
    written.map_err(|error| CliError::usage(&format!("cannot write {}: {error}", path.display()), "name a file that can be written"))?;
    context.say(&format!("Editors find it in {}.", path.display()));
    Ok(Exit::Done)
}

/// The schema as text, on one line: with indentation it would be twice as large.
pub fn text(file: File, further: &[String]) -> String {
    json_schema::of(file, registry::catalog(), further).to_string()
}

fn is_further(name: &str) -> bool {
    name.starts_with(cloud_control::names::PREFIX) && registry::catalog().resources.contains_key(name)
}

/// The types that the project's files name.
fn used(context: &Context) -> Result<BTreeSet<String>, CliError> {
    let files = project::language_files(&context.global)?;
    Ok(files.iter().flat_map(|path| types(path)).collect())
}

/// The types that a file names, as far as it can be read.
fn types(path: &Path) -> Vec<String> {
    let text = disk::read_text(path, MAX_FILE_SIZE as u64).unwrap_or_default();
    let table = node::parse(0, &text, &mut Diagnostics::default());
    let sections = ["resource", "data"].into_iter().filter_map(|section| table.get(section)?.node.as_table());
    sections.flat_map(|types| types.keys().cloned()).collect()
}
