//! leoctl: a declarative reconciler for AWS.
pub mod model;
pub mod stack;
pub mod plan;
pub mod engine;
pub mod store;
pub mod aws;
pub mod ui;
pub mod cli;
pub mod sandbox;
