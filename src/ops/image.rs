//! Another image for a service's tasks.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::Deployed;
use super::service::Service;
use leoctl_core::model::address::Address;
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::pin::{Pin, Pins};
use leoctl_core::model::state::Remembered;
use leoctl_core::model::value::Value;
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
    let (address, task) = definition(deployed, service).ok_or(Unclear::Foreign)?;
    let same = |other: &Service| other.region == service.region && other.runs(&task.place.id);
    let others = super::service::all(deployed).into_iter().filter(same);
    if let Some(other) = others.into_iter().find(|other| !chosen.contains(other)) {
        return Err(Unclear::Shared(other.address));
    }
    let text = |container: &Json, key: &str| container.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let containers = task.attributes.get("container_definitions").and_then(Json::as_array).into_iter().flatten();
    let mut all: Vec<Container> =
        containers.map(|one| Container { task_definition: address.clone(), name: text(one, "name"), image: text(one, "image") }).collect();
    let names: Vec<String> = all.iter().map(|container| container.name.clone()).collect();
    let balanced = deployed.state.current(&service.address).and_then(|known| known.attributes.get("load_balancers")?.as_array());
    let balanced: Vec<String> = balanced.into_iter().flatten().map(|one| text(one, "container_name")).collect();
    let is_secret = |one: &Container| task.sensitive.iter().any(|path| path.starts_with(&one.path()) || one.path().starts_with(path));
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

/// The task definition of the stack that a service runs.
fn definition<'a>(deployed: &Deployed<'a>, service: &Service) -> Option<(&'a Address, &'a Remembered)> {
    let runs = |(_, known): &(&Address, &Remembered)| known.place.region == service.region && service.runs(&known.place.id);
    deployed.of_type("ecs_task_definition").find(runs)
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
    let runs = |service: &Service| {
        let containers = definition(deployed, service).and_then(|(_, task)| task.attributes.get("container_definitions")?.as_array());
        let mut images = containers.into_iter().flatten().filter_map(|container| container.get("image")?.as_str());
        images.any(|image| is_of(image, repository, tag))
    };
    super::service::all(deployed).into_iter().filter(runs).collect()
}

/// The repositories that the images of the stack's services are of.
pub fn repositories(deployed: &Deployed<'_>) -> BTreeSet<String> {
    let services = super::service::all(deployed);
    let definitions = services.iter().filter_map(|service| definition(deployed, service));
    let containers = definitions.filter_map(|(_, task)| Some((task, task.attributes.get("container_definitions")?.as_array()?)));
    // What is sensitive is not known here: what stands for it in the state is no image.
    let known = containers.filter(|(task, _)| task.sensitive.is_empty()).flat_map(|(_, containers)| containers);
    known.filter_map(|container| Some(repository(container.get("image")?.as_str()?).to_owned())).collect()
}

/// Whether an image is of a repository, and has this tag; an image that names none has `latest`.
fn is_of(image: &str, repository: &str, tag: Option<&str>) -> bool {
    match image.strip_prefix(repository) {
        Some("") => tag.is_none_or(|tag| tag == "latest"),
        Some(rest) if rest.starts_with([':', '@']) => tag.is_none_or(|tag| rest.strip_prefix(':') == Some(tag)),
        _ => false,
    }
}

/// What else of the stack names the revision of a task definition, such as a schedule, and where.
fn naming(deployed: &Deployed<'_>, task_definition: &Address) -> Vec<(Address, Vec<Path>)> {
    let Some(revision) = deployed.state.current(task_definition) else { return Vec::new() };
    let users = deployed.state.currents().filter(|(_, known)| known.depends_on.contains(task_definition));
    let named = users.map(|(address, known)| {
        let attributes = Value::from(&known.attributes);
        (address.clone(), attributes.paths_where(&|value| value.as_str() == Some(&revision.place.id)))
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
