//! The logs of a stack: which groups and streams, reading them in order of time, and following them.

pub mod event;
pub mod follow;
pub mod live;
pub mod since;
pub mod source;
pub mod tail;
