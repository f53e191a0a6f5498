//! `leoctl cost`: what the stack costs a month as its file has it, and what a plan changes in that.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;

use super::session::Session;
use super::{CliError, Context, Exit, project};
use crate::ui;
use leoctl_core::cost;
use leoctl_core::cost::prices::Prices;
use leoctl_core::cost::side::Side;
use leoctl_core::model::address::Address;
use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::Plan;

/// Shows what the stack will cost when it is applied.
pub async fn run(context: &Context, stack: Option<&Path>) -> Result<Exit, CliError> {
    let path = project::stack_file(stack, context)?;
    let plan = planned(context, &path).await?;
    let prices = prices()?;
    let estimate = cost::estimate(&Side::after(&plan), prices);
    if context.global.json {
        ui::out(ui::cost::json(&plan, &estimate, prices));
    } else {
        ui::out(ui::flowing(ui::cost::render(&plan, &estimate, prices).trim_end()));
    }
    project::remember(&path);
    Ok(Exit::Done)
}

async fn planned(context: &Context, path: &Path) -> Result<Plan, CliError> {
    let session = Session::open(context, path).await?;
    Ok(session.plan(&Options::default(), true).await?.plan)
}

/// What the stack will cost when it is applied, as JSON.
pub async fn estimated(context: &Context, path: &Path) -> Result<Json, CliError> {
    let plan = planned(context, path).await?;
    let prices = prices()?;
    Ok(ui::cost::json(&plan, &cost::estimate(&Side::after(&plan), prices), prices))
}

fn prices() -> Result<&'static Prices, CliError> {
    Prices::built_in().map_err(|error| CliError::usage(&error.to_string(), "this leoctl is broken: please report it"))
}

/// What each resource will cost a month, in US dollars: those that something is asked for.
pub fn of_each(plan: &Plan) -> Result<BTreeMap<Address, f64>, CliError> {
    let estimate = cost::estimate(&Side::after(plan), prices()?);
    let paid = estimate.bills.into_iter().filter(|bill| !bill.items.is_empty());
    Ok(paid.map(|bill| (bill.address.clone(), bill.total())).collect())
}

/// A line on what a plan changes in what the stack costs; nothing when that stays the same.
pub fn change(plan: &Plan) -> Result<Option<String>, CliError> {
    let prices = prices()?;
    Ok(cost::change(plan, prices).map(|change| ui::commands::here(&ui::cost::change(&change, prices))))
}

/// The same as JSON, null when it stays the same.
pub fn change_json(plan: &Plan) -> Result<Json, CliError> {
    let prices = prices()?;
    Ok(cost::change(plan, prices).map_or(Json::Null, |change| ui::cost::change_json(&change, prices)))
}
