//! S3 buckets.

pub mod bucket;
mod contents;
mod lifecycle;
mod notification;
mod settings;

use crate::error::unbuilt;
