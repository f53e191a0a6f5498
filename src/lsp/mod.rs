//! The language server: what is known of a stack while it is being written, for editors.
//!
//! What a stack means is the core's. Here is what editors ask of it, in reading order: [`position`] and [`documents`] (texts and
//! places), [`analysis`] (what is known of a stack or module), [`cursor`], [`closing`], [`shape`], [`complete`],
//! [`reference`] and [`expression`] (what may be written), [`uses`], [`names`], [`navigate`], [`moves`] and
//! [`rename`] (what is named where),
//! [`value`], [`hover`] and [`hints`] (what expressions yield), [`actions`], [`symbols`], [`functions`]. All of that is pure: it
//! knows no protocol and reads no file.
//! [`desk`] keeps the analyses, [`wire`] says them in the protocol's terms, [`server`] speaks it.

mod actions;
mod analysis;
mod closing;
mod complete;
mod cursor;
mod desk;
mod documents;
pub mod expression;
mod functions;
mod hints;
mod hover;
mod moves;
mod names;
mod navigate;
mod position;
mod reference;
mod rename;
pub mod server;
mod shape;
mod symbols;
mod uses;
mod value;
mod wire;

use std::path::{Path, PathBuf};

use leoctl_core::model::schema::Catalog;
use leoctl_core::model::state::State;
use leoctl_core::stack::vars::Given;
use leoctl_core::stack::{Files, Stack};

/// The project around a file, as the program finds it. Nothing of it asks AWS.
pub trait Project: Send {
    /// The types there are.
    fn catalog(&self) -> &'static Catalog;
    /// The names of the types beside those with a schema of their own.
    fn further_types(&self) -> &[&'static str];
    /// The stack files of the project that a file is of, in order.
    fn stacks(&self, file: &Path) -> Vec<PathBuf>;
    /// The disk, as a stack or a module by itself reads it.
    fn files(&self, root: &Path, is_module: bool) -> Box<dyn Files>;
    /// What variables are given.
    fn given(&self) -> Given;
    /// What the last apply of a stack remembers, without what is sensitive. Only a state in a file is read.
    fn state(&self, stack_file: &Path, stack: &Stack) -> Option<State>;
    /// The TOML files of a folder and its folders, which end in `/`, in order.
    fn entries(&self, folder: &Path) -> Vec<String>;
}
