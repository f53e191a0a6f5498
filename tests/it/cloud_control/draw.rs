//! A seeded draw of types, each through its whole life against a Cloud Control that behaves as the schemas say, and against an
//! emulator behind the rules of the schemas. By default some
//! of them; all 300 with `LEOCTL_CLOUD_CONTROL=300`, another draw with `LEOCTL_CLOUD_CONTROL_SEED`.

use std::fmt::Write;
use std::time::Duration;

use leoctl_aws::cloud_control::bundle::Bundle;
use leoctl_aws::cloud_control::kind;
use leoctl_aws::cloud_control::model::attributes;
use leoctl_aws::cloud_control::names::type_name;
use leoctl_aws::cloud_control::shape::Shape;
use leoctl_core::plan::types::Action;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value};

use crate::support::cloud_control::{Cloud, pointers, refusal, resolved, schema};
use crate::support::emulator::Emulator;
use crate::support::proxy::Proxy;
use crate::support::world::{World, shown};

/// How many are drawn.
const DRAWN: usize = 40;

/// A text of the form that a pattern asks for; nothing where it is one that cannot be made up.
fn matching(pattern: &str, least: usize, most: usize, runner: &mut TestRunner) -> Option<String> {
    let regex = regex::Regex::new(pattern).ok()?;
    let fits = |text: &String| (least..=most).contains(&text.chars().count()) && regex.is_match(text);
    let plain = ["a", "example", "example-1", "Example1", "1", "123456789012", "us-east-1", "arn:aws:iam::123456789012:role/example"];
    let guessed = plain.iter().map(|text| (*text).to_owned()).chain([("a".repeat(least.max(1)))]).find(|text| fits(text));
    let inner = pattern.trim_start_matches('^').trim_end_matches('$').replace("\\A", "").replace("\\Z", "");
    guessed.or_else(|| {
        let texts = proptest::string::string_regex(&inner).ok()?;
        (0..50).find_map(|_| texts.new_tree(runner).ok().map(|tree| tree.current()).filter(|text| fits(text) && text.is_ascii()))
    })
}

/// The least that a schema allows.
struct Maker<'a> {
    root: &'a Value,
    runner: TestRunner,
}

impl Maker<'_> {
    fn value(&mut self, schema: &Value, at: &str, depth: usize) -> Option<Value> {
        let schema = resolved(schema, self.root);
        if depth > 8 {
            return None;
        }
        if let Some(first) = schema["enum"].as_array().and_then(|allowed| allowed.first()) {
            return Some(first.clone());
        }
        let bound = |key: &str| schema[key].as_u64().and_then(|bound| usize::try_from(bound).ok());
        match schema["type"].as_str()? {
            "string" if schema["format"] == "json" => Some("{\"a\":1}".into()),
            "string" => {
                let (least, most) = (bound("minLength").unwrap_or(0).max(1), bound("maxLength").unwrap_or(200));
                match schema["pattern"].as_str() {
                    Some(pattern) => matching(pattern, least, most, &mut self.runner).map(Value::from),
                    None => Some("example".repeat(least.div_ceil(7)).chars().take(most).collect::<String>().into()),
                }
            }
            "integer" | "number" => {
                let least = schema["minimum"].as_i64().unwrap_or(1);
                Some(least.max(1).min(schema["maximum"].as_i64().unwrap_or(i64::MAX)).into())
            }
            "boolean" => Some(true.into()),
            "array" => {
                let count = bound("minItems").unwrap_or(0).max(1);
                // Of those that are told apart one is enough to be made up.
                if count > 1 {
                    return None;
                }
                Some(Value::Array(vec![self.value(&schema["items"], at, depth + 1)?]))
            }
            "object" if schema["properties"].is_object() => self.object(&schema, at, depth).map(Value::Object),
            "object" if schema["patternProperties"].is_object() => Some(Value::Object(Map::new())),
            _ => None,
        }
    }

    fn object(&mut self, schema: &Value, at: &str, depth: usize) -> Option<Map<String, Value>> {
        let read_only = pointers(self.root, "readOnlyProperties");
        let path = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
        let mut required: Vec<String> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        for key in ["oneOf", "anyOf"] {
            let first = schema[key].as_array().and_then(|alternatives| alternatives.first()).cloned().unwrap_or_default();
            required.extend(first["required"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        }
        for key in ["requiredXor", "requiredOr"] {
            required.extend(schema[key].as_array().and_then(|names| names.first()).and_then(Value::as_str).map(str::to_owned));
        }
        if depth > 0 && required.is_empty() {
            required.extend(schema["properties"].as_object()?.keys().next().cloned());
        }
        let mut made = Map::new();
        for name in required.iter().filter(|name| !read_only.contains(&path(name))) {
            made.insert(name.clone(), self.value(&schema["properties"][name], &path(name), depth + 1)?);
        }
        Some(made)
    }
}

/// A resource, and the same with one attribute changed in place.
struct Drawn {
    aws: String,
    name: String,
    first: Map<String, Value>,
    changed: (String, Value),
}

fn drawn(aws: &str) -> Option<Drawn> {
    let root = schema(aws);
    let handlers = pointers(&root, "handlers");
    if !["create", "read", "update", "delete"].iter().all(|verb| handlers.iter().any(|known| known == verb)) {
        return None;
    }
    let runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let mut maker = Maker { root: &root, runner };
    let first = maker.object(&root, "", 0)?;
    let fixed =
        ["readOnlyProperties", "createOnlyProperties", "writeOnlyProperties", "primaryIdentifier", "conditionalCreateOnlyProperties"];
    let fixed: Vec<String> = fixed.iter().flat_map(|key| pointers(&root, key)).collect();
    let grouped = format!("{}{}{}{}", root["oneOf"], root["anyOf"], root["requiredXor"], root["dependentExcluded"]);
    let knowledge = &kind(&type_name(aws))?.knowledge;
    // What protects one is not switched on for being there, and a document is no text.
    let known = |name: &String| knowledge.protected_by.contains_key(name) || knowledge.documents.contains(name);
    let is_grouped = |name: &String| grouped.contains(&format!("\"{name}\""));
    let can_change =
        |name: &String| !fixed.contains(name) && !known(name) && !is_grouped(name) && root["tags"].as_str() != Some(name.as_str());
    let changed = root["properties"].as_object()?.iter().filter(|(name, _)| can_change(name)).find_map(|(name, of)| {
        let of = resolved(of, &root);
        let before = first.get(name);
        let other = match of["type"].as_str()? {
            _ if of["enum"].is_array() => of["enum"].as_array()?.iter().find(|value| Some(*value) != before)?.clone(),
            "boolean" => Value::from(before != Some(&Value::Bool(true))),
            "integer" => {
                let value = before.map_or(of["minimum"].as_i64().unwrap_or(1), |before| before.as_i64().unwrap_or(0) + 1);
                of["maximum"].as_i64().is_none_or(|most| value <= most).then(|| value.into())?
            }
            "string" if of["pattern"].is_null() && of["format"].is_null() && of["maxLength"].as_u64().is_none_or(|most| most > 20) => {
                let text = "another example".repeat(usize::try_from(of["minLength"].as_u64().unwrap_or(0)).ok()?.div_ceil(15).max(1));
                (of["maxLength"].as_u64().is_none_or(|most| text.len() as u64 <= most)).then(|| text.into())?
            }
            _ => return None,
        };
        Some((name.clone(), other))
    })?;
    Some(Drawn { aws: aws.to_owned(), name: type_name(aws), first, changed })
}

impl Drawn {
    fn stack(&self, model: &Map<String, Value>) -> String {
        let kind = kind(&self.name).unwrap();
        let Shape::Object(properties) = &kind.root().shape else { panic!("{} has no properties", self.aws) };
        let mut text = format!("[resource.{}.x]\n", self.name);
        for (name, value) in attributes(properties, &Value::Object(model.clone())) {
            let value = value.to_json().unwrap();
            writeln!(text, "{name} = {}", toml::Value::try_from(value).unwrap()).unwrap();
        }
        // What stands in braces is an expression in stack files.
        text.replace("${", "$${")
    }

    async fn lives(&self, endpoint: &str) -> Result<(), String> {
        let world = World::new(endpoint, &format!("draw-{}", self.name.replace('_', "-").chars().take(59).collect::<String>())).await;
        let first = self.stack(&self.first);
        let mut model = self.first.clone();
        model.insert(self.changed.0.clone(), self.changed.1.clone());
        let second = self.stack(&model);
        let empty = async |body: &str, when: &str| {
            let plan = world.plan(body).await?;
            match plan.has_changes() || !plan.drift.is_empty() {
                true => Err(format!("the plan {when} is not empty:\n{}", shown(&plan))),
                false => Ok(()),
            }
        };
        // Some that want what is not there are asked for again and again.
        let made =
            tokio::time::timeout(Duration::from_secs(20), world.apply(&first)).await.unwrap_or_else(|_| Err("it takes long".to_owned()));
        made.map_err(|why| format!("{NOT_MADE}: {why}"))?;
        empty(&first, "after it was made").await?;
        let plan = world.plan(&second).await?;
        let actions: Vec<Action> = plan.changes.iter().map(|change| change.action).collect();
        if actions != [Action::Update] {
            return Err(format!("{} does not change in place:\n{}", self.changed.0, shown(&plan)));
        }
        world.apply(&second).await?;
        empty(&second, "after it was changed").await?;
        let address = format!("{}.x", self.name);
        let id = world.id(&address).await.ok_or("it has no id")?;
        world.forget(&address).await;
        let import = format!("{second}\n[[import]]\nto = \"{address}\"\nid = {}\n", Value::from(id.replace("${", "$${")));
        world.apply(&import).await?;
        empty(&second, "after it was imported").await?;
        if !self.first.contains_key(&self.changed.0) {
            let plan = world.plan(&first).await?;
            let actions: Vec<Action> = plan.changes.iter().map(|change| change.action).collect();
            if actions != [Action::Update] {
                return Err(format!("{} is not taken away in place:\n{}", self.changed.0, shown(&plan)));
            }
            world.apply(&first).await?;
            empty(&first, "after it was taken away").await?;
        }
        world.destroy(&second).await?;
        match world.exists(&self.name, &id).await {
            true => Err(format!("{id} is still there")),
            false => Ok(()),
        }
    }
}

/// The types in an order of chance.
fn order(seed: u64) -> Vec<&'static str> {
    let mut types: Vec<(u64, &'static str)> = Vec::new();
    for entry in Bundle::get().unwrap().types().values() {
        // FNV-1a, over the seed and the name.
        let hash =
            entry.aws.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        types.push((hash, entry.aws));
    }
    types.sort_unstable();
    types.into_iter().map(|(_, aws)| aws).collect()
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// How it begins what is said of what could not be made.
const NOT_MADE: &str = "it is not made";

/// Takes the drawn types through their lives.
async fn live(endpoint: &str, counts: impl Fn(&str) -> bool) {
    let wanted = from_environment("LEOCTL_CLOUD_CONTROL").map_or(DRAWN, |wanted| usize::try_from(wanted).unwrap());
    let all = order(from_environment("LEOCTL_CLOUD_CONTROL_SEED").unwrap_or(1));
    let drawn: Vec<Drawn> = all.into_iter().filter_map(drawn).take(wanted).collect();
    assert_eq!(drawn.len(), wanted, "of too few types one can be made up from the schema");
    let mut failed = Vec::new();
    for some in drawn.chunks(8) {
        let lives = futures_util::future::join_all(some.iter().map(|one| one.lives(endpoint))).await;
        let wrong = some.iter().zip(lives).filter_map(|(one, outcome)| Some((one, outcome.err().filter(|why| counts(why))?)));
        failed.extend(wrong.map(|(one, why)| format!("{}: {why}", one.aws)));
    }
    assert!(failed.is_empty(), "{} of {wanted} failed:\n\n{}", failed.len(), failed.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drawn_types_live_as_their_schemas_say() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let cloud = Cloud::default();
    let proxy = Proxy::start(endpoint, move |call| cloud.answer(call));
    live(&proxy.endpoint, |_| true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drawn_types_live_on_an_emulator_behind_the_rules_of_their_schemas() {
    let Some(endpoint) = Emulator::MiniStack.endpoint() else { return };
    let proxy = Proxy::start(endpoint, refusal);
    live(&proxy.endpoint, |_| true).await;
}

/// Of the types that this emulator has, many want others to be there: what is made lives as any other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drawn_types_that_an_emulator_really_has_live_as_well() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let proxy = Proxy::start(endpoint, refusal);
    live(&proxy.endpoint, |why| !why.starts_with(NOT_MADE)).await;
}
