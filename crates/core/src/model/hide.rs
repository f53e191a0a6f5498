//! Taking out of a state what has become secret since it was written: it stands there in clear.

use serde_json::Value as Json;

use super::address::Address;
use super::path::Path;
use super::redact::Redactor;
use super::schema::{Attribute, Catalog};
use super::secrecy::{conceal, secret_paths};
use super::state::{State, digest, is_digest};
use super::value::Value;

impl State {
    /// Hides `secrets` in the texts of attributes, pins and outputs, as an apply would have that had known them to be
    /// secret. Whether there was any.
    ///
    /// A number is never taken for a secret, as it says nothing of where it comes from. Names that are unique in AWS
    /// stay: ids are made of them, and resources are found by them.
    pub fn hide(&mut self, secrets: &Redactor, catalog: &Catalog) -> bool {
        if secrets.is_empty() {
            return false;
        }
        let hider = Hider { secrets, catalog, salt: &self.salt };
        let mut hidden = false;
        for (address, known) in &mut self.resources {
            for remembered in known.current.iter_mut().chain(&mut known.deposed) {
                hidden |= hider.hide(address, &mut remembered.attributes, &mut remembered.sensitive);
            }
        }
        for intent in &mut self.open {
            hidden |= hider.hide(&intent.address, &mut intent.attributes, &mut intent.sensitive);
        }
        let shows = |json: &Json| hider.marked(&Value::from(json)).has_secret();
        let (outputs, pins) = (self.outputs.len(), self.pins.values().map(|pins| pins.len()).sum::<usize>());
        self.outputs.retain(|_, value| !shows(value));
        for pins in self.pins.values_mut() {
            pins.retain(|_, pin| !shows(&pin.value) && !pin.instead_of.as_ref().is_some_and(shows));
        }
        self.pins.retain(|_, pins| !pins.is_empty());
        hidden || outputs != self.outputs.len() || pins != self.pins.values().map(|pins| pins.len()).sum::<usize>()
    }
}

struct Hider<'a> {
    secrets: &'a Redactor,
    catalog: &'a Catalog,
    salt: &'a str,
}

impl Hider<'_> {
    fn hide(&self, address: &Address, json: &mut Json, sensitive: &mut Vec<Path>) -> bool {
        let schema = self.catalog.resources.get(address.type_name());
        let named = |attribute: &Attribute| {
            let unique = schema.iter().flat_map(|schema| schema.unique.iter().flat_map(|group| group.iter()));
            unique.into_iter().any(|name| *name == attribute.name)
        };
        let attributes: &[Attribute] = schema.map(|schema| schema.schema.attributes.as_slice()).unwrap_or_default();
        let value = Value::from(&*json);
        let named: Vec<Path> = attributes.iter().filter(|one| named(one)).map(|one| Path::attribute(one.name.as_str())).collect();
        let known = |path: &Path| sensitive.iter().chain(&named).any(|known| path.starts_with(known));
        let found: Vec<Path> = secret_paths(attributes, &self.marked(&value)).into_iter().filter(|path| !known(path)).collect();
        if found.is_empty() {
            return false;
        }
        *json = conceal(attributes, &value, &found).to_public_json(&|secret| digest(self.salt, secret));
        sensitive.retain(|known| !found.iter().any(|path| known.starts_with(path)));
        sensitive.extend(found);
        true
    }

    /// The value with every text secret that has one of the secrets in it, and every table with such a key: keys cannot
    /// be hidden one by one.
    fn marked(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if !is_digest(text) && self.secrets.is_in(text) => value.clone().into_secret(),
            Value::List(items) => Value::List(items.iter().map(|item| self.marked(item)).collect()),
            Value::Map(map) if map.keys().any(|key| self.secrets.is_in(key)) => value.clone().into_secret(),
            Value::Map(map) => Value::Map(map.iter().map(|(key, item)| (key.clone(), self.marked(item))).collect()),
            other => other.clone(),
        }
    }
}
