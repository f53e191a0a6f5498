//! The image repositories of a stack, and logging in to their registries.

use serde_json::Value as Json;

use super::kind::Kind;
use super::word::{self, Named};
use super::{Deployed, Problem};
use leoctl_aws::client::Aws;
use leoctl_aws::error::OrFail;
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Site;

/// A repository of the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its address.
    pub address: Address,
    /// Its name in ECR.
    pub name: String,
    /// What images in it are called, without their tag.
    pub uri: String,
    /// Where it is.
    pub site: Site,
}

/// The repositories of a stack, by address.
pub fn all(deployed: &Deployed<'_>) -> Vec<Repository> {
    let repositories = deployed.current(Kind::Repository).map(|(address, resource)| {
        let text = |attribute: &str| resource.attributes.get(attribute).and_then(Json::as_str).unwrap_or_default().to_owned();
        Repository { address: address.clone(), name: text("name"), uri: text("repository_uri"), site: resource.place.site() }
    });
    repositories.collect()
}

impl Repository {
    /// The registry it is in.
    pub fn registry(&self) -> &str {
        self.uri.split_once('/').map_or(&self.uri, |(registry, _)| registry)
    }
}

impl Named for Repository {
    const KIND: (&'static str, &'static str) = ("repository", "repositories");

    fn address(&self) -> Option<&Address> {
        Some(&self.address)
    }

    fn names(&self) -> Vec<&str> {
        vec![&self.name]
    }
}

/// The repository a word names.
///
/// # Errors
/// What to say instead when it names none, or several.
pub fn named(repositories: &[Repository], word: &str) -> Result<Repository, Problem> {
    word::one(repositories, word).cloned()
}

/// The tag of an image's name; `latest` when it has none.
pub fn tag(image: &str) -> &str {
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split_once('@').map_or(last, |(name, _)| name).split_once(':').map_or("latest", |(_, tag)| tag)
}

/// What logs in to the registries of an account and region for twelve hours: user name and password
/// (ECR API Reference, GetAuthorizationToken).
///
/// # Errors
/// When AWS refuses.
pub async fn credentials(aws: &Aws) -> Outcome<(String, String)> {
    let answer = aws.ecr().get_authorization_token().send().await.or_fail("ecr:GetAuthorizationToken")?;
    let token = answer.authorization_data.and_then(|mut data| data.pop()).and_then(|data| data.authorization_token);
    let text = token.and_then(|token| aws_smithy_types::base64::decode(token).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = text.as_deref().and_then(|text| text.split_once(':')).map(|(user, password)| (user.to_owned(), password.to_owned()));
    pair.ok_or_else(|| Failure::new(FailureKind::Other, "ECR's answer has no user name and password"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_of_an_image_is_after_its_last_slash() {
        for (image, expected) in [("app", "latest"), ("app:v1", "v1"), ("localhost:5000/app", "latest"), ("r.io/x/app:v2@sha256:aa", "v2")]
        {
            assert_eq!(tag(image), expected, "{image}");
        }
    }
}
