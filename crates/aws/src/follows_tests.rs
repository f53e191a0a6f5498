//! What AWS computes from an attribute is unknown while that changes, and known while it does not: of every type, and every
//! attribute that says what it follows.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use leoctl_core::model::address::{Address, Block};
use leoctl_core::model::place::Place;
use leoctl_core::model::schema::{Attribute, Catalog, Order, ResourceSchema, TextRule, Type, Unset};
use leoctl_core::model::state::{Guard, Remembered, ResourceState, State};
use leoctl_core::model::value::Value;
use leoctl_core::plan::build::{Live, World, build};
use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::Plan;
use leoctl_core::stack::scope::Identity;
use leoctl_core::stack::vars::Given;
use leoctl_core::stack::{Files, load};
use serde_json::{Map, Value as Json, json};

use crate::registry;

/// What a stack file's text is made of: the attributes of the resource `TYPE.it`, and one that refers to it.
struct Stack(String);

impl Files for Stack {
    fn read(&self, _: &FilePath) -> Result<String, String> {
        Ok(self.0.clone())
    }

    fn read_env(&self, _: &FilePath) -> Result<Vec<(String, String)>, String> {
        Ok(Vec::new())
    }
}

/// An attribute that follows another one beside it, where they are.
struct Follower<'a> {
    type_name: &'a str,
    /// The attributes of the type.
    all: &'a [Attribute],
    /// The attributes inside of which both are, from the outermost on.
    inside: Vec<&'a Attribute>,
    /// The attributes beside it.
    beside: &'a [Attribute],
    attribute: &'a Attribute,
    followed: &'a Attribute,
}

fn attributes_of(ty: &Type) -> Option<&[Attribute]> {
    match ty {
        Type::Object(attributes) => Some(attributes),
        Type::List { item, .. } => attributes_of(item),
        _ => None,
    }
}

fn followers<'a>(type_name: &'a str, all: &'a [Attribute], inside: &[&'a Attribute], beside: &'a [Attribute]) -> Vec<Follower<'a>> {
    let mut found = Vec::new();
    for attribute in beside {
        for name in &attribute.follows {
            let followed = beside.iter().find(|other| other.name == *name).unwrap();
            found.push(Follower { type_name, all, inside: inside.to_vec(), beside, attribute, followed });
        }
        if let Some(within) = attributes_of(&attribute.ty) {
            let inside: Vec<&Attribute> = inside.iter().copied().chain([attribute]).collect();
            found.extend(followers(type_name, all, &inside, within));
        }
    }
    found
}

/// One of two values of a type.
fn sample(ty: &Type, which: usize) -> Json {
    match ty {
        Type::Bool => json!(which == 1),
        Type::Int { min, one_of, .. } => json!(one_of.get(which).copied().unwrap_or_else(|| min.unwrap_or(0) + which as i64)),
        Type::Float => json!(which as f64 + 0.5),
        Type::String(_) => json!(format!("v{which}")),
        Type::List { item, .. } => json!([sample(item, which)]),
        Type::Map { item, .. } => json!({ "k": sample(item, which) }),
        Type::Document(_) => json!({ "Version": format!("v{which}") }),
        Type::Object(attributes) => {
            let first = attributes.iter().find(|attribute| !attribute.computed);
            let needed = attributes.iter().filter(|attribute| attribute.required).chain(first);
            Json::Object(needed.map(|attribute| (attribute.name.clone(), sample(&attribute.ty, which))).collect())
        }
    }
}

fn required(attributes: &[Attribute]) -> Map<String, Json> {
    let needed = attributes.iter().filter(|attribute| attribute.required);
    needed.map(|attribute| (attribute.name.clone(), sample(&attribute.ty, 0))).collect()
}

impl Follower<'_> {
    /// The attributes of the resource, with one of two values of the followed one; those of AWS with what follows it.
    fn resource(&self, which: usize, live: bool) -> Map<String, Json> {
        let mut around: Vec<(&[Attribute], Option<&Attribute>)> = Vec::new();
        let mut attributes = self.all;
        for inside in &self.inside {
            around.push((attributes, Some(inside)));
            attributes = attributes_of(&inside.ty).unwrap();
        }
        let mut object = required(self.beside);
        if let Some(Attribute { ty: Type::List { order: Order::Keyed(key), .. }, .. }) = self.inside.last() {
            object.insert(key.clone(), json!("v0"));
        }
        object.insert(self.followed.name.clone(), sample(&self.followed.ty, which));
        if live {
            object.insert(self.attribute.name.clone(), sample(&self.attribute.ty, 0));
        }
        while let Some((attributes, Some(inside))) = around.pop() {
            let value = if matches!(inside.ty, Type::List { .. }) { json!([object]) } else { Json::Object(object) };
            object = required(attributes);
            object.insert(inside.name.clone(), value);
        }
        object
    }

    /// How another resource refers to it, or to what it is inside of.
    fn reference(&self) -> String {
        format!("{}.it.{}", self.type_name, self.inside.first().unwrap_or(&self.attribute).name)
    }

    /// The plan for a resource with one of two values of the followed attribute, which has the first.
    fn plan(&self, catalog: &Catalog, which: usize, more: &str) -> Plan {
        let identity = Identity {
            account_id: "1".repeat(12),
            partition: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            accounts: Default::default(),
        };
        let fields: String =
            self.resource(which, false).iter().map(|(name, value)| format!("{} = {}\n", toml_key(name), toml(value))).collect();
        let text = format!(
            "[stack]\nname = \"t\"\nregion = \"us-east-1\"\n[resource.{}.it]\n{fields}{more}\n[resource.cloudwatch_log_group.user]\nname = \"u\"\ntags = {{ x = \"${{jsonencode({})}}\" }}\n",
            self.type_name,
            self.reference()
        );
        let loaded = load(FilePath::new("t.toml"), &Stack(text.clone()), &Given::default(), catalog);
        let stack = Arc::new(loaded.stack.unwrap_or_else(|| panic!("{text}\n{:#?}", loaded.diagnostics)));
        let mut state = State::new("t", &identity.account_id, "us-east-1", "lineage".to_owned(), "salt".to_owned());
        let place = Place {
            type_name: self.type_name.to_owned(),
            account: identity.account_id.clone(),
            region: "us-east-1".to_owned(),
            id: "it".to_owned(),
        };
        let attributes = Json::Object(self.resource(0, true));
        let live = BTreeMap::from([(place.clone(), Live::Present(Value::from(&attributes)))]);
        let current = Remembered {
            place,
            attributes,
            authored: Vec::new(),
            sensitive: Vec::new(),
            depends_on: Vec::new(),
            guard: Guard::default(),
            incomplete: false,
            updating: Vec::new(),
        };
        let address = format!("{}.it", self.type_name).parse::<Address>().unwrap();
        state.resources.insert(address, ResourceState { current: Some(current), deposed: Vec::new() });
        let (data, found): (BTreeMap<Block, Value>, _) = (BTreeMap::new(), BTreeMap::new());
        let elsewhere = BTreeMap::new();
        let world = World { identity: &identity, state: &state, live: &live, data: &data, found: &found, elsewhere: &elsewhere };
        build(&stack, catalog, world, &Options::default()).unwrap_or_else(|errors| panic!("{text}\n{errors:#?}"))
    }

    /// Whether the resource that refers to what follows does not know it, and waits for the one that it refers to.
    fn is_unknown(&self, plan: &Plan) -> bool {
        let user = plan.changes.iter().find(|change| change.address.to_string() == "cloudwatch_log_group.user").unwrap();
        let unknown = user.after.get("tags").and_then(|tags| tags.get("x")).unwrap().has_unknown();
        let of = format!("{}.it.", self.type_name);
        let waits = user.waits_for.values().flatten().any(|reference| reference.starts_with(&of));
        assert_eq!(unknown, waits, "{}", self.reference());
        unknown
    }
}

fn toml_key(name: &str) -> String {
    Json::from(name).to_string()
}

fn toml(value: &Json) -> String {
    match value {
        Json::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Json::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{} = {}", toml_key(name), toml(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// Types that take whatever is of the right kind: what is tested is not what AWS accepts.
fn lenient() -> Catalog {
    fn any(attributes: &mut [Attribute]) {
        attributes.iter_mut().for_each(|attribute| of(&mut attribute.ty));
    }
    fn of(ty: &mut Type) {
        match ty {
            Type::String(rule) => *rule = TextRule::default(),
            Type::List { item, .. } | Type::Map { item, .. } => of(item),
            Type::Object(attributes) => any(attributes),
            _ => {}
        }
    }
    let mut catalog = registry::catalog().clone();
    let strict: Vec<_> = catalog.resources.iter().map(|(name, schema)| (name.clone(), Arc::clone(schema))).collect();
    for (name, schema) in strict {
        let mut lenient = ResourceSchema {
            check: &|_| Vec::new(),
            protected: &|_| None,
            governed: &|_, _| Vec::new(),
            replaces: &|_, _| &[],
            refuses: &|_, _| None,
            ..(*schema).clone()
        };
        any(&mut lenient.schema.attributes);
        catalog.resources.insert(name, Arc::new(lenient));
    }
    catalog
}

#[test]
fn what_follows_a_change_is_unknown_with_it_and_known_without() {
    let catalog = lenient();
    let mut tested = Vec::new();
    for (type_name, schema) in catalog.resources.iter() {
        let all = &schema.schema.attributes;
        for follower in followers(type_name, all, &[], all) {
            let what = format!("{}: {} and {}", follower.reference(), follower.attribute.name, follower.followed.name);
            assert!(follower.is_unknown(&follower.plan(&catalog, 1, "")), "{what}: known though that changes");
            let other = if schema.schema.is_taggable() { "tags = { other = \"change\" }" } else { "" };
            assert!(!follower.is_unknown(&follower.plan(&catalog, 0, other)), "{what}: unknown though nothing of that changes");
            tested.push(what);
        }
    }
    for one in ["instance.it.public_ip: public_ip and instance_type", "instance.it.root_block_device: iops and volume_type"] {
        assert!(tested.iter().any(|tested| tested == one), "{tested:#?}");
    }
}

/// What AWS sets can be what it was over an update, or follows something that can change.
#[test]
fn what_is_followed_can_change() {
    for (type_name, schema) in lenient().resources.iter() {
        let all = &schema.schema.attributes;
        for Follower { attribute, followed, .. } in followers(type_name, all, &[], all) {
            let is_set_by_aws = attribute.computed || attribute.unset == Unset::Server;
            assert!(is_set_by_aws && !followed.computed, "{type_name}.{} follows {}", attribute.name, followed.name);
        }
    }
}
