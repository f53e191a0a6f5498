//! The state file: what leoctl made, with what, and what it depends on.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::address::Address;
use super::path::Path;
use super::pin::Pins;
use super::value::Value;

/// The version of the format this leoctl writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 1;

/// Everything leoctl remembers of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The version of this format.
    pub format_version: u32,
    /// The leoctl that wrote it.
    pub leoctl_version: String,
    /// The stack's name.
    pub stack: String,
    /// The account the resources are in.
    pub account_id: String,
    /// The stack's region.
    pub region: String,
    /// Which state this is, from its first write on: two states of one name are told apart by it.
    pub lineage: String,
    /// How often it has been written.
    pub serial: u64,
    /// What secrets are hashed with.
    pub salt: String,
    /// The resources by address.
    pub resources: BTreeMap<Address, ResourceState>,
    /// The attributes that commands have set otherwise than the stack file says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pins: BTreeMap<Address, Pins>,
    /// The outputs of the last apply; sensitive ones are not kept.
    pub outputs: BTreeMap<String, Json>,
    /// Which holding of the lock has written it last, while an apply is going on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<String>,
    /// Creations whose outcome is still not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Intent>,
}

/// What is remembered of one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceState {
    /// AWS's id of it, as `import` takes it.
    pub id: String,
    /// The region it is in.
    pub region: String,
    /// Its attributes in canonical form, as last read; secrets as salted hashes.
    pub attributes: Json,
    /// The attributes the stack file set.
    pub authored: Vec<Path>,
    /// Where secrets stood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensitive: Vec<Path>,
    /// What it was made from: deletes wait for these the other way round.
    pub depends_on: Vec<Address>,
    /// The guards that hold even when the block is gone from the stack file.
    #[serde(default)]
    pub guard: Guard,
    /// Whether making it was not finished: the id exists, its configuration may not be complete.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// Predecessors that a replacement left behind and that are still to be deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deposed: Vec<Deposed>,
}

/// What is needed to find a resource whose creation was begun and never confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The resource.
    pub address: Address,
    /// Its region.
    pub region: String,
    /// The idempotency token given to AWS, where the API takes one.
    pub token: String,
    /// The attributes it was to have, secrets as hashes.
    pub attributes: Json,
    /// What it is made from.
    pub depends_on: Vec<Address>,
    /// What protects it.
    pub guard: Guard,
}

/// A replaced resource that is still to be deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deposed {
    /// AWS's id of it.
    pub id: String,
    /// Its attributes when it was replaced.
    pub attributes: Json,
}

/// What protects a resource from deletion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// Whether a plan that deletes it is refused.
    pub prevent_destroy: bool,
    /// Whether deleting it only forgets it.
    pub retain: bool,
}

/// Why a state cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It was written by a newer leoctl.
    #[error("it has format {found}, and this leoctl reads up to {FORMAT_VERSION}")]
    Newer {
        /// The format found.
        found: u64,
    },
    /// It is not JSON of this shape.
    #[error("it is not a state file: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It contradicts itself.
    #[error("it contradicts itself: {0}")]
    Inconsistent(String),
}

impl State {
    /// An empty state of a stack that has never been applied.
    pub fn new(stack: &str, account_id: &str, region: &str, lineage: String, salt: String) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            leoctl_version: env!("CARGO_PKG_VERSION").to_owned(),
            stack: stack.to_owned(),
            account_id: account_id.to_owned(),
            region: region.to_owned(),
            lineage,
            serial: 0,
            salt,
            resources: BTreeMap::new(),
            pins: BTreeMap::new(),
            outputs: BTreeMap::new(),
            fence: None,
            open: Vec::new(),
        }
    }

    /// Reads a state file's text.
    ///
    /// # Errors
    /// When the text is not a state, is a newer one, or contradicts itself.
    pub fn parse(text: &str) -> Result<Self, StateError> {
        let json: Json = serde_json::from_str(text)?;
        if let Some(found) = json.get("format_version").and_then(Json::as_u64)
            && found > u64::from(FORMAT_VERSION)
        {
            return Err(StateError::Newer { found });
        }
        let state: Self = serde_json::from_value(json)?;
        state.verify()?;
        Ok(state)
    }

    /// Checks what must hold of every state; done on every read and before every write.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(&self) -> Result<(), StateError> {
        let fail = |problem: String| Err(StateError::Inconsistent(problem));
        let mut ids = BTreeMap::new();
        for (address, resource) in &self.resources {
            if resource.id.is_empty() {
                return fail(format!("{address} has no id"));
            }
            let place = (address.type_name(), resource.region.as_str(), resource.id.as_str());
            if let Some(other) = ids.insert(place, address) {
                return fail(format!("{other} and {address} are both {} {}", address.type_name(), resource.id));
            }
            if resource.deposed.iter().any(|deposed| deposed.id == resource.id) {
                return fail(format!("{address} is its own predecessor {}", resource.id));
            }
            if resource.depends_on.contains(address) {
                return fail(format!("{address} depends on itself"));
            }
        }
        Ok(())
    }

    /// The ids of everything remembered.
    pub fn ids(&self) -> BTreeSet<String> {
        let resources = self.resources.values();
        resources
            .flat_map(|resource| std::iter::once(&resource.id).chain(resource.deposed.iter().map(|deposed| &deposed.id)))
            .cloned()
            .collect()
    }

    /// The hash under which a secret is remembered.
    pub fn digest(&self, secret: &Value) -> Json {
        digest(&self.salt, secret)
    }
}

/// Whether a text is a hash that stands for a secret.
pub fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The salted hash of a secret, as the state holds it.
pub fn digest(salt: &str, secret: &Value) -> Json {
    let text = secret.to_json().map(|json| json.to_string()).unwrap_or_default();
    let hash = Sha256::new().chain_update(salt.as_bytes()).chain_update(text.as_bytes()).finalize();
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Json::from(format!("sha256:{hex}"))
}
