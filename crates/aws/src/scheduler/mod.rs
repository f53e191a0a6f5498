//! EventBridge Scheduler: what is called when.

pub mod ecs;
pub mod schedule;
pub mod target;

use leoctl_core::engine::ports::{Failure, FailureKind};

/// A request the SDK finds incomplete.
fn incomplete(error: aws_sdk_scheduler::error::BuildError) -> Failure {
    Failure::new(FailureKind::Other, error.to_string())
}
