//! What a rule can see: the request, the answer where there is one, and the element it is played for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::path::{self, Test};
use super::wire::text;

/// What there is to see.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The service.
    pub service: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// The request's members.
    pub request: &'a Value,
    /// The answer's.
    pub answer: Option<&'a Value>,
    /// The element's.
    pub each: Option<&'a Value>,
}

impl<'a> Scene<'a> {
    /// The values at a path.
    pub fn values(&self, path: &str) -> Vec<&'a Value> {
        let (root, path) = match (path.strip_prefix("answer."), path.strip_prefix("each.")) {
            (Some(path), _) => (self.answer, path),
            (None, Some(path)) => (self.each, path),
            // A plain element is what it is.
            (None, None) if path == "each" => (self.each, ""),
            (None, None) => (Some(self.request), path),
        };
        root.map(|root| path::values(root, path)).unwrap_or_default()
    }

    /// The values at paths, as texts.
    pub fn texts(&self, paths: &[String]) -> Vec<String> {
        paths.iter().flat_map(|path| self.values(path)).map(text).collect()
    }

    /// Whether all of these hold.
    pub fn all(&self, tests: &BTreeMap<String, Test>) -> bool {
        tests.iter().all(|(path, test)| test.holds(&self.values(path)))
    }
}
