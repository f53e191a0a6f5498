//! What a stack costs a month: a plan and a table of prices in, an [`Estimate`] out. Pure.
//!
//! Reading order: [`prices`] (the table), [`side`] (what a plan says there is, or will be), [`bill`] (what one resource
//! costs, item by item), then a file for each kind of resource, put together by [`estimate`]; `charges` is the table of what
//! Cloud Control manages.

pub mod bill;
mod charges;
mod compute;
mod files;
mod instance;
mod network;
mod pieces;
pub mod prices;
pub mod side;

use std::collections::BTreeSet;

use crate::model::address::Address;
use crate::plan::types::Plan;
use crate::stack::usage::{ASSUMPTIONS, Use};
use bill::{Basis, Bill, Desk};
use prices::Prices;
use side::{Resource, Side};

/// What all resources of one side of a plan cost a month.
#[derive(Clone, Debug)]
pub struct Estimate {
    /// Each resource, in the plan's order.
    pub bills: Vec<Bill>,
    /// What it assumes.
    pub assumed: Vec<Assumed>,
}

/// An assumption an estimate makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumed {
    /// What is assumed.
    pub of: Use,
    /// Its value for all resources that have no value of their own.
    pub value: f64,
    /// Whether the stack file says so.
    pub written: bool,
    /// Where the stack file says otherwise: which resource, and what.
    pub own: Vec<(String, f64)>,
    /// What it is, in words.
    pub doc: &'static str,
}

/// How what a stack costs changes with a plan.
#[derive(Clone, Debug)]
pub struct Change {
    /// What it costs.
    pub before: Estimate,
    /// What it will cost.
    pub after: Estimate,
}

/// What a stack costs, or will cost.
pub fn estimate(side: &Side<'_>, prices: &Prices) -> Estimate {
    let bills: Vec<Bill> = side.resources().map(|resource| bill(side, resource, prices)).collect();
    let assumed = assumed(side, &bills);
    Estimate { bills, assumed }
}

/// What a plan changes in what the stack costs; nothing when that stays the same.
pub fn change(plan: &Plan, prices: &Prices) -> Option<Change> {
    let (before, after) = (estimate(&Side::before(plan), prices), estimate(&Side::after(plan), prices));
    let change = Change { before, after };
    (changes(change.always()) || changes(change.by_use()) || change.before.not_priced() != change.after.not_priced()).then_some(change)
}

/// Whether a difference is a cent at least.
pub fn changes(usd: f64) -> bool {
    (usd * 100.0).round().abs() > 0.0
}

impl Estimate {
    /// What is paid whether anybody uses it or not, in USD.
    pub fn always(&self) -> f64 {
        self.bills.iter().map(|bill| bill.sum(Basis::Always)).sum()
    }

    /// What is paid for the use that is assumed, in USD.
    pub fn by_use(&self) -> f64 {
        self.bills.iter().map(|bill| bill.sum(Basis::Use)).sum()
    }

    /// Both together.
    pub fn total(&self) -> f64 {
        self.always() + self.by_use()
    }

    /// What is not in the sums: which resource, and why.
    pub fn not_priced(&self) -> Vec<(&Address, &str)> {
        let missing = self.bills.iter().flat_map(|bill| bill.missing.iter().map(|why| (&bill.address, why.as_str())));
        missing.collect()
    }

    /// The items whose price no copy of AWS's list confirms.
    pub fn unconfirmed(&self) -> Vec<(&Address, &str)> {
        let items = self.bills.iter().flat_map(|bill| bill.items.iter().map(move |item| (&bill.address, item)));
        items.filter(|(_, item)| !item.rate.confirmed).map(|(address, item)| (address, item.what.as_str())).collect()
    }
}

impl Change {
    /// By how much what is always paid changes.
    pub fn always(&self) -> f64 {
        self.after.always() - self.before.always()
    }

    /// By how much what is paid for use changes.
    pub fn by_use(&self) -> f64 {
        self.after.by_use() - self.before.by_use()
    }
}

/// Writes the bill of a resource.
type Write = fn(&mut Desk<'_>, &Side<'_>, &Resource<'_>);

/// The types that are paid for.
const PRICED: &[(&str, Write)] = &[
    ("acm_certificate", |desk, _, resource| pieces::certificate(desk, resource)),
    ("backup_vault", |desk, side, _| files::vault(desk, side)),
    ("cloudwatch_dashboard", |desk, _, _| pieces::dashboard(desk)),
    ("cloudwatch_log_group", |desk, _, resource| pieces::log_group(desk, resource)),
    ("cloudwatch_log_metric_filter", |desk, _, resource| pieces::metric_filter(desk, resource)),
    ("cloudwatch_metric_alarm", |desk, _, resource| pieces::alarm(desk, resource)),
    ("ecr_repository", |desk, _, _| files::repository(desk)),
    ("ecs_cluster", |desk, _, resource| compute::cluster(desk, resource)),
    ("ecs_service", compute::service),
    ("ecs_task_definition", compute::task_definition),
    ("efs_file_system", |desk, _, resource| files::file_system(desk, resource)),
    ("eip", |desk, _, _| network::addresses(desk, 1.0)),
    ("instance", instance::instance),
    ("kms_key", |desk, _, _| pieces::key(desk)),
    ("lb", |desk, _, resource| network::load_balancer(desk, resource)),
    ("nat_gateway", |desk, _, resource| network::nat_gateway(desk, resource)),
    ("route53_zone", |desk, _, resource| network::zone(desk, resource)),
    ("s3_bucket", |desk, _, _| files::bucket(desk)),
    ("scheduler_schedule", |desk, _, resource| pieces::schedule(desk, resource)),
    ("secretsmanager_secret", |desk, _, resource| pieces::secret(desk, resource)),
    ("service_discovery_private_dns_namespace", |desk, _, _| network::namespace(desk)),
    ("sns_topic", |desk, _, resource| pieces::topic(desk, resource)),
    ("sns_topic_subscription", |desk, _, resource| pieces::subscription(desk, resource)),
    ("ssm_parameter", |desk, _, resource| pieces::parameter(desk, resource)),
    ("vpc_endpoint", |desk, _, resource| network::endpoint(desk, resource)),
];

/// The types that AWS does not charge for by themselves.
const FREE: &[&str] = &[
    "acm_certificate_validation",
    "acm_imported_certificate",
    "appautoscaling_policy",
    "appautoscaling_scheduled_action",
    "appautoscaling_target",
    "backup_plan",
    "backup_selection",
    "default_route_table",
    "default_security_group",
    "efs_access_point",
    "efs_mount_target",
    "egress_only_internet_gateway",
    "iam_instance_profile",
    "iam_openid_connect_provider",
    "iam_policy",
    "iam_role",
    "internet_gateway",
    "key_pair",
    "kms_alias",
    "lb_listener",
    "lb_listener_rule",
    "lb_target_group",
    "route53_record",
    "route_table",
    "security_group",
    "security_group_rule",
    // Cloud Map asks nothing for the tasks that ECS registers (Cloud Map price page).
    "service_discovery_service",
    "subnet",
    "vpc",
];

/// Whether it is known what a type costs.
pub fn knows(type_name: &str) -> bool {
    FREE.contains(&type_name) || PRICED.iter().any(|(name, _)| *name == type_name)
}

fn bill(side: &Side<'_>, resource: &Resource<'_>, prices: &Prices) -> Bill {
    let mut desk = Desk::new(resource, side.usage(), prices);
    let name = resource.address.type_name();
    match PRICED.iter().find(|(priced, _)| *priced == name) {
        Some((_, write)) => write(&mut desk, side, resource),
        None if FREE.contains(&name) => {}
        None if charges::write(&mut desk, side, resource) => {}
        None => desk.missing(format!("leoctl has no prices for {name}")),
    }
    desk.bill
}

/// The assumptions that bills use, in the order of their list.
fn assumed(side: &Side<'_>, bills: &[Bill]) -> Vec<Assumed> {
    let used: BTreeSet<Use> = bills.iter().flat_map(|bill| bill.assumed.iter().copied()).collect();
    let usage = side.usage();
    let known = ASSUMPTIONS.iter().filter(|known| used.contains(&known.use_of));
    let all = known.filter_map(|known| {
        let own = usage.blocks.iter().filter_map(|(block, own)| Some((block.to_string(), *own.get(&known.use_of)?)));
        let own: Vec<(String, f64)> = own.collect();
        let written = usage.all.get(&known.use_of).copied();
        // Without a value for all, only those with one of their own use it.
        let value = written.or(known.default).or_else(|| own.first().map(|(_, value)| *value))?;
        Some(Assumed { of: known.use_of, value, written: written.is_some(), own, doc: known.doc })
    });
    all.collect()
}
