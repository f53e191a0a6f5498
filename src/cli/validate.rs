//! `leoctl validate`.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::args::ValidateArgs;
use super::{CliError, Context, Exit, changed, error, project};
use crate::ui;
use leoctl_core::stack::{Loaded, Stack};

/// Checks stacks without asking AWS.
pub fn run(context: &Context, args: &ValidateArgs) -> Result<Exit, CliError> {
    let report = args.code_quality.as_deref();
    if args.changed.is_some() {
        let chosen = changed::select(args.stacks.clone(), args.changed.as_deref(), &args.repository, context)?;
        return all(context, &chosen, report);
    }
    match args.stacks.as_slice() {
        [] => one(context, &project::stack_file(None, context)?, report),
        [path] if project::is_module(path) => one(context, path, report),
        [path] => one(context, &project::stack_file(Some(path), context)?, report),
        several => all(context, several, report),
    }
}

/// Writes what is wrong with stacks as a code quality report.
fn write_report(report: Option<&Path>, findings: &[&Json]) -> Result<(), CliError> {
    let Some(path) = report else { return Ok(()) };
    std::fs::write(path, json!(findings).to_string())
        .map_err(|problem| CliError::usage(&format!("cannot write {}: {problem}", path.display()), "name a file in a folder that is there"))
}

/// What came of checking a stack.
pub struct Checked {
    /// What is known of it as JSON.
    pub shown: Json,
    /// What is wrong with it or worth knowing, as entries of errors as data.
    pub entries: Vec<Json>,
    /// What is wrong with it or worth knowing, as entries of a code quality report.
    findings: Vec<Json>,
    /// What it is.
    pub stack: Result<Stack, CliError>,
}

/// Checks a stack or a module without asking AWS.
///
/// # Errors
/// When what variables are given cannot be read.
pub fn checked(context: &Context, path: &Path) -> Result<Checked, CliError> {
    let is_module = project::is_module(path);
    let loaded = if is_module { project::loaded_module(path)? } else { project::loaded(path, &context.global)? };
    let Loaded { stack, diagnostics, sources, files } = loaded;
    let files: Vec<Json> =
        files.iter().map(|file| json!({ "path": project::relative(path, &file.path), "role": file.role.name() })).collect();
    let findings = error::code_quality(path, &diagnostics.0, &sources);
    let entries = error::of_stack(&diagnostics.0, &sources);
    let warnings: Vec<String> = diagnostics.0.iter().map(|warning| warning.message.clone()).collect();
    if stack.is_some() && !warnings.is_empty() && !context.global.json {
        ui::note(ui::diagnostics::render(&diagnostics, &sources, !context.global.no_color));
    }
    let stack = stack.ok_or(CliError::Diagnostics { diagnostics, sources });
    let shown = match &stack {
        Ok(stack) => {
            let (resources, data) = (stack.config.resources.len(), stack.config.data.len());
            let of = if is_module { json!({ "module": path }) } else { json!({ "stack": stack.name }) };
            let mut shown = json!({ "valid": true, "resources": resources, "data": data, "files": files });
            if let (Some(shown), Json::Object(of)) = (shown.as_object_mut(), of) {
                shown.extend(of);
                shown.extend((!warnings.is_empty()).then(|| ("warnings".to_owned(), json!(warnings))));
            }
            shown
        }
        Err(error) => json!({ "valid": false, "error": error::text(error, false), "errors": error::json(error), "files": files }),
    };
    Ok(Checked { shown, entries, findings, stack })
}

fn one(context: &Context, path: &Path, report: Option<&Path>) -> Result<Exit, CliError> {
    let Checked { shown, findings, stack, .. } = checked(context, path)?;
    write_report(report, &findings.iter().collect::<Vec<_>>())?;
    if context.global.json {
        ui::out(shown);
    }
    let stack = stack?;
    if !context.global.json {
        ui::out(verdict(path, &stack));
    }
    Ok(Exit::Done)
}

/// Checks stacks one after the other; one that is wrong keeps no other from being checked.
fn all(context: &Context, paths: &[PathBuf], report: Option<&Path>) -> Result<Exit, CliError> {
    let checked = paths.iter().map(|path| Ok((path, checked(context, path)?))).collect::<Result<Vec<_>, CliError>>()?;
    write_report(report, &checked.iter().flat_map(|(_, checked)| &checked.findings).collect::<Vec<_>>())?;
    let mut exit = Exit::Done;
    for (path, Checked { stack, .. }) in &checked {
        match stack {
            Ok(stack) if !context.global.json => ui::out(format!("{}: {}", path.display(), verdict(path, stack))),
            Ok(_) => {}
            Err(error) => {
                error::show(error, context.global.json, !context.global.no_color);
                exit = Exit::Error;
            }
        }
    }
    if context.global.json {
        let shown = checked.into_iter().map(|(path, Checked { mut shown, .. })| {
            if let Some(fields) = shown.as_object_mut() {
                fields.insert("stack_file".to_owned(), json!(path));
            }
            shown
        });
        ui::out(shown.collect::<Json>());
    }
    Ok(exit)
}

fn verdict(path: &Path, stack: &Stack) -> String {
    let (resources, data) = (stack.config.resources.len(), stack.config.data.len());
    let name = if project::is_module(path) { format!("The module {}", path.display()) } else { stack.name.clone() };
    format!("{name} is valid: {}, {}.", ui::counted(resources, "resource block"), ui::counted(data, "data source"))
}
