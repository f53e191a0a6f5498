//! leoctl: a declarative reconciler for AWS.
pub mod cli;
pub mod docs;
pub mod ops;
pub mod sandbox;
pub mod store;
pub mod ui;
