//! Images in ECR.

use aws_sdk_ecr::types::ImageIdentifier;

use crate::client::Aws;
use crate::error::OrFail;
use leoctl_core::engine::ports::{FailureKind, Outcome};
use leoctl_core::plan::preflight::image::{Image, Standing, Version};

/// Whether there is an image; AWS has a code for each of what may be missing (ECR API Reference, DescribeImages).
pub async fn standing(aws: &Aws, image: &Image) -> Outcome<Standing> {
    let wanted = match &image.version {
        Version::Tag(tag) => ImageIdentifier::builder().image_tag(tag),
        Version::Digest(digest) => ImageIdentifier::builder().image_digest(digest),
    };
    let call = aws.ecr().describe_images().registry_id(&image.registry).repository_name(&image.repository).image_ids(wanted.build());
    match call.send().await.or_fail("ecr:DescribeImages") {
        Ok(found) if found.image_details().is_empty() => Ok(Standing::Missing),
        Ok(_) => Ok(Standing::Present),
        Err(failure) if failure.code.as_deref() == Some("RepositoryNotFoundException") => Ok(Standing::NoRepository),
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(Standing::Missing),
        Err(failure) => Err(failure),
    }
}
