//! S3 buckets.

mod ageing;
pub mod bucket;
mod bucket_name;
mod contents;
mod lifecycle;
mod notification;
mod policy;
mod settings;
mod tagging;
mod website;

use crate::error::unbuilt;
