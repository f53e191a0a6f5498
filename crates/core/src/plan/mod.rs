//! Decisions, all pure: what differs ([`diff`]), what to do about it ([`build`]), in which order ([`schedule`]);
//! and what of the stack file says what there is ([`accept`]).

pub mod accept;
pub mod build;
pub mod desired;
pub mod diff;
pub mod handover;
#[cfg(test)]
mod modules_tests;
pub mod naming;
pub mod preflight;
pub mod schedule;
pub mod select;
pub mod state_change;
pub mod step;
pub mod types;
pub mod withdrawn;
