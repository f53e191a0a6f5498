//! `leoctl validate`.

use std::path::Path;

use super::{CliError, Context, Exit, project};
use crate::ui;

/// Checks a stack without asking AWS.
pub fn run(context: &Context, stack: Option<&Path>) -> Result<Exit, CliError> {
    let path = project::stack_file(stack, context)?;
    let stack = project::load(&path, &context.global)?;
    let (resources, data) = (stack.config.resources.len(), stack.config.data.len());
    if context.global.json {
        ui::out(serde_json::json!({ "valid": true, "stack": stack.name, "resources": resources, "data": data }));
    } else {
        ui::out(format!("{} is valid: {}, {}.", stack.name, ui::counted(resources, "resource block"), ui::counted(data, "data source")));
    }
    Ok(Exit::Done)
}
