//! The state file: what leoctl made, where, with what, and what it depends on.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::address::Address;
use super::path::Path;
use super::pin::Pins;
use super::place::{Place, Site};
use super::upgrade;
use super::value::Value;

/// The version of the format this leoctl writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 2;
/// The oldest format that is read.
pub const OLDEST_FORMAT: u32 = 1;

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
    /// The stack's account.
    pub account_id: String,
    /// The stack's region.
    pub region: String,
    /// The other accounts that it has something in, by the names that the stack file has for them.
    #[serde(default, rename = "accounts", skip_serializing_if = "BTreeMap::is_empty")]
    pub named_accounts: BTreeMap<String, String>,
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
    /// What the variables were at the last apply; sensitive ones are not kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Json>,
    /// What else the stack file and its env files said in clear at the last apply, by `vars.NAME` and `env.NAME`: one
    /// that is sensitive later is still told apart by it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub public: BTreeMap<String, Json>,
    /// The outputs of the last apply; sensitive ones are not kept.
    pub outputs: BTreeMap<String, Json>,
    /// The names of the sensitive outputs of the last apply.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sensitive_outputs: BTreeSet<String>,
    /// Which holding of the lock has written it last, while an apply is going on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fence: Option<String>,
    /// Creations whose outcome is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Intent>,
}

/// What is remembered under one address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceState {
    /// The resource of this address; none when only predecessors of it are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Remembered>,
    /// Predecessors that a replacement left behind and that are still to be deleted, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deposed: Vec<Remembered>,
}

/// What is remembered of one resource in AWS: enough to delete it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// Which resource it is.
    pub place: Place,
    /// Its attributes in canonical form, as last read; secrets as salted hashes.
    pub attributes: Json,
    /// The attributes the stack file set; of types whose changes take away what they do not say, also what it set inside of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authored: Vec<Path>,
    /// Where secrets stand in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensitive: Vec<Path>,
    /// What it was made from: it is deleted before these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Address>,
    /// The guards that hold even when the block is gone from the stack file.
    #[serde(default)]
    pub guard: Guard,
    /// Whether making or changing it was not finished: the id exists, its configuration may not be complete, and that it is
    /// ready was not waited for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// The attributes that an update began to set and did not finish: each may be as before, or as it was to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub updating: Vec<String>,
}

/// What is needed to find a resource whose creation was begun and never confirmed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The resource.
    pub address: Address,
    /// Its account.
    pub account: String,
    /// Its region.
    pub region: String,
    /// The idempotency token given to AWS, where the API takes one; it tells this creation from every other.
    pub token: String,
    /// The attributes it was to have, secrets as hashes.
    pub attributes: Json,
    /// Where secrets stand in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensitive: Vec<Path>,
    /// What the stack file wrote of it, as what is remembered of it then says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authored: Vec<Path>,
    /// What it is made from.
    pub depends_on: Vec<Address>,
    /// What protects it.
    pub guard: Guard,
}

impl Intent {
    /// Where the calls of its creation go.
    pub fn site(&self) -> Site {
        Site { account: self.account.clone(), region: self.region.clone() }
    }
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
    #[error("it is not a state file{}", place(.0))]
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
            named_accounts: BTreeMap::new(),
            lineage,
            serial: 0,
            salt,
            resources: BTreeMap::new(),
            pins: BTreeMap::new(),
            variables: BTreeMap::new(),
            public: BTreeMap::new(),
            outputs: BTreeMap::new(),
            sensitive_outputs: BTreeSet::new(),
            fence: None,
            open: Vec::new(),
        }
    }

    /// Reads a state file's text, of this format or an older one.
    ///
    /// # Errors
    /// When the text is not a state, is a newer one, or contradicts itself.
    pub fn parse(text: &str) -> Result<Self, StateError> {
        let json: Json = serde_json::from_str(text)?;
        let state = match json.get("format_version").and_then(Json::as_u64) {
            Some(found) if found > u64::from(FORMAT_VERSION) => return Err(StateError::Newer { found }),
            Some(found) if found == u64::from(OLDEST_FORMAT) => upgrade::state(json)?,
            _ => serde_json::from_value(json)?,
        };
        state.verify()?;
        Ok(state)
    }

    /// Checks what must hold of every state; done on every read and before every write.
    ///
    /// That one resource stands under two addresses is not among it: such a state can be read, so that it can be
    /// mended, and [`State::claimed_twice`] names the two.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(&self) -> Result<(), StateError> {
        let fail = |problem: String| Err(StateError::Inconsistent(problem));
        if let Some((address, account)) = self.accounts().find(|(_, account)| !self.knows(account)) {
            return fail(format!("it is of account {}, and {address} is remembered in account {account}", self.account_id));
        }
        for (address, known) in self.all() {
            if known.place.id.is_empty() {
                return fail(format!("{address} has no id"));
            }
            if known.place.type_name != address.type_name() {
                return fail(format!("{address} is remembered as {}", known.place));
            }
            if known.depends_on.contains(address) {
                return fail(format!("{address} depends on itself"));
            }
        }
        for (address, known) in &self.resources {
            if known.current.is_none() && known.deposed.is_empty() {
                return fail(format!("nothing is remembered of {address}"));
            }
            if let Some(current) = &known.current
                && known.deposed.iter().any(|deposed| deposed.place == current.place)
            {
                return fail(format!("{address} is its own predecessor {}", current.place.id));
            }
        }
        Ok(())
    }

    /// The resource of an address.
    pub fn current(&self, address: &Address) -> Option<&Remembered> {
        self.resources.get(address)?.current.as_ref()
    }

    /// The resource of every address that has one.
    pub fn currents(&self) -> impl Iterator<Item = (&Address, &Remembered)> {
        self.resources.iter().filter_map(|(address, known)| Some((address, known.current.as_ref()?)))
    }

    /// The predecessors of an address that are still to be deleted.
    pub fn deposed(&self, address: &Address) -> &[Remembered] {
        self.resources.get(address).map(|known| known.deposed.as_slice()).unwrap_or_default()
    }

    /// Everything remembered that may exist in AWS, predecessors after what replaced them.
    pub fn all(&self) -> impl Iterator<Item = (&Address, &Remembered)> {
        self.resources
            .iter()
            .flat_map(|(address, known)| known.current.iter().chain(&known.deposed).map(move |remembered| (address, remembered)))
    }

    /// Whether an account is the stack's, or has a name in it.
    pub fn knows(&self, account: &str) -> bool {
        self.account_id == account || self.named_accounts.values().any(|known| known == account)
    }

    /// The account of everything that is remembered or may have been created.
    pub fn accounts(&self) -> impl Iterator<Item = (&Address, &str)> {
        let remembered = self.all().map(|(address, known)| (address, known.place.account.as_str()));
        remembered.chain(self.open.iter().map(|intent| (&intent.address, intent.account.as_str())))
    }

    /// The creations of an address whose outcome is not known.
    pub fn opened(&self, address: &Address) -> impl Iterator<Item = &Intent> {
        self.open.iter().filter(move |intent| intent.address == *address)
    }

    /// Every address of which something is remembered, or may exist.
    pub fn addresses(&self) -> BTreeSet<&Address> {
        self.resources.keys().chain(self.open.iter().map(|intent| &intent.address)).collect()
    }

    /// Every address under which a place is remembered.
    pub fn addresses_of<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = &'a Address> {
        self.all().filter(move |(_, known)| known.place == *place).map(|(address, _)| address)
    }

    /// A place that is remembered under two addresses, and the two.
    pub fn claimed_twice(&self) -> Option<(&Place, &Address, &Address)> {
        let mut seen: BTreeMap<&Place, &Address> = BTreeMap::new();
        self.all().find_map(|(address, known)| match seen.insert(&known.place, address) {
            Some(other) if other != address => Some((&known.place, other, address)),
            _ => None,
        })
    }

    /// The hash under which a secret is remembered.
    pub fn digest(&self, secret: &Value) -> Json {
        digest(&self.salt, secret)
    }
}

/// Where a text stops being a state, where that is known. The parser's own words quote what stands there.
fn place(error: &serde_json::Error) -> String {
    if error.line() == 0 { String::new() } else { format!(" from line {}, column {} on", error.line(), error.column()) }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn state(account: &str) -> State {
        let mut state = State::new("s", "1", "r", "lineage".to_owned(), "salt".to_owned());
        let place = Place { type_name: "vpc".into(), account: account.into(), region: "r".into(), id: "vpc-1".into() };
        let known = ResourceState { current: None, deposed: vec![Remembered::unfinished(place)] };
        state.resources.insert(Address::single("vpc", "main"), known);
        state
    }

    #[test]
    fn a_state_of_which_something_is_in_another_account_is_refused() {
        let read = |state: &State| State::parse(&serde_json::to_string(state).unwrap()).map(drop).map_err(|error| error.to_string());
        let said = "it contradicts itself: it is of account 1, and vpc.main is remembered in account 2".to_owned();
        assert_eq!(read(&state("1")), Ok(()));
        assert_eq!(read(&state("2")), Err(said.clone()));

        let mut open = state("1");
        open.open.push(Intent {
            address: Address::single("vpc", "main"),
            account: "2".into(),
            region: "r".into(),
            token: "t".into(),
            attributes: Json::Null,
            sensitive: Vec::new(),
            authored: Vec::new(),
            depends_on: Vec::new(),
            guard: Guard::default(),
        });
        assert_eq!(read(&open), Err(said));

        // One that has a name in the stack file is one of the stack's.
        open.named_accounts.insert("dns".to_owned(), "2".to_owned());
        assert_eq!(read(&open), Ok(()));
    }
}
