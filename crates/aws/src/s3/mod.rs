//! S3 buckets.

pub mod bucket;
mod contents;
mod lifecycle;
mod notification;
mod settings;

use leoctl_core::engine::ports::{Failure, FailureKind};

/// A request the SDK finds incomplete.
fn incomplete(error: aws_sdk_s3::error::BuildError) -> Failure {
    Failure::new(FailureKind::Other, error.to_string())
}
