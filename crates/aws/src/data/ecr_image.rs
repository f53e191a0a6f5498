//! The data source `ecr_image`.

use aws_sdk_ecr::types::{DescribeImagesFilter, ImageDetail, ImageIdentifier, TagStatus};
use aws_smithy_types::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::permissions::Grant;
use crate::resource::DataSource;
use leoctl_core::engine::ports::Outcome;

/// An image in a repository, or the fact that there is none.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EcrImage {
    /// The repository.
    repository_name: String,
    /// The image's tag.
    #[schemars(extend("default" = "latest"))]
    image_tag: String,
    /// Whether it is the image with a tag that was pushed last, instead of the one with `image_tag`.
    #[schemars(extend("default" = false))]
    most_recent: bool,
    /// Whether there is such an image.
    #[schemars(extend("x-computed" = true))]
    exists: Option<bool>,
    /// Its digest, `sha256:…`; empty when there is none.
    #[schemars(extend("x-computed" = true))]
    digest: Option<String>,
    /// Its tags.
    #[schemars(extend("x-computed" = true))]
    image_tags: Option<Vec<String>>,
}

/// The image that was pushed last.
fn newest(images: Vec<ImageDetail>) -> Option<ImageDetail> {
    images.into_iter().max_by_key(|image| image.image_pushed_at().map(DateTime::as_nanos))
}

impl DataSource for EcrImage {
    const TYPE: &'static str = "ecr_image";
    const PERMISSIONS: &'static [Grant] =
        &[Grant::on(&["ecr:DescribeImages"], &["arn:{partition}:ecr:{region}:{account}:repository/{repository_name}"])];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let asked = aws.ecr().describe_images().repository_name(&self.repository_name);
        let asked = match self.most_recent {
            true => asked.filter(DescribeImagesFilter::builder().tag_status(TagStatus::Tagged).build()),
            false => asked.image_ids(ImageIdentifier::builder().image_tag(&self.image_tag).build()),
        };
        let mut pages = asked.into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.or_fail("ecr:DescribeImages").or_absent()?;
            found.extend(page.and_then(|page| page.image_details).unwrap_or_default());
        }
        let (digest, tags) = newest(found).map(|image| (image.image_digest, image.image_tags)).unwrap_or_default();
        Ok(Self {
            exists: Some(digest.is_some()),
            digest: Some(digest.unwrap_or_default()),
            image_tags: Some(tags.unwrap_or_default()),
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_several_images_is_the_one_that_was_pushed_last() {
        let image = |digest: &str, pushed| ImageDetail::builder().image_digest(digest).image_pushed_at(DateTime::from_secs(pushed)).build();
        let found = newest(vec![image("old", 1), image("new", 3), image("older", 2)]);
        assert_eq!(found.and_then(|image| image.image_digest).as_deref(), Some("new"));
        assert!(newest(Vec::new()).is_none());
    }
}
