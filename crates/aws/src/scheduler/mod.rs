//! EventBridge Scheduler: what is called when.

mod check;
pub mod ecs;
pub mod schedule;
pub mod target;

use crate::error::unbuilt;
