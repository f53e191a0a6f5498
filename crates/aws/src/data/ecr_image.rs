//! The data source `ecr_image`.

use aws_sdk_ecr::types::ImageIdentifier;
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
    /// Whether there is such an image.
    #[schemars(extend("x-computed" = true))]
    exists: Option<bool>,
    /// Its digest, `sha256:…`; empty when there is none.
    #[schemars(extend("x-computed" = true))]
    digest: Option<String>,
}

impl DataSource for EcrImage {
    const TYPE: &'static str = "ecr_image";
    const PERMISSIONS: &'static [Grant] =
        &[Grant::on(&["ecr:DescribeImages"], &["arn:{partition}:ecr:{region}:{account}:repository/{repository_name}"])];

    async fn read(self, aws: &Aws) -> Outcome<Self> {
        let image = ImageIdentifier::builder().image_tag(&self.image_tag).build();
        let call = aws.ecr().describe_images().repository_name(&self.repository_name).image_ids(image);
        let found = call.send().await.or_fail("ecr:DescribeImages").or_absent()?;
        let details = found.and_then(|found| found.image_details).unwrap_or_default();
        let digest = details.into_iter().find_map(|image| image.image_digest);
        Ok(Self { exists: Some(digest.is_some()), digest: Some(digest.unwrap_or_default()), ..self })
    }
}
