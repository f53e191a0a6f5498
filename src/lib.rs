//! leoctl: a declarative reconciler for AWS.
pub mod aws;
pub mod cli;
pub mod cost;
pub mod docs;
pub mod engine;
pub mod model;
pub mod ops;
pub mod plan;
pub mod sandbox;
pub mod stack;
pub mod store;
pub mod ui;
