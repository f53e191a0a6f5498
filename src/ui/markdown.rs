//! Markdown for forges: comments on pull requests, issues and the pages of jobs.
//!
//! - [`inline`] and [`document`]: what Markdown is built of. No text gets into it but as text.
//! - [`plan`], [`report`]: the documents.
//! - `words`: which words of a text stand there as they are.

pub mod document;
pub mod inline;
pub mod plan;
pub mod report;
mod words;

/// How long a document is at most unless something else is asked for, in bytes: GitHub takes 65,536 characters.
pub const LIMIT: usize = 65_000;
