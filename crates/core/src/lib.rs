//! The core of leoctl: what a stack file means, what a plan is, and how it is carried out.
//!
//! Modules in reading order; each may use those before it:
//!
//! - [`model`]: the nouns, such as addresses, values, schemas and the state.
//! - [`stack`]: from the text of a stack file to a [`stack::Stack`].
//! - [`plan`]: decisions, from a stack, a state and what AWS says to a plan.
//! - [`engine`]: effects, asked for through traits: refreshing, applying.
//! - [`cost`]: what a plan costs.
//! - [`graph`]: a stack or a plan as a graph to be shown.
//! - [`secrets`]: the values of secrets: which variable of an env file is for which.

pub mod cost;
#[expect(clippy::disallowed_types, reason = "operations have deadlines, and their events say how long they took")]
pub mod engine;
pub mod graph;
pub mod model;
pub mod plan;
pub mod secrets;
pub mod stack;
#[cfg(test)]
mod testing;
