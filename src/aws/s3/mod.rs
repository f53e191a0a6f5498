//! S3 buckets.

pub mod bucket;
mod contents;
mod lifecycle;
mod settings;
