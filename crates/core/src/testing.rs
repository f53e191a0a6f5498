//! What the tests of this crate plan with: a few types, stacks from text, and a state.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::model::address::{Address, Block};
use crate::model::place::Place;
use crate::model::schema::{After, Catalog, Inside, Release, ResourceSchema, TypeSchema};
use crate::model::state::{Guard, Remembered, ResourceState, State};
use crate::model::value::Value;
use crate::plan::build::{self, Alias, Found, Live, World};
use crate::plan::desired::Governor;
use crate::plan::select::Options;
use crate::plan::types::{Action, Change, Plan};
use crate::stack::diagnostic::Diagnostic;
use crate::stack::scope::Identity;
use crate::stack::vars::Given;
use crate::stack::{Files, Stack, load};

/// The line before the text of another file than the stack's: its path follows.
const FILE: &str = "\n#file ";

/// A stack file, and maybe others behind it.
pub struct OneFile<'a>(pub &'a str);

impl Files for OneFile<'_> {
    fn read(&self, path: &Path) -> Result<String, String> {
        let mut parts = self.0.split(FILE);
        let stack = parts.next().unwrap_or_default();
        let mut others = parts.filter_map(|part| part.split_once('\n'));
        let other = others.find_map(|(name, text)| (Path::new(name) == path).then(|| text.to_owned()));
        match other {
            Some(text) => Ok(text),
            None if path.starts_with("modules") => Err("there is no such file".to_owned()),
            None => Ok(stack.to_owned()),
        }
    }

    fn read_env(&self, _: &Path) -> Result<Vec<(String, String)>, String> {
        Ok(Vec::new())
    }
}

fn text() -> Json {
    json!({ "type": "string" })
}

fn texts() -> Json {
    json!({ "type": "array", "x-set": true, "items": { "type": "string" } })
}

fn with(mut schema: Json, keywords: Json) -> Json {
    schema.as_object_mut().unwrap().extend(keywords.as_object().unwrap().clone());
    schema
}

fn computed(schema: Json) -> Json {
    with(schema, json!({ "x-computed": true }))
}

fn resource(name: &str, properties: Json, required: &[&str], change: fn(&mut ResourceSchema)) -> (String, Arc<ResourceSchema>) {
    let json = json!({ "type": "object", "properties": properties, "required": required });
    let mut schema = ResourceSchema::plain(TypeSchema::compile(name, &json).unwrap());
    change(&mut schema);
    (name.to_owned(), Arc::new(schema))
}

static NOTHING_FOUND: BTreeMap<Address, Found> = BTreeMap::new();
static NOBODY_ELSEWHERE: BTreeMap<Place, Vec<Governor>> = BTreeMap::new();

/// A few types, each with what is peculiar about it in AWS.
pub fn catalog() -> Catalog {
    let tags = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let vpc = json!({
        "cidr_block": with(text(), json!({ "x-format": "cidr4", "x-replace": true })),
        "six": with(json!({ "type": "boolean" }), json!({ "default": false })),
        "tags": tags,
        "id": computed(text()),
        "ipv6_cidr_block": with(computed(text()), json!({ "x-follows": ["six"] })),
    });
    let subnet = json!({
        "vpc_id": with(text(), json!({ "x-replace": true })),
        "cidr_block": with(text(), json!({ "x-replace": true })),
        "ipv6_cidr_block": text(),
        "tags": tags,
        "id": computed(text()),
    });
    let route_table = json!({
        "vpc_id": text(),
        "subnet_ids": texts(),
        "routes": { "type": "array", "x-key": "to", "items": { "type": "object", "properties": { "to": text(), "via": text(), "weight": { "type": "integer" } }, "required": ["to"] } },
        "tags": tags,
        "id": computed(text()),
    });
    let policy = json!({
        "name": text(),
        "document": { "x-document": "json" },
        "enabled": { "type": "boolean" },
        "count": { "type": "integer" },
        "arn": computed(text()),
    });
    let mut catalog = Catalog::default();
    catalog.resources.extend([
        resource("vpc", vpc, &["cidr_block"], |schema| {
            schema.releases = &[Release { attribute: "six", by: "subnet", using: "ipv6_cidr_block" }]
        }),
        resource("subnet", subnet, &["vpc_id", "cidr_block"], |_| ()),
        resource("route_table", route_table, &["vpc_id"], |schema| schema.exclusive = &["subnet_ids"]),
        resource("policy", policy, &["name"], |_| ()),
        resource("group", json!({ "name": text(), "arn": computed(text()) }), &["name"], |schema| schema.create_before_destroy = true),
        resource("cluster", json!({ "providers": texts(), "arn": computed(text()) }), &[], |schema| {
            schema.releases = &[Release { attribute: "providers", by: "task", using: "strategy" }];
        }),
        resource("task", json!({ "cluster": text(), "strategy": texts(), "arn": computed(text()) }), &["cluster"], |_| ()),
        resource("balancer", json!({ "links": texts(), "note": text(), "key": with(text(), json!({ "x-replace": true, "x-kms-key": true })), "tags": tags, "arn": computed(text()) }), &[], |_| ()),
        resource("gate", json!({ "links": with(texts(), json!({ "x-within": "vpc" })), "tags": tags, "arn": computed(text()), "vpc_id": computed(text()) }), &[], |_| ()),
        resource(
            "link",
            json!({ "net": with(text(), json!({ "x-replace": true })), "name": with(text(), json!({ "x-replace": true, "x-caseless": true })), "size": with(text(), json!({ "x-replace": true })), "id": computed(text()) }),
            &["net", "name"],
            |schema| {
                schema.unique = &[&["net", "name"]];
                schema.held_by = &["balancer", "gate"];
            },
        ),
        resource(
            "listener",
            json!({ "group": text(), "side": text(), "to": text(), "via": text(), "arn": computed(text()) }),
            &["group"],
            |schema| {
                schema.inside = &[Inside { of: "route_table", by: "group", list: "routes", when: ("side", "in"), aside: &["via"] }];
            },
        ),
        resource("service", json!({ "group": text(), "name": text(), "arn": computed(text()) }), &["group"], |schema| {
            schema.after = &[After { type_name: "listener", through: "group" }];
        }),
    ]);
    let zones = json!({ "type": "object", "properties": { "of": text(), "names": computed(texts()) } });
    catalog.data.insert("zones".to_owned(), Arc::new(TypeSchema::compile("zones", &zones).unwrap()));
    catalog
}

/// A stack, or what is wrong with it, a line each.
pub fn stack(text: &str) -> Result<Arc<Stack>, Vec<String>> {
    whole(&format!("[stack]\nname = \"t\"\nregion = \"us-east-1\"\n{text}"))
}

/// A stack of which the text is all of the file.
pub fn whole(text: &str) -> Result<Arc<Stack>, Vec<String>> {
    let loaded = load(Path::new("t.toml"), &OneFile(text), &Given::default(), &catalog());
    let lines = |one: &Diagnostic| std::iter::once(&one.message).chain(&one.help).cloned().collect::<Vec<_>>().join("\n  ");
    let messages = || loaded.diagnostics.0.iter().map(lines).collect();
    loaded.stack.clone().map(Arc::new).ok_or_else(messages)
}

/// Everything that a plan is made of.
pub struct Account {
    /// What is remembered.
    pub state: State,
    /// What exists.
    pub live: BTreeMap<Place, Live>,
    /// What data sources say.
    pub data: BTreeMap<Block, Value>,
    /// What the plan is about.
    pub options: Options,
    /// Who we are.
    pub identity: Identity,
}

impl Account {
    /// An empty account.
    pub fn new() -> Self {
        let identity = Identity {
            account_id: "1".repeat(12),
            partition: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            accounts: Default::default(),
        };
        Self {
            state: State::new("t", &identity.account_id, &identity.region, "lineage".to_owned(), "salt".to_owned()),
            live: BTreeMap::new(),
            data: BTreeMap::new(),
            options: Options::default(),
            identity,
        }
    }

    /// What is known, where nothing was found that is not remembered.
    fn world(&self) -> World<'_> {
        World {
            identity: &self.identity,
            state: &self.state,
            live: &self.live,
            data: &self.data,
            found: &NOTHING_FOUND,
            elsewhere: &NOBODY_ELSEWHERE,
        }
    }

    /// The plan of a stack; otherwise its errors, a line each.
    pub fn plan(&self, text: &str) -> Result<Plan, Vec<String>> {
        let plan = build::build(&stack(text)?, &catalog(), self.world(), &self.options);
        plan.map_err(|errors| errors.0.into_iter().map(|error| error.message).collect())
    }

    /// The aliases of keys in a stack, and what would be done with the first resource.
    pub fn aliases(&self, text: &str) -> (Vec<Alias>, Action) {
        let draft = build::draft(&stack(text).unwrap(), &catalog(), self.world(), &self.options).unwrap();
        (draft.aliases, draft.plan.changes[0].action)
    }

    /// Why there is no plan of a stack, in full.
    pub fn refused(&self, text: &str) -> Vec<Diagnostic> {
        build::build(&stack(text).unwrap(), &catalog(), self.world(), &self.options).err().map(|errors| errors.0).unwrap_or_default()
    }

    /// The data sources that can be read now.
    pub fn readable(&self, text: &str) -> Vec<(Block, Value)> {
        let found = build::readable(&stack(text).unwrap(), &catalog(), self.world(), &self.options);
        found.into_iter().map(|(block, _, arguments)| (block, arguments)).collect()
    }

    /// Remembers and makes what a stack says, one resource after another: `id` and whatever else AWS sets is the
    /// address, but what follows something, which is absent.
    pub fn applied(mut self, text: &str) -> Self {
        let order: Vec<Address> = self.plan(text).unwrap().changes.into_iter().map(|change| change.address).collect();
        for address in order {
            let plan = self.plan(text).unwrap();
            let change = plan.change(&address).unwrap();
            let schema = catalog().resources[address.type_name()].clone();
            let mut attributes = settle(&change.after, &address).to_public_json(&|_| Json::Null);
            if let Some(object) = attributes.as_object_mut() {
                object.retain(|name, _| schema.schema.attribute(name).is_none_or(|attribute| attribute.follows.is_empty()));
            }
            let place = Place {
                type_name: address.type_name().to_owned(),
                account: self.identity.account_id.clone(),
                region: "us-east-1".to_owned(),
                id: address.to_string(),
            };
            self.live.insert(place.clone(), Live::Present(Value::from(&attributes)));
            let current = Remembered {
                place,
                attributes,
                authored: change.authored.clone(),
                sensitive: Vec::new(),
                depends_on: change.remembered_depends_on(),
                guard: Guard::default(),
                incomplete: false,
                updating: Vec::new(),
            };
            self.state.resources.insert(address, ResourceState { current: Some(current), deposed: Vec::new() });
        }
        self
    }
}

/// `value` with every unknown replaced by something that stands for it.
fn settle(value: &Value, address: &Address) -> Value {
    match value {
        Value::Unknown => Value::String(address.to_string()),
        Value::Map(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), settle(value, address))).collect()),
        Value::List(items) => Value::List(items.iter().map(|item| settle(item, address)).collect()),
        other => other.clone(),
    }
}

/// The change of one resource of a plan.
pub fn change<'a>(plan: &'a Plan, address: &str) -> &'a Change {
    plan.changes.iter().find(|change| change.address.to_string() == address).unwrap()
}

/// Addresses as text.
pub fn names(addresses: &[Address]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}
