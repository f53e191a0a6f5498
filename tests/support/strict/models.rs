//! AWS's own models of its services, as botocore has them: what a call is named, what its members are and how they are
//! written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::support::emulator;

/// A service.
pub struct Model {
    /// Its name among botocore's models, such as `elbv2`.
    pub name: String,
    json: Value,
}

/// A shape where it is used: what it is, and how it is written there.
#[derive(Clone, Copy)]
pub struct Shape {
    model: &'static Model,
    shape: &'static Value,
    reference: &'static Value,
}

/// The model of the service that a request is signed for.
pub fn signed(name: &str) -> Option<&'static Model> {
    let folder = folder();
    static INDEX: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    let index = INDEX.get_or_init(|| serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap());
    named(index.get(name)?)
}

/// All of them.
pub fn all() -> Vec<&'static Model> {
    slots().keys().filter_map(|name| named(name)).collect()
}

fn slots() -> &'static BTreeMap<String, OnceLock<Model>> {
    static MODELS: OnceLock<BTreeMap<String, OnceLock<Model>>> = OnceLock::new();
    MODELS.get_or_init(|| {
        let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names = files.filter_map(|file| file.strip_suffix(".json").filter(|name| *name != "index").map(str::to_owned));
        names.map(|name| (name, OnceLock::new())).collect()
    })
}

/// The model of this name; each is read when it is first asked for.
pub fn named(name: &str) -> Option<&'static Model> {
    let slot = slots().get(name)?;
    Some(slot.get_or_init(|| {
        let json = std::fs::read(folder().join(format!("{name}.json"))).unwrap();
        Model { name: name.to_owned(), json: serde_json::from_slice(&json).unwrap() }
    }))
}

/// Where the models are, taken out of the Python package on first use.
fn folder() -> &'static PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let python = emulator::python();
        let folder = python.parent().unwrap().with_file_name("models");
        // Read anew by another script, which may list other services.
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/strict/models.py");
        let (current, by) = (std::fs::read_to_string(script).unwrap(), folder.join("models.py"));
        if std::fs::read_to_string(&by).is_ok_and(|by| by == current) && folder.join("index.json").is_file() {
            return folder;
        }
        let status = Command::new(python).arg(script).arg(&folder).status().unwrap();
        assert!(status.success(), "the models cannot be read from botocore");
        std::fs::write(by, current).unwrap();
        folder
    })
}

impl Model {
    /// Its operations by name.
    pub fn operations(&'static self) -> &'static Map<String, Value> {
        self.json["operations"].as_object().unwrap()
    }

    /// Whether this protocol is one of those it speaks.
    pub fn protocol(&self) -> &str {
        self.json["metadata"]["protocol"].as_str().unwrap_or_default()
    }

    /// The namespace of its XML.
    pub fn namespace(&self) -> &str {
        self.json["metadata"]["xmlNamespace"].as_str().unwrap_or_default()
    }

    /// The method and the path of an operation.
    pub fn http(&'static self, operation: &str) -> Option<(&'static str, &'static str)> {
        let http = &self.operations().get(operation)?["http"];
        Some((http["method"].as_str()?, http["requestUri"].as_str()?))
    }

    /// What an operation takes.
    pub fn input(&'static self, operation: &str) -> Option<Shape> {
        self.shape(&self.operations().get(operation)?["input"])
    }

    /// What an operation answers.
    pub fn output(&'static self, operation: &str) -> Option<Shape> {
        self.shape(&self.operations().get(operation)?["output"])
    }

    /// How an operation pages.
    pub fn pages(&'static self, operation: &str) -> Option<&'static Value> {
        self.json["pagination"].get(operation)
    }

    /// The patterns of its texts.
    pub fn patterns(&'static self) -> impl Iterator<Item = &'static str> {
        self.json["shapes"].as_object().into_iter().flatten().filter_map(|(_, shape)| shape["pattern"].as_str())
    }

    fn shape(&'static self, reference: &'static Value) -> Option<Shape> {
        let shape = &self.json["shapes"][reference["shape"].as_str()?];
        Some(Shape { model: self, shape, reference })
    }
}

impl Shape {
    /// `structure`, `list`, `map`, `string`, `integer` ….
    pub fn kind(&self) -> &'static str {
        self.shape["type"].as_str().unwrap_or_default()
    }

    /// Whether it is any JSON at all.
    pub fn is_document(&self) -> bool {
        self.trait_of("document").is_some()
    }

    /// The members of a structure.
    pub fn members(&self) -> impl Iterator<Item = (&'static str, Shape)> + use<> {
        let model = self.model;
        let members = self.shape["members"].as_object().into_iter().flatten();
        members.filter_map(move |(name, reference)| Some((name.as_str(), model.shape(reference)?)))
    }

    /// A member of a structure.
    pub fn member(&self, name: &str) -> Option<Shape> {
        self.model.shape(self.shape["members"].get(name)?)
    }

    /// Which members there have to be.
    pub fn required(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
    }

    /// What a list is of.
    pub fn element(&self) -> Option<Shape> {
        self.model.shape(self.shape.get("member")?)
    }

    /// What a map's keys are.
    pub fn key(&self) -> Option<Shape> {
        self.model.shape(self.shape.get("key")?)
    }

    /// What a map's values are.
    pub fn value(&self) -> Option<Shape> {
        self.model.shape(self.shape.get("value")?)
    }

    /// A trait, of the use before that of the shape.
    pub fn trait_of(&self, name: &str) -> Option<&'static Value> {
        self.reference.get(name).or_else(|| self.shape.get(name))
    }

    /// A trait that is a text.
    pub fn text(&self, name: &str) -> Option<&'static str> {
        self.trait_of(name)?.as_str()
    }

    /// Whether a trait is there and true.
    pub fn is(&self, name: &str) -> bool {
        self.trait_of(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The member of a structure that is all of the body.
    pub fn payload(&self) -> Option<(&'static str, Shape)> {
        let name = self.shape["payload"].as_str()?;
        Some((name, self.member(name)?))
    }
}
