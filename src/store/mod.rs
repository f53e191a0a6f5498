//! Where the state lives.

pub mod local;
