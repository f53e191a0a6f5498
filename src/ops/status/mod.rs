//! How what a stack has made is doing: its services, tasks, targets, alarms and certificates, and what is wrong.

pub mod alarms;
pub mod certificates;
pub mod problems;
pub mod services;
pub mod targets;
pub mod tasks;

use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde::Serialize;

use super::Deployed;
use alarms::Alarm;
use certificates::Certificate;
use leoctl_core::engine::ports::{FailureKind, Outcome};
use leoctl_core::model::address::Address;
use problems::Problem;
use services::Service;
use targets::TargetGroup;
use tasks::TaskReport;

/// How a stack is doing.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The stack.
    pub stack: String,
    /// Its account.
    pub account_id: String,
    /// Its region.
    pub region: String,
    /// When this was read.
    pub read_at: Timestamp,
    /// What leoctl remembers of it.
    pub state: Saved,
    /// What is wrong, the worst first.
    pub problems: Vec<Problem>,
    /// Its services, by address.
    pub services: Vec<Service>,
    /// The tasks of its services and task definitions, running and lately stopped.
    pub tasks: Vec<TaskReport>,
    /// Its target groups, and those its services register tasks in.
    pub target_groups: Vec<TargetGroup>,
    /// Its alarms.
    pub alarms: Vec<Alarm>,
    /// Its certificates, and those its listeners use.
    pub certificates: Vec<Certificate>,
    /// What these credentials may not read.
    pub unreadable: Vec<Unreadable>,
}

/// The state of a stack.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Saved {
    /// How often it has been written.
    pub serial: u64,
    /// When it was written last, which the last apply did if nobody mended it by hand; unknown where the store does not say.
    pub saved_at: Option<Timestamp>,
    /// What the last apply did not finish.
    pub unfinished: Vec<Address>,
}

/// A part of the status that these credentials may not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Which.
    pub what: &'static str,
    /// The permission that is missing.
    pub permission: String,
    /// AWS's words.
    pub message: String,
}

/// Asks AWS how a stack is doing. What the credentials may not read is left out, and said.
///
/// # Errors
/// When AWS fails otherwise.
pub async fn read(deployed: &Deployed<'_>, saved_at: Option<Timestamp>) -> Outcome<Status> {
    let ((services, a), (tasks, b), (target_groups, c), (alarms, d), (certificates, e)) = tokio::try_join!(
        allowed("services", services::read(deployed)),
        allowed("tasks", tasks::read(deployed)),
        allowed("target health", targets::read(deployed)),
        allowed("alarms", alarms::read(deployed)),
        allowed("certificates", certificates::read(deployed)),
    )?;
    let state = deployed.state;
    let incomplete = state
        .resources
        .iter()
        .filter(|(_, known)| !known.deposed.is_empty() || known.current.as_ref().is_some_and(|current| current.incomplete));
    let open = state.open.iter().map(|intent| intent.address.clone());
    let mut status = Status {
        stack: state.stack.clone(),
        account_id: state.account_id.clone(),
        region: state.region.clone(),
        read_at: Timestamp::now(),
        state: Saved { serial: state.serial, saved_at, unfinished: open.chain(incomplete.map(|(address, _)| address.clone())).collect() },
        problems: Vec::new(),
        services,
        tasks,
        target_groups,
        alarms,
        certificates,
        unreadable: [a, b, c, d, e].into_iter().flatten().collect(),
    };
    status.problems = problems::of(&status);
    Ok(status)
}

/// A part of the status, or that it may not be read.
pub(super) async fn allowed<T: Default>(what: &'static str, reading: impl Future<Output = Outcome<T>>) -> Outcome<(T, Option<Unreadable>)> {
    match reading.await {
        Ok(part) => Ok((part, None)),
        Err(failure) if failure.kind == FailureKind::Denied => {
            Ok((T::default(), Some(Unreadable { what, permission: failure.operation, message: failure.message })))
        }
        Err(failure) => Err(failure),
    }
}

/// AWS's time.
pub(super) fn time(time: Option<&DateTime>) -> Option<Timestamp> {
    Timestamp::from_second(time?.secs()).ok()
}

/// The last part of an ARN, which is a name; the whole of what is a name already.
pub(super) fn name_of(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(_, name)| name)
}
