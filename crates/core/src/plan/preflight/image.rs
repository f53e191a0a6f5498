//! Images that containers are to run, and that are not there.

use super::{Check, Finding, of_type, sets};
use crate::model::address::Address;
use crate::model::place::Site;
use crate::model::value::Value;
use crate::plan::types::{Action, Change, Plan};

/// An image in ECR that a container is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The task definition.
    pub address: Address,
    /// The image as the container names it.
    pub name: String,
    /// The account that is to run it, and the region of its repository.
    pub site: Site,
    /// The account whose registry it is in.
    pub registry: String,
    /// Its repository.
    pub repository: String,
    /// Its tag or digest.
    pub version: Version,
    /// The repository's name in the stack, when it is the stack's.
    pub ours: Option<String>,
}

/// Which image of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// That with this tag.
    Tag(String),
    /// That with this digest, `sha256:…`.
    Digest(String),
}

/// Whether there is an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is.
    Present,
    /// Its repository does not have it.
    Missing,
    /// There is no such repository.
    NoRepository,
}

/// The images to look for, and what is known without.
pub fn images(plan: &Plan) -> (Vec<Image>, Vec<Finding>) {
    let (mut images, mut findings) = (Vec::new(), Vec::new());
    for change in of_type(plan, "ecs_task_definition").filter(|change| sets(change, "container_definitions")) {
        let containers = change.after.get("container_definitions").and_then(Value::as_list).unwrap_or_default();
        for container in containers {
            match container.get("image") {
                // What is said of one names its repository and its tag, which are parts of a secret then.
                Some(image) if image.has_secret() => {}
                Some(Value::Unknown) => findings.extend(unpushed(plan, change)),
                Some(image) => {
                    let parsed = image.as_str().and_then(|image| parse(plan, change, image));
                    let made = parsed.as_ref().and_then(|image| created(plan, image));
                    match (parsed, made) {
                        (_, Some(repository)) => findings.push(to_push(change, repository)),
                        (Some(image), None) if !images.contains(&image) => images.push(image),
                        _ => {}
                    }
                }
                None => {}
            }
        }
    }
    findings.dedup();
    (images, findings)
}

/// The repository that this plan makes and an image is to be in.
fn created<'a>(plan: &'a Plan, image: &Image) -> Option<&'a Change> {
    of_type(plan, "ecr_repository").find(|change| {
        let named = change.after.get("name").and_then(Value::as_str) == Some(&image.repository);
        named && made_anew(change) && change.region == image.site.region && change.account == image.registry
    })
}

fn made_anew(change: &Change) -> bool {
    matches!(change.action, Action::Create | Action::Replace)
}

/// An image whose name is not known yet is in a repository that is not there yet, if the task stands on one.
fn unpushed(plan: &Plan, change: &Change) -> Option<Finding> {
    let made = change.depends_on.iter().filter(|address| address.type_name() == "ecr_repository");
    let made = made.filter_map(|address| plan.change(address)).find(|repository| made_anew(repository))?;
    Some(to_push(change, made))
}

fn to_push(change: &Change, repository: &Change) -> Finding {
    let name = &repository.address.block.name;
    Finding {
        check: Check::Image,
        address: change.address.clone(),
        message: format!("{} is made by this plan and has no images yet: tasks cannot start until one is pushed", repository.address),
        fix: format!(
            "`leoctl push IMAGE {name}` in a second terminal as soon as it is there: apply waits until tasks run. A service with `rollout = \"none\"` is not waited for"
        ),
    }
}

/// The image in ECR that a container names: in a repository of the stack, or of any account.
fn parse(plan: &Plan, change: &Change, image: &str) -> Option<Image> {
    let (name, version) = split(image);
    let ours = of_type(plan, "ecr_repository").find(|repository| {
        let uri = [&repository.after, &repository.before].into_iter().find_map(|value| value.get("repository_uri")?.as_str());
        uri == Some(name)
    });
    let (registry, region, repository) = match ours {
        Some(repository) => {
            let name = repository.after.get("name").or_else(|| repository.before.get("name")).and_then(Value::as_str)?;
            (repository.account.as_str(), repository.region.as_str(), name)
        }
        None => registry(name)?,
    };
    Some(Image {
        address: change.address.clone(),
        name: image.to_owned(),
        site: Site { account: change.account.clone(), region: region.to_owned() },
        registry: registry.to_owned(),
        repository: repository.to_owned(),
        version,
        ours: ours.map(|repository| repository.address.block.name.clone()),
    })
}

/// An image's name without its version, and that; a digest goes before a tag.
fn split(image: &str) -> (&str, Version) {
    let (rest, digest) = image.split_once('@').map_or((image, None), |(rest, digest)| (rest, Some(digest)));
    // A colon before the last slash is the port of the registry.
    let colon = rest.rfind(':').filter(|colon| rest.rfind('/').is_none_or(|slash| *colon > slash));
    let (name, tag) = colon.and_then(|colon| rest.split_at_checked(colon)).unwrap_or((rest, ""));
    let tag = tag.trim_start_matches(':');
    let version = match digest {
        Some(digest) => Version::Digest(digest.to_owned()),
        None => Version::Tag(if tag.is_empty() { "latest" } else { tag }.to_owned()),
    };
    (name, version)
}

/// The account, region and repository of an image in a private registry of ECR; none for images from elsewhere.
pub fn repository(image: &str) -> Option<(&str, &str, &str)> {
    registry(split(image).0)
}

/// The account, region and repository of a name in ECR: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY`, or
/// `ACCOUNT.dkr-ecr.REGION.on.aws/REPOSITORY` (ECR User Guide, "Amazon ECR private registry" and "Getting started with
/// making requests over IPv6").
fn registry(name: &str) -> Option<(&str, &str, &str)> {
    let (host, repository) = name.split_once('/')?;
    let (account, rest) = host.split_once(".dkr.ecr.").or_else(|| host.split_once(".dkr-ecr."))?;
    let (region, domain) = rest.split_once('.')?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_aws = ["amazonaws.com", "amazonaws.com.cn", "on.aws"].contains(&domain);
    (is_account && is_aws).then_some((account, region, repository))
}

/// Whether an image can have this tag, which then needs no quotes in a command (OCI Distribution Specification, "Pulling
/// manifests").
pub fn is_tag(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128 && text.starts_with(is_word) && text.chars().all(|c| is_word(c) || ".-".contains(c))
}

/// What it means how an image stands.
pub fn judge(image: &Image, found: Standing) -> Vec<Finding> {
    let Image { name, repository, version, .. } = image;
    let what = match version {
        Version::Tag(tag) => format!("the tag {tag}"),
        Version::Digest(digest) => format!("the image {digest}"),
    };
    let (message, fix) = match found {
        Standing::Present => return Vec::new(),
        Standing::Missing => (
            format!("{repository} does not have {what}: tasks with {name} cannot start"),
            match (&image.ours, version) {
                (Some(ours), Version::Tag(tag)) if is_tag(tag) => {
                    format!("`leoctl push IMAGE {ours} --tag {tag}`, or name one that is there")
                }
                _ => "push it, or name one that is there".to_owned(),
            },
        ),
        Standing::NoRepository => (
            format!(
                "there is no repository {repository} in account {} and {}: tasks with {name} cannot start",
                image.registry, image.site.region
            ),
            "correct the image's name, or make the repository and push to it".to_owned(),
        ),
    };
    vec![Finding { check: Check::Image, address: image.address.clone(), message, fix }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart_at_its_last_colon_and_a_digest_goes_before_a_tag() {
        let tag = |tag: &str| Version::Tag(tag.to_owned());
        assert_eq!(split("localhost:5000/app"), ("localhost:5000/app", tag("latest")));
        assert_eq!(split("localhost:5000/app:v2"), ("localhost:5000/app", tag("v2")));
        assert_eq!(split("app:v1@sha256:aa"), ("app", Version::Digest("sha256:aa".to_owned())));
    }

    #[test]
    fn only_private_registries_of_aws_are_known() {
        let found = registry("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app");
        assert_eq!(found, Some(("123456789012", "eu-west-1", "team/app")));
        assert_eq!(registry("123456789012.dkr-ecr.us-west-2.on.aws/app"), Some(("123456789012", "us-west-2", "app")));
        for other in ["nginx", "public.ecr.aws/nginx/nginx", "ghcr.io/x/app", "x.dkr.ecr.us-east-1.amazonaws.com/app"] {
            assert_eq!(registry(other), None, "{other}");
        }
    }
}
