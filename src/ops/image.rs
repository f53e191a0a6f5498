//! Another image for a service's tasks.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::Deployed;
use super::kind::Kind;
use super::service::Service;
use super::task_definition::{self, TaskDefinition};
use leoctl_core::model::address::Address;
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::pin::{Pin, Pins};
use leoctl_core::model::state::Remembered;
use leoctl_core::model::value::Value;
use leoctl_core::plan::preflight::image::is_tag;
use leoctl_core::plan::select::Only;
use leoctl_core::plan::types::Plan;
use leoctl_core::stack::config::ResourceBlock;

/// A container of a task definition of the stack, and the image it is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The task definition.
    pub task_definition: Address,
    /// The container's name.
    pub name: String,
    /// The image it has.
    pub image: String,
}

/// What image is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    /// Another tag or digest of the image that a container has.
    Tag(&'a str),
    /// This image, for the containers that have one of its repository.
    Image(&'a str),
}

/// Checks an image as a person asks for it: a tag, a digest, or a repository with one of them (OCI Distribution
/// Specification, "Pulling manifests").
///
/// # Errors
/// What it should be.
pub fn checked(text: &str) -> Result<String, String> {
    let is_digest = |text: &str| {
        let hash = text.strip_prefix("sha256:");
        hash.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
    };
    let is_repository = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:".contains(c));
    let version = text.strip_prefix(repository(text)).unwrap_or_default();
    let is_valid = match Asked::new(text) {
        Asked::Tag(text) => is_digest(text) || is_tag(text),
        Asked::Image(_) => {
            let digest = version.split_once('@').map(|(_, digest)| digest);
            is_repository(repository(text)) && digest.map_or_else(|| version.strip_prefix(':').is_some_and(is_tag), is_digest)
        }
    };
    match is_valid {
        true => Ok(text.to_owned()),
        false => Err("expected a tag, a digest (sha256: and 64 digits), or REPOSITORY:TAG or REPOSITORY@DIGEST".to_owned()),
    }
}

impl<'a> Asked<'a> {
    /// What a person means by it. A tag has neither slash nor colon (OCI Distribution Specification, "Pulling manifests").
    pub fn new(text: &'a str) -> Self {
        let digest = text.starts_with("sha256:");
        if !digest && text.contains(['/', ':', '@']) { Self::Image(text) } else { Self::Tag(text) }
    }

    /// The image that a container gets which has another one.
    pub fn of(self, image: &str) -> String {
        match self {
            Self::Image(asked) => asked.to_owned(),
            Self::Tag(asked) => {
                let separator = if asked.starts_with("sha256:") { '@' } else { ':' };
                format!("{}{separator}{asked}", repository(image))
            }
        }
    }
}

/// The repository of an image: its name without tag and digest.
pub fn repository(image: &str) -> &str {
    let (name, _) = image.split_once('@').unwrap_or((image, ""));
    // A colon before the last slash is the port of the registry.
    let tag = name.rfind(':').filter(|colon| name.rfind('/').is_none_or(|slash| *colon > slash));
    tag.and_then(|colon| name.get(..colon)).unwrap_or(name)
}

/// Why it is not plain which container gets an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// No container of the service has an image of this repository.
    NotOf(String),
    /// The service's task definition is not of the stack.
    Foreign,
    /// Another service runs the same task definition.
    Shared(Address),
    /// Its image is sensitive, and so is not known here.
    Secret,
    /// One of these.
    Which(Vec<String>),
}

/// The containers of a service that are meant: the one that is named; those of the repository that is asked for; and for a
/// tag the only one, or the one behind the load balancer.
///
/// # Errors
/// When there is none, or it is not plain which.
pub fn containers(
    deployed: &Deployed<'_>,
    service: &Service,
    chosen: &[Service],
    (name, asked): (Option<&str>, Asked<'_>),
) -> Result<Vec<Container>, Unclear> {
    let running = Running::new(deployed);
    let runs = running.of(service).ok_or(Unclear::Foreign)?;
    let same = |other: &Service| running.of(other).is_some_and(|other| other.address == runs.address);
    let others = super::service::all(deployed).into_iter().filter(same);
    if let Some(other) = others.into_iter().find(|other| !chosen.contains(other)) {
        return Err(Unclear::Shared(other.address));
    }
    let now = runs.remembered(deployed).ok_or(Unclear::Foreign)?;
    // A new revision is made from the current one, which may be another than the one that runs.
    let next = deployed.state.current(&runs.address).unwrap_or(now);
    let image_of = |name: &str| containers_of(now).find(|one| text(one, "name") == name).map(|one| text(one, "image"));
    let container = |one: &Json| {
        let name = text(one, "name");
        let image = image_of(&name).unwrap_or_else(|| text(one, "image"));
        Container { task_definition: runs.address.clone(), name, image }
    };
    let mut all: Vec<Container> = containers_of(next).map(container).collect();
    let names: Vec<String> = all.iter().map(|container| container.name.clone()).collect();
    let balanced = deployed.state.current(&service.address).and_then(|known| known.attributes.get("load_balancers")?.as_array());
    let balanced: Vec<String> = balanced.into_iter().flatten().map(|one| text(one, "container_name")).collect();
    let is_secret = |one: &Container| hides(now, one) || hides(next, one);
    match (name, asked) {
        (Some(name), _) => all.retain(|container| container.name == name),
        (None, Asked::Image(image)) => {
            let known = all.iter().any(|container| !is_secret(container));
            all.retain(|container| !is_secret(container) && repository(&container.image) == repository(image));
            return match (all.is_empty(), known) {
                (true, false) => Err(Unclear::Secret),
                (true, true) => Err(Unclear::NotOf(repository(image).to_owned())),
                (false, _) => Ok(all),
            };
        }
        (None, Asked::Tag(_)) if all.len() > 1 => all.retain(|container| balanced.contains(&container.name)),
        (None, Asked::Tag(_)) => {}
    }
    match all.as_slice() {
        [one] if is_secret(one) => Err(Unclear::Secret),
        [_] => Ok(all),
        _ => Err(Unclear::Which(names)),
    }
}

fn text(container: &Json, key: &str) -> String {
    container.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn containers_of(task: &Remembered) -> impl Iterator<Item = &Json> {
    task.attributes.get("container_definitions").and_then(Json::as_array).into_iter().flatten()
}

/// What the services of a stack run.
struct Running<'d> {
    deployed: &'d Deployed<'d>,
    revisions: Vec<TaskDefinition>,
}

impl<'d> Running<'d> {
    fn new(deployed: &'d Deployed<'d>) -> Self {
        Self { deployed, revisions: task_definition::revisions(deployed) }
    }

    /// The revision that a service runs, where the stack has it run that: a service whose block names another one gets no
    /// new revision of this.
    fn of(&self, service: &Service) -> Option<&TaskDefinition> {
        let found = task_definition::of_service(&self.revisions, service)?;
        let is_made_from_it =
            || self.deployed.state.current(&service.address).is_some_and(|known| known.depends_on.contains(&found.address));
        (service.runs(&found.arn) || is_made_from_it()).then_some(found)
    }

    /// What is remembered of it.
    fn remembered(&self, service: &Service) -> Option<&'d Remembered> {
        self.of(service)?.remembered(self.deployed)
    }
}

impl Container {
    /// Where its image stands.
    pub fn path(&self) -> Path {
        Path::attribute("container_definitions").join(Segment::element(&self.name)).join(Segment::field("image"))
    }

    /// Whether the stack file leaves its image to others.
    pub fn is_others(&self, block: &ResourceBlock) -> bool {
        block.lifecycle.ignore_changes.iter().any(|path| self.path().starts_with(path))
    }
}

/// Whether an image of a task definition that is remembered is sensitive.
pub fn is_sensitive(address: &Address, task: &Remembered) -> bool {
    let container = |one: &Json| Container { task_definition: address.clone(), name: text(one, "name"), image: String::new() };
    containers_of(task).map(container).any(|one| hides(task, &one))
}

/// Whether the image of a container is sensitive.
fn hides(task: &Remembered, one: &Container) -> bool {
    task.sensitive.iter().any(|path| path.starts_with(&one.path()) || one.path().starts_with(path))
}

/// The plan that gives containers other images and has their services run them.
///
/// Where the stack file says an image and leaves it to nobody, what is set here stays until the file says another:
/// `says` is the plan without it, which tells what the file says.
pub fn only(deployed: &Deployed<'_>, changes: &[(Service, Container, String)], says: &Plan) -> Only {
    let mut only = Only::default();
    for (service, container, image) in changes {
        let (address, path) = (&container.task_definition, container.path());
        only.attributes.entry(address.clone()).or_default().push(path.clone());
        only.attributes.insert(service.address.clone(), vec![Path::attribute("task_definition")]);
        for (other, paths) in naming(deployed, address) {
            only.attributes.entry(other).or_insert(paths);
        }
        only.to.entry(address.clone()).or_default().insert(path.clone(), Pin::lasting(image.as_str()));
        let block = says.stack.config.resources.get(&address.block);
        if block.is_some_and(|block| container.is_others(block)) {
            continue;
        }
        let known = || deployed.state.pins.get(address).cloned().unwrap_or_default();
        let pins: &mut Pins = only.pins.entry(address.clone()).or_insert_with(known);
        let before = pins.remove(&path).and_then(|pin| pin.instead_of);
        let written = says.change(address).and_then(|change| leoctl_core::model::pin::at(&change.after, &path).to_json().ok());
        let instead_of = before.or(written).filter(|written| written.as_str() != Some(image.as_str()));
        if instead_of.is_some() {
            pins.insert(path, Pin { value: image.as_str().into(), instead_of });
        }
    }
    only
}

/// The services whose tasks run an image of a repository; only those that run this tag of it, where one is given.
pub fn users(deployed: &Deployed<'_>, repository: &str, tag: Option<&str>) -> Vec<Service> {
    let running = Running::new(deployed);
    let runs = |service: &Service| {
        let images = running.remembered(service).into_iter().flat_map(containers_of).map(|container| text(container, "image"));
        images.into_iter().any(|image| is_of(&image, repository, tag))
    };
    super::service::all(deployed).into_iter().filter(runs).collect()
}

/// An image as it is asked for, with the address of its registry where that is left out: the repository of the stack's
/// services whose path ends so.
///
/// # Errors
/// When that is true of several, which are listed.
pub fn complete<'a>(deployed: &Deployed<'_>, asked: &'a str) -> Result<Cow<'a, str>, Vec<String>> {
    among(&repositories(deployed), asked)
}

fn among<'a>(known: &BTreeSet<String>, asked: &'a str) -> Result<Cow<'a, str>, Vec<String>> {
    let named = repository(asked);
    if matches!(Asked::new(asked), Asked::Tag(_)) || known.contains(named) {
        return Ok(Cow::Borrowed(asked));
    }
    let ends_so = |known: &&String| known.strip_suffix(named).is_some_and(|registry| registry.ends_with('/'));
    let found: Vec<&String> = known.iter().filter(ends_so).collect();
    match (found.as_slice(), asked.strip_prefix(named)) {
        ([one], Some(version)) => Ok(Cow::Owned(format!("{one}{version}"))),
        ([] | [_], _) => Ok(Cow::Borrowed(asked)),
        (several, _) => Err(several.iter().map(|one| (*one).clone()).collect()),
    }
}

/// The repositories that the images of the stack's services are of.
pub fn repositories(deployed: &Deployed<'_>) -> BTreeSet<String> {
    let running = Running::new(deployed);
    let services = super::service::all(deployed);
    let tasks = services.iter().filter_map(|service| running.remembered(service));
    // What is sensitive is not known here: what stands for it in the state is no image.
    let images = tasks.filter(|task| task.sensitive.is_empty()).flat_map(containers_of).map(|container| text(container, "image"));
    images.filter(|image| !image.is_empty()).map(|image| repository(&image).to_owned()).collect()
}

/// Whether an image is of a repository, and has this tag; an image that names none has `latest`.
fn is_of(image: &str, repository: &str, tag: Option<&str>) -> bool {
    match image.strip_prefix(repository) {
        Some("") => tag.is_none_or(|tag| tag == "latest"),
        Some(rest) if rest.starts_with([':', '@']) => tag.is_none_or(|tag| rest.strip_prefix(':') == Some(tag)),
        _ => false,
    }
}

/// What else of the stack names a revision of a task definition, such as a schedule, and where: what a rollout that was cut
/// short has left on a predecessor, too.
fn naming(deployed: &Deployed<'_>, task_definition: &Address) -> Vec<(Address, Vec<Path>)> {
    let revisions = deployed.there(Kind::TaskDefinition).filter(|(address, _)| *address == task_definition);
    let revisions: Vec<&str> = revisions.map(|(_, known)| known.place.id.as_str()).collect();
    let users = deployed.state.currents().filter(|(_, known)| known.depends_on.contains(task_definition));
    let named = users.map(|(address, known)| {
        let attributes = Value::from(&known.attributes);
        (address.clone(), attributes.paths_where(&|value| value.as_str().is_some_and(|text| revisions.contains(&text))))
    });
    named.filter(|(_, paths)| !paths.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_of_its_repository_and_of_its_tag() {
        let repository = "1.dkr.ecr.r.amazonaws.com/app";
        let of = |rest: &str, tag: Option<&str>| is_of(&format!("{repository}{rest}"), repository, tag);
        assert!(of(":v1", None) && of(":v1", Some("v1")) && of("", Some("latest")) && of("@sha256:aa", None));
        assert!(
            !of(":v1", Some("v2")) && !of("@sha256:aa", Some("latest")) && !of("-other:v1", None) && !is_of("app:v1", repository, None)
        );
    }

    #[test]
    fn what_is_no_tag_digest_or_image_is_refused() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for text in
            ["v2", "_x.Y-1", &digest, "app:v2", "1.dkr.ecr.r.amazonaws.com/app:v2", "localhost:5000/a/b:1", &format!("app@{digest}")]
        {
            assert_eq!(checked(text).as_deref(), Ok(text));
        }
        let long = "x".repeat(129);
        for text in ["", "v2 3", "v1\n", "sha256:zz", ":v2", "app:", "app:v2 3", "app@sha256:aa", "a b:v1", "-x", "$(id)", "`id`:v1", &long]
        {
            assert!(checked(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_registry_of_an_image_of_the_stack_may_be_left_out() {
        let known = ["1.dkr.ecr.r.amazonaws.com/shop/app", "2.dkr.ecr.r.amazonaws.com/side", "3.dkr.ecr.r.amazonaws.com/side", "nginx"];
        let known: BTreeSet<String> = known.iter().map(|one| (*one).to_owned()).collect();
        let of = |asked: &'static str| among(&known, asked).map(Cow::into_owned);
        let whole = |rest: &str| Ok(format!("1.dkr.ecr.r.amazonaws.com/shop/app{rest}"));
        assert_eq!(of("app:v2"), whole(":v2"));
        assert_eq!(of("shop/app@sha256:aa"), whole("@sha256:aa"));
        assert_eq!(of("1.dkr.ecr.r.amazonaws.com/shop/app:v2"), whole(":v2"));
        assert_eq!(of("nginx:1.27"), Ok("nginx:1.27".to_owned()));
        assert_eq!(of("pp:v2"), Ok("pp:v2".to_owned()));
        assert_eq!(of("v2"), Ok("v2".to_owned()));
        assert_eq!(of("side:v2").map_err(|several| several.len()), Err(2));
    }

    #[test]
    fn a_tag_or_a_digest_is_of_the_image_there_is_and_a_reference_is_whole() {
        let of = |image: &str, asked: &str| Asked::new(asked).of(image);
        assert_eq!(of("1.dkr.ecr.r.amazonaws.com/app:latest", "v2"), "1.dkr.ecr.r.amazonaws.com/app:v2");
        assert_eq!(of("localhost:5000/app", "v2"), "localhost:5000/app:v2");
        assert_eq!(of("nginx", "1.27"), "nginx:1.27");
        assert_eq!(of("app@sha256:aa", "v2"), "app:v2");
        assert_eq!(of("app:v1@sha256:aa", "sha256:bb"), "app@sha256:bb");
        assert_eq!(of("app:v1", "ghcr.io/x/app:v3"), "ghcr.io/x/app:v3");
        // A reference without a slash is whole, too.
        assert_eq!(of("nginx:1", "nginx:1.27"), "nginx:1.27");
        assert_eq!(repository("localhost:5000/app@sha256:aa"), "localhost:5000/app");
    }
}
