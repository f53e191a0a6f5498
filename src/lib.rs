//! leoctl: a declarative reconciler for AWS.
//!
//! What a stack means and what is to be done is decided in `leoctl_core`, and what AWS is stands in `leoctl_aws`.
//! Here is the program around them, in reading order:
//!
//! - [`cli`]: wiring, one thin file for each command; it alone knows all the others.
//! - [`disk`]: files written whole, readable by their owner only.
//! - [`store`]: the state in files, with lock and journal.
//! - [`identity`]: the keys of age that files are encrypted with.
//! - [`ui`]: the only module that prints.
//! - [`ops`]: operating what a stack has made.
//! - [`sandbox`]: a local AWS to try anything on.
//! - [`docs`]: the reference of types, written from their schemas.
//! - [`codes`]: the pages of what is said of mistakes and failures.
//! - [`lsp`]: what editors ask of a stack that is being written.

pub mod cli;
pub mod codes;
pub mod disk;
pub mod docs;
pub mod identity;
pub mod lsp;
pub mod ops;
pub mod sandbox;
pub mod store;
pub mod ui;
