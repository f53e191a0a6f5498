//! What the engine meets beside AWS and the state: files, and who hears of what happens.

use std::path::Path;

use crate::engine::event::{Event, EventSink};
use crate::stack::Files;

/// Hears nothing.
pub struct Nobody;

impl EventSink for Nobody {
    fn emit(&self, _: &Event) {}
}

/// A stack file and nothing beside it.
pub struct Text(pub String);

impl Files for Text {
    fn read(&self, _: &Path) -> Result<String, String> {
        Ok(self.0.clone())
    }
    fn read_env(&self, _: &Path) -> Result<Vec<(String, String)>, String> {
        Ok(Vec::new())
    }
}
