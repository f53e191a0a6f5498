//! Another image for a service's tasks.

use serde_json::Value as Json;

use super::Deployed;
use super::service::Service;
use leoctl_core::model::address::Address;
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::pin::{Pin, Pins};
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

/// Why it is not plain which container gets an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// The service's task definition is not of the stack.
    Foreign,
    /// Another service runs the same task definition.
    Shared(Address),
    /// Its image is sensitive, and so is not known here.
    Secret,
    /// One of these.
    Which(Vec<String>),
}

/// The container of a service that is meant: the one that is named, the only one, or the one behind the load balancer.
///
/// # Errors
/// When that is not one.
pub fn container(deployed: &Deployed<'_>, service: &Service, chosen: &[Service], name: Option<&str>) -> Result<Container, Unclear> {
    let mut definitions = deployed.of_type("ecs_task_definition").filter(|(_, known)| service.runs(&known.place.id));
    let (address, task) = definitions.next().ok_or(Unclear::Foreign)?;
    let others = super::service::all(deployed).into_iter().filter(|other| other.runs(&task.place.id));
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
    if let Some(name) = name {
        all.retain(|container| container.name == name);
    } else if all.len() > 1 {
        all.retain(|container| balanced.contains(&container.name));
    }
    match (all.pop(), all.is_empty()) {
        (Some(one), true) if task.sensitive.iter().any(|path| path.starts_with(&one.path()) || one.path().starts_with(path)) => {
            Err(Unclear::Secret)
        }
        (Some(one), true) => Ok(one),
        _ => Err(Unclear::Which(names)),
    }
}

impl Container {
    /// The image that is meant: a whole reference, or another tag or digest of the one it has.
    pub fn with(&self, asked: &str) -> String {
        if asked.contains('/') {
            return asked.to_owned();
        }
        let (repository, _) = self.image.split_once('@').unwrap_or((&self.image, ""));
        // A colon before the last slash is the port of the registry.
        let tag = repository.rfind(':').filter(|colon| repository.rfind('/').is_none_or(|slash| *colon > slash));
        let repository = tag.and_then(|colon| repository.get(..colon)).unwrap_or(repository);
        let separator = if asked.starts_with("sha256:") { '@' } else { ':' };
        format!("{repository}{separator}{asked}")
    }

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
        let mut definitions = deployed.of_type("ecs_task_definition").filter(|(_, known)| service.runs(&known.place.id));
        let containers = definitions.next().and_then(|(_, task)| task.attributes.get("container_definitions")?.as_array());
        let mut images = containers.into_iter().flatten().filter_map(|container| container.get("image")?.as_str());
        images.any(|image| is_of(image, repository, tag))
    };
    super::service::all(deployed).into_iter().filter(runs).collect()
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
        let of = |image: &str, asked: &str| {
            let task_definition = "ecs_task_definition.app".parse().unwrap();
            Container { task_definition, name: "app".to_owned(), image: image.to_owned() }.with(asked)
        };
        assert_eq!(of("1.dkr.ecr.r.amazonaws.com/app:latest", "v2"), "1.dkr.ecr.r.amazonaws.com/app:v2");
        assert_eq!(of("localhost:5000/app", "v2"), "localhost:5000/app:v2");
        assert_eq!(of("nginx", "1.27"), "nginx:1.27");
        assert_eq!(of("app@sha256:aa", "v2"), "app:v2");
        assert_eq!(of("app:v1@sha256:aa", "sha256:bb"), "app@sha256:bb");
        assert_eq!(of("app:v1", "ghcr.io/x/app:v3"), "ghcr.io/x/app:v3");
    }
}
