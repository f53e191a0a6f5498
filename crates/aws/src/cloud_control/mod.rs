//! Every type of AWS's that has no file of its own: `awscc_SERVICE_RESOURCE`, through the Cloud Control API.
//!
//! What there is of a type comes from AWS's own resource schema: `bundle` (the schemas, packed), `facts` (what one says),
//! `names` (what its properties are called in stack files), `shape` (its attributes; `form`: what form each has), `rules` (what else it demands; `at_deletion`: what no deletion heeds),
//! `knowledge` (what is known of some types beyond their schemas), `prose` (what AWS says of one in words, when it is asked), `hints` (what their schemas tell of that), `own` (where leoctl has a type of its own), `kind` (a type as
//! a whole). What is done to one: `model` (values and models, and JSON Patch between two), `change` (what a change sends), `handler` (the operations),
//! `search` (finding one whose id is not known), `progress` (waiting for Cloud Control's requests, and what its codes mean), `passes` (which may pass).
//!
//! A type is read when a stack names it. A stack that names none costs nothing here.

mod at_deletion;
pub mod bundle;
pub mod change;
pub mod facts;
mod form;
pub mod handler;
mod hints;
pub mod kind;
pub mod knowledge;
pub mod model;
pub mod names;
pub mod own;
mod passes;
pub mod progress;
pub mod prose;
pub mod rules;
pub mod search;
pub mod shape;
mod sounds;

use std::sync::{Arc, OnceLock};

use bundle::Bundle;
pub use handler::read_model;
use kind::Kind;
use leoctl_core::model::schema::{Further, ResourceSchema};

type Read = (&'static Kind, Arc<ResourceSchema>);

/// The types that were asked for, each in its place.
static READ: OnceLock<Vec<OnceLock<Option<Read>>>> = OnceLock::new();

fn read(name: &str) -> Option<&'static Read> {
    if !name.starts_with(names::PREFIX) {
        return None;
    }
    let bundle = Bundle::get()?;
    let entry = bundle.types().get(name)?;
    let places = READ.get_or_init(|| std::iter::repeat_with(OnceLock::new).take(bundle.types().len()).collect());
    places.get(entry.number)?.get_or_init(|| Some(Kind::read(entry.aws, bundle.schema(entry)?))).as_ref()
}

/// The names of all in stack files, in order.
pub fn type_names() -> impl Iterator<Item = &'static str> {
    Bundle::get().into_iter().flat_map(|bundle| bundle.types().keys().map(String::as_str))
}

/// The names of all in stack files, in order, each with what AWS calls it.
pub fn aws_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    Bundle::get().into_iter().flat_map(|bundle| bundle.types().iter().map(|(name, entry)| (name.as_str(), entry.aws)))
}

/// A type, by its name in stack files.
pub fn kind(name: &str) -> Option<&'static Kind> {
    read(name).map(|(kind, _)| *kind)
}

/// The types as the catalog has them.
#[derive(Debug)]
pub struct CloudControl;

impl Further for CloudControl {
    fn get(&self, name: &str) -> Option<&Arc<ResourceSchema>> {
        read(name).map(|(_, schema)| schema)
    }

    fn ending_with(&self, word: &str) -> Vec<String> {
        let ends = |name: &&String| name.strip_suffix(word).is_some_and(|rest| rest.ends_with('_'));
        match (word.contains('_'), Bundle::get()) {
            (true, Some(bundle)) => bundle.types().keys().filter(ends).cloned().collect(),
            _ => Vec::new(),
        }
    }

    fn like(&self, given: &str) -> Vec<String> {
        let looks_so = given.starts_with(names::PREFIX.trim_end_matches('_')) || given.starts_with("AWS::");
        match (looks_so, Bundle::get()) {
            (true, Some(bundle)) => bundle.types().keys().cloned().collect(),
            _ => Vec::new(),
        }
    }
}
