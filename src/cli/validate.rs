//! `leoctl validate`.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::{CliError, Context, Exit, changed, error_text, project};
use crate::ui;
use leoctl_core::stack::{Loaded, Stack};

/// Checks stacks without asking AWS.
pub fn run(context: &Context, stacks: &[PathBuf], changes: Option<&Path>, repository: &Path) -> Result<Exit, CliError> {
    if changes.is_some() {
        return all(context, &changed::select(stacks.to_vec(), changes, repository, context)?);
    }
    match stacks {
        [] => one(context, &project::stack_file(None, context)?),
        [path] if project::is_module(path) => one(context, path),
        [path] => one(context, &project::stack_file(Some(path), context)?),
        several => all(context, several),
    }
}

/// A stack, what is known of it as JSON, and what is wrong with it.
type Checked = (Json, Result<Stack, CliError>);

fn checked(context: &Context, path: &Path) -> Result<Checked, CliError> {
    let is_module = project::is_module(path);
    let loaded = if is_module { project::loaded_module(path)? } else { project::loaded(path, &context.global)? };
    let Loaded { stack, diagnostics, sources, files } = loaded;
    let files: Vec<Json> =
        files.iter().map(|file| json!({ "path": project::relative(path, &file.path), "role": file.role.name() })).collect();
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
        Err(error) => json!({ "valid": false, "error": error_text(error, false), "files": files }),
    };
    Ok((shown, stack))
}

fn one(context: &Context, path: &Path) -> Result<Exit, CliError> {
    let (shown, stack) = checked(context, path)?;
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
fn all(context: &Context, paths: &[PathBuf]) -> Result<Exit, CliError> {
    let checked = paths.iter().map(|path| Ok((path, checked(context, path)?))).collect::<Result<Vec<_>, CliError>>()?;
    let mut exit = Exit::Done;
    for (path, (_, stack)) in &checked {
        match stack {
            Ok(stack) if !context.global.json => ui::out(format!("{}: {}", path.display(), verdict(path, stack))),
            Ok(_) => {}
            Err(error) => {
                ui::note(error_text(error, !context.global.no_color));
                exit = Exit::Error;
            }
        }
    }
    if context.global.json {
        let shown = checked.into_iter().map(|(path, (mut shown, _))| {
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
