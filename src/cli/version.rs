//! `leoctl version`: what this leoctl is, and which formats it reads and writes.

use serde_json::Value as Json;

use super::{CliError, Context, Exit, plan_id, review, saved};
use crate::ui;
use crate::ui::version::{Format, Version};
use leoctl_aws::cloud_control::bundle::Bundle;
use leoctl_core::cost::prices::Prices;
use leoctl_core::model::state;
use leoctl_core::stack::LANGUAGE_VERSION;

/// Prints the version.
pub fn run(context: &Context) -> Result<Exit, CliError> {
    let version = version();
    if context.global.json {
        ui::out(ui::version::json(&version));
    } else {
        ui::out(ui::version::render(&version));
    }
    Ok(Exit::Done)
}

fn version() -> Version {
    Version {
        version: env!("CARGO_PKG_VERSION"),
        commit: option_env!("LEOCTL_BUILD_COMMIT").filter(|commit| !commit.is_empty()),
        target: env!("LEOCTL_TARGET"),
        features: env!("LEOCTL_FEATURES").split(',').filter(|name| !name.is_empty()).collect(),
        formats: formats(),
        schemas: Bundle::get().map_or(Json::Null, |bundle| bundle.head.clone()),
        prices: Prices::built_in().ok().map(|prices| prices.compiled.clone()),
    }
}

fn formats() -> Vec<Format> {
    let format = |name, title, reads_from, writes| Format { name, title, writes, reads_from };
    vec![
        format("language", "stack language", Some(LANGUAGE_VERSION), LANGUAGE_VERSION),
        format("state", "state", Some(state::OLDEST_FORMAT), state::FORMAT_VERSION),
        format("saved_plan", "saved plan", Some(saved::VERSION), saved::VERSION),
        format("plan_id", "plan id", Some(plan_id::FORMAT), plan_id::FORMAT),
        format("review", "review", Some(review::VERSION), review::VERSION),
        format("plan_json", "plan --json", None, ui::json::FORMAT_VERSION),
        format("cost_json", "cost --json", None, ui::cost::FORMAT_VERSION),
    ]
}
