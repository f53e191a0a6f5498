//! States and journals of format 1, in which a resource was an id, a region and an address, read as format 2.

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::address::Address;
use super::journal::Record;
use super::path::Path;
use super::pin::Pins;
use super::place::Place;
use super::state::{FORMAT_VERSION, Guard, Intent, Remembered, ResourceState, State};

/// A resource of format 1.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldResource {
    id: String,
    region: String,
    attributes: Json,
    authored: Vec<Path>,
    #[serde(default)]
    sensitive: Vec<Path>,
    depends_on: Vec<Address>,
    #[serde(default)]
    guard: Guard,
    #[serde(default)]
    incomplete: bool,
    #[serde(default)]
    deposed: Vec<OldDeposed>,
}

/// A predecessor of format 1.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldDeposed {
    id: String,
    attributes: Json,
}

/// A creation of format 1: one for each address at most.
#[derive(Deserialize)]
struct OldIntent {
    address: Address,
    region: String,
    token: String,
    attributes: Json,
    depends_on: Vec<Address>,
    guard: Guard,
}

/// A record of format 1.
#[derive(Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum OldRecord {
    Begin { lineage: String, serial: u64 },
    Intent(OldIntent),
    Refused { address: Address },
    Created { address: Address, id: String },
    Saved { address: Address, resource: Box<OldResource> },
    Moved { from: Address, to: Address },
    Succeeded { address: Address, id: String },
    Pinned { address: Address, pins: Pins },
    Deleted { address: Address, id: String },
}

impl OldResource {
    fn remembered(self, type_name: &str, account: &str) -> ResourceState {
        let place = |id: String| Place { type_name: type_name.to_owned(), account: account.to_owned(), region: self.region.clone(), id };
        // What was remembered of a predecessor besides its attributes was that of its successor.
        let deposed = self.deposed.into_iter().map(|old| Remembered {
            place: place(old.id),
            attributes: old.attributes,
            authored: Vec::new(),
            sensitive: self.sensitive.clone(),
            depends_on: self.depends_on.clone(),
            guard: self.guard,
            incomplete: false,
            updating: Vec::new(),
        });
        let deposed = deposed.collect();
        let current = Remembered {
            place: place(self.id),
            attributes: self.attributes,
            authored: self.authored,
            sensitive: self.sensitive,
            depends_on: self.depends_on,
            guard: self.guard,
            incomplete: self.incomplete,
            updating: Vec::new(),
        };
        ResourceState { current: Some(current), deposed }
    }
}

impl OldIntent {
    fn intent(self, account: &str) -> Intent {
        let Self { address, region, token, attributes, depends_on, guard } = self;
        Intent {
            address,
            account: account.to_owned(),
            region,
            token,
            attributes,
            sensitive: Vec::new(),
            authored: Vec::new(),
            depends_on,
            guard,
        }
    }
}

/// A state of format 1.
///
/// # Errors
/// When it is not one.
pub fn state(mut json: Json) -> Result<State, serde_json::Error> {
    let account = json.get("account_id").and_then(Json::as_str).unwrap_or_default().to_owned();
    let resources: std::collections::BTreeMap<Address, OldResource> = take(&mut json, "resources")?;
    let open: Vec<OldIntent> = take(&mut json, "open")?;
    if let Some(fields) = json.as_object_mut() {
        fields.insert("format_version".to_owned(), FORMAT_VERSION.into());
        fields.insert("resources".to_owned(), json!({}));
    }
    let mut state: State = serde_json::from_value(json)?;
    state.open = open.into_iter().map(|old| old.intent(&account)).collect();
    state.resources = resources
        .into_iter()
        .map(|(address, old)| {
            let known = old.remembered(address.type_name(), &account);
            (address, known)
        })
        .collect();
    Ok(state)
}

fn take<T: serde::de::DeserializeOwned + Default>(json: &mut Json, field: &str) -> Result<T, serde_json::Error> {
    let field = json.as_object_mut().and_then(|fields| fields.remove(field));
    field.map_or_else(|| Ok(T::default()), serde_json::from_value)
}

/// What a line of a journal says, of this format or of format 1; `state` is what the lines before it have made.
///
/// # Errors
/// When it is not a record.
pub fn records(text: &str, state: &State) -> Result<Vec<Record>, serde_json::Error> {
    match serde_json::from_str::<Record>(text) {
        Ok(record) => Ok(vec![record]),
        // Of the two errors that of this format is the one to be said.
        Err(error) => serde_json::from_str::<OldRecord>(text).map(|old| upgraded(old, state)).map_err(|_| error),
    }
}

/// A record of format 1 as those of format 2; none when it is about something that is not remembered.
fn upgraded(old: OldRecord, state: &State) -> Vec<Record> {
    let open = |address: &Address| state.open.iter().filter(|open| open.address == *address).cloned().collect::<Vec<_>>();
    // An address had one creation at most: whatever came of the next one, the one before was over.
    let closed = |address: &Address| {
        let tokens = open(address).into_iter().map(|open| open.token);
        tokens.map(|token| Record::Refused { address: address.clone(), token }).collect::<Vec<_>>()
    };
    match old {
        OldRecord::Intent(intent) => {
            let mut records = closed(&intent.address);
            records.push(Record::Intent(intent.intent(&state.account_id)));
            records
        }
        OldRecord::Refused { address } => closed(&address),
        OldRecord::Saved { address, resource } => {
            let mut records = closed(&address);
            let remembered = resource.remembered(address.type_name(), &state.account_id).current;
            records.extend(remembered.map(|remembered| Record::Saved { address, remembered }));
            records
        }
        OldRecord::Begin { lineage, serial } => vec![Record::Begin { lineage, serial }],
        OldRecord::Moved { from, to } => vec![Record::Moved { from, to }],
        OldRecord::Pinned { address, pins } => vec![Record::Pinned { address, pins }],
        OldRecord::Created { address, id } => {
            let intent = open(&address).pop();
            let (region, token) = intent.map_or_else(|| (state.region.clone(), String::new()), |open| (open.region, open.token));
            let place = Place { type_name: address.type_name().to_owned(), account: state.account_id.clone(), region, id };
            vec![Record::Created { address, token, place }]
        }
        OldRecord::Succeeded { address, id } => {
            let place = state.current(&address).map(|current| Place { id, ..current.place.clone() });
            place.map(|place| Record::Succeeded { address, place }).into_iter().collect()
        }
        OldRecord::Deleted { address, id } => {
            let known = state.all().find(|(known, remembered)| **known == address && remembered.place.id == id);
            let place = known.map(|(_, remembered)| remembered.place.clone());
            place.map(|place| Record::Deleted { address, place }).into_iter().collect()
        }
    }
}
