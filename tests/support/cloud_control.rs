//! Cloud Control as the schemas of its types say it behaves, for types that no emulator has: it takes what a schema allows,
//! refuses what it forbids, makes up what AWS sets, never returns what is write-only, returns lists whose order means nothing in
//! another order, and answers later.

use std::collections::BTreeMap;
use std::sync::Mutex;

use leoctl_aws::cloud_control::bundle::Bundle;
use leoctl_aws::cloud_control::names::type_name;
use serde_json::{Map, Value, json};

use super::proxy::call::Call;
use super::proxy::fault::Fault;

/// What is there, and what is under way.
#[derive(Default)]
pub struct Cloud(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    models: BTreeMap<(String, String), Map<String, Value>>,
    requests: BTreeMap<String, Value>,
    tokens: BTreeMap<String, String>,
    made: usize,
}

/// How many a list has in a page.
const PAGE: usize = 100;

/// Why a request is refused: a handler's code and why.
type Refused = (&'static str, String);

/// The schema of a type, by AWS's name.
pub fn schema(aws: &str) -> Value {
    let bundle = Bundle::get().unwrap();
    bundle.schema(&bundle.types()[&type_name(aws)]).unwrap()
}

/// Pointers as a schema has them under a key, of lists without what stands for any element.
pub fn pointers(schema: &Value, key: &str) -> Vec<String> {
    let all = schema[key].as_array().into_iter().flatten().filter_map(Value::as_str);
    all.map(|path| path.split('/').filter(|name| *name != "*").collect::<Vec<_>>().join("/")).collect()
}

/// A schema with what its reference names.
pub fn resolved(schema: &Value, root: &Value) -> Value {
    match schema["$ref"].as_str().and_then(|reference| root.pointer(reference.trim_start_matches('#'))) {
        Some(referred) => {
            let mut merged = resolved(referred, root);
            if let (Some(merged), Some(over)) = (merged.as_object_mut(), schema.as_object()) {
                merged.extend(over.iter().filter(|(key, _)| *key != "$ref").map(|(key, value)| (key.clone(), value.clone())));
            }
            merged
        }
        None => schema.clone(),
    }
}

impl Cloud {
    /// How many there are of a type.
    pub fn count(&self, aws: &str) -> usize {
        self.0.lock().unwrap().models.keys().filter(|(of, _)| of == aws).count()
    }

    /// What there is of a type when there is one.
    pub fn only(&self, aws: &str) -> Map<String, Value> {
        let inner = self.0.lock().unwrap();
        let mut of_type = inner.models.iter().filter(|((of, _), _)| of == aws);
        let (_, model) = of_type.next().expect("there is one");
        assert!(of_type.next().is_none(), "there are several");
        model.clone()
    }

    /// Puts one there, or sets what is there, as somebody else would.
    pub fn put(&self, aws: &str, id: &str, model: Map<String, Value>) {
        self.0.lock().unwrap().models.insert((aws.to_owned(), id.to_owned()), model);
    }

    /// Changes the only one of a type, as somebody else would.
    pub fn change(&self, aws: &str, change: impl FnOnce(&mut Map<String, Value>)) {
        let mut inner = self.0.lock().unwrap();
        change(inner.models.iter_mut().find(|((of, _), _)| of == aws).expect("there is one").1);
    }

    /// The answer to a call of Cloud Control; nothing for any other.
    pub fn answer(&self, call: &Call) -> Option<Fault> {
        if call.service != "cloudcontrolapi" {
            return None;
        }
        let body: Value = serde_json::from_str(&call.request[call.request.find('{')?..]).ok()?;
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let (kind, id) = (text("TypeName"), text("Identifier"));
        let mut inner = self.0.lock().unwrap();
        let absent = || Some(Fault::refuse(404, "ResourceNotFoundException"));
        Some(match call.operation.as_str() {
            "GetResourceRequestStatus" => Fault::json(&json!({ "ProgressEvent": inner.requests.get(&text("RequestToken"))? })),
            "ListResourceRequests" => Fault::json(&json!({ "ResourceRequestStatusSummaries": [] })),
            "ListResources" => {
                let from = text("NextToken").parse::<usize>().unwrap_or(0);
                let ids = inner.models.keys().filter(|(of, _)| *of == kind).map(|(_, id)| json!({ "Identifier": id }));
                let ids: Vec<Value> = ids.skip(from).take(PAGE).collect();
                let more = (ids.len() == PAGE).then(|| (from + PAGE).to_string());
                Fault::json(&json!({ "TypeName": kind, "ResourceDescriptions": ids, "NextToken": more }))
            }
            "GetResource" => {
                let Some(model) = inner.models.get(&(kind.clone(), id.clone())) else { return absent() };
                let seen = seen(model, &schema(&kind));
                let found = json!({ "Identifier": id, "Properties": Value::Object(seen).to_string() });
                Fault::json(&json!({ "TypeName": kind, "ResourceDescription": found }))
            }
            "CreateResource" | "UpdateResource" | "DeleteResource" => {
                if call.operation != "CreateResource" && !inner.models.contains_key(&(kind.clone(), id.clone())) {
                    return absent();
                }
                Fault::json(&json!({ "ProgressEvent": inner.requested(&call.operation, &body) }))
            }
            _ => return None,
        })
    }
}

/// The rules of the schemas in front of an emulator that takes everything: what they forbid is refused.
pub fn refusal(call: &Call) -> Option<Fault> {
    if call.operation != "CreateResource" {
        return None;
    }
    let body: Value = serde_json::from_str(&call.request[call.request.find('{')?..]).ok()?;
    let schema = schema(body["TypeName"].as_str()?);
    let model: Map<String, Value> = serde_json::from_str(body["DesiredState"].as_str()?).ok()?;
    let message = allowed(&model, &schema).err()?;
    Some(Fault::RefuseSaying { status: 400, code: "InvalidRequestException".to_owned(), message })
}

/// Whether a resource can be made so.
fn allowed(model: &Map<String, Value>, schema: &Value) -> Result<(), String> {
    if let Some(path) = pointers(schema, "readOnlyProperties").iter().find(|path| model.contains_key(*path)) {
        return Err(format!("{path} is read-only"));
    }
    valid(&Value::Object(model.clone()), schema, schema, "")
}

impl Inner {
    /// What becomes of a request: it is pending at first. One with a token that was used is that one.
    fn requested(&mut self, operation: &str, body: &Value) -> Value {
        let token = body["ClientToken"].as_str().expect("each request has a token").to_owned();
        if let Some(known) = self.tokens.get(&token) {
            return self.requests[known].clone();
        }
        self.made += 1;
        let request = format!("request-{:030}", self.made);
        let (kind, id) = (body["TypeName"].as_str().unwrap().to_owned(), body["Identifier"].as_str().unwrap_or_default().to_owned());
        let done = match operation {
            "CreateResource" => self.create(&kind, body["DesiredState"].as_str().unwrap()),
            "UpdateResource" => self.update(&kind, &id, body["PatchDocument"].as_str().unwrap()).map(|()| id),
            _ => Ok(self.models.remove(&(kind.clone(), id.clone())).map(|_| id).unwrap_or_default()),
        };
        let name = operation.trim_end_matches("Resource").to_uppercase();
        let pending = json!({ "TypeName": kind, "RequestToken": request, "Operation": name, "OperationStatus": "PENDING" });
        let mut over = pending.clone();
        let fields: Vec<(&str, Value)> = match done {
            Ok(id) => vec![("OperationStatus", "SUCCESS".into()), ("Identifier", id.into())],
            Err((code, why)) => vec![("OperationStatus", "FAILED".into()), ("ErrorCode", code.into()), ("StatusMessage", why.into())],
        };
        fields.into_iter().for_each(|(key, value)| over[key] = value);
        self.tokens.insert(token, request.clone());
        self.requests.insert(request, over);
        pending
    }

    fn create(&mut self, kind: &str, desired: &str) -> Result<String, Refused> {
        let schema = schema(kind);
        let mut model: Map<String, Value> = serde_json::from_str(desired).map_err(|error| ("InvalidRequest", error.to_string()))?;
        allowed(&model, &schema).map_err(|why| ("InvalidRequest", why))?;
        for path in pointers(&schema, "readOnlyProperties").iter().filter(|path| !path.contains('/')) {
            let of = resolved(&schema["properties"][path], &schema);
            let made_up = match of["type"].as_str() {
                Some("string") => format!("made-{path}-{}", self.made).into(),
                Some("integer" | "number") => 7.into(),
                Some("boolean") => true.into(),
                _ => continue,
            };
            model.insert(path.clone(), made_up);
        }
        let identifier = pointers(&schema, "primaryIdentifier");
        // What AWS makes up where nobody says it.
        for path in identifier.iter().filter(|path| !path.contains('/')) {
            let most = schema["properties"][path]["maxLength"].as_u64().unwrap_or(100);
            let made_up: String = format!("{:012}-{path}", self.made).chars().take(usize::try_from(most).unwrap()).collect();
            model.entry(path.clone()).or_insert_with(|| made_up.into());
        }
        let part = |path: &String| {
            let value = path.split('/').try_fold(&Value::Object(model.clone()), |at, name| at.get(name)).cloned_text();
            value.unwrap_or_default()
        };
        let id = identifier.iter().map(part).collect::<Vec<_>>().join("|");
        if self.models.contains_key(&(kind.to_owned(), id.clone())) {
            return Err(("AlreadyExists", format!("{id} is there")));
        }
        self.models.insert((kind.to_owned(), id.clone()), model);
        Ok(id)
    }

    fn update(&mut self, kind: &str, id: &str, patch: &str) -> Result<(), Refused> {
        let schema = schema(kind);
        let operations: Vec<Value> = serde_json::from_str(patch).map_err(|error| ("InvalidRequest", error.to_string()))?;
        let fixed = [pointers(&schema, "readOnlyProperties"), pointers(&schema, "createOnlyProperties")].concat();
        let hidden = pointers(&schema, "writeOnlyProperties");
        let mut model = Value::Object(self.models[&(kind.to_owned(), id.to_owned())].clone());
        // What is write-only is not there for a change that does not say it.
        hidden.iter().for_each(|path| drop(model.as_object_mut().unwrap().remove(path)));
        for operation in &operations {
            let path = operation["path"].as_str().unwrap();
            let plain: Vec<&str> = path.split('/').skip(1).filter(|name| name.parse::<usize>().is_err()).collect();
            if fixed.contains(&plain.join("/")) {
                return Err(("NotUpdatable", format!("{path} cannot be changed")));
            }
            patched(&mut model, operation).map_err(|why| ("InvalidRequest", why))?;
        }
        let mut written: Map<String, Value> = model.as_object().unwrap().clone();
        // Nobody can say again what cannot be changed.
        let before = self.models[&(kind.to_owned(), id.to_owned())].clone();
        written.extend(before.into_iter().filter(|(name, _)| fixed.contains(name) && hidden.contains(name)));
        // What AWS has made up is as it is.
        let made_up = [pointers(&schema, "readOnlyProperties"), pointers(&schema, "primaryIdentifier")].concat();
        let mut own: Map<String, Value> = written.clone().into_iter().filter(|(name, _)| !made_up.contains(name)).collect();
        let named = pointers(&schema, "primaryIdentifier").into_iter().filter_map(|name| Some((name.clone(), written.get(&name)?.clone())));
        let required: Vec<String> = pointers(&schema, "required");
        own.extend(named.filter(|(name, _)| required.contains(name)));
        valid(&Value::Object(own), &schema, &schema, "").map_err(|why| ("InvalidRequest", why))?;
        self.models.insert((kind.to_owned(), id.to_owned()), written);
        Ok(())
    }
}

/// A scalar as ids have it.
trait Text {
    fn cloned_text(self) -> Option<String>;
}

impl Text for Option<&Value> {
    fn cloned_text(self) -> Option<String> {
        self.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}

/// JSON Patch: what is replaced or removed has to be there.
fn patched(model: &mut Value, operation: &Value) -> Result<(), String> {
    let path = operation["path"].as_str().unwrap();
    let (parent, name) = path.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = model.pointer_mut(parent).and_then(Value::as_object_mut).ok_or_else(|| format!("{path} leads nowhere"))?;
    match operation["op"].as_str().unwrap() {
        "add" => drop(parent.insert(name, operation["value"].clone())),
        "replace" => *parent.get_mut(&name).ok_or_else(|| format!("{path} is not there"))? = operation["value"].clone(),
        _ => drop(parent.remove(&name).ok_or_else(|| format!("{path} is not there"))?),
    }
    Ok(())
}

/// What AWS returns of a model.
fn seen(model: &Map<String, Value>, schema: &Value) -> Map<String, Value> {
    let mut shown = Value::Object(model.clone());
    for path in pointers(schema, "writeOnlyProperties") {
        take(&mut shown, &path.split('/').collect::<Vec<_>>());
    }
    let shown = shown.as_object().unwrap().iter();
    shown.map(|(name, value)| (name.clone(), turned(value, &schema["properties"][name], schema))).collect()
}

/// Takes away what is at a path, of every element of the lists on the way.
fn take(value: &mut Value, path: &[&str]) {
    match (value, path) {
        (Value::Array(items), path) => items.iter_mut().for_each(|item| take(item, path)),
        (Value::Object(map), [last]) => drop(map.remove(*last)),
        (Value::Object(map), [first, rest @ ..]) => map.get_mut(*first).into_iter().for_each(|inner| take(inner, rest)),
        _ => {}
    }
}

/// A value with lists whose order means nothing the other way round.
fn turned(value: &Value, schema: &Value, root: &Value) -> Value {
    let schema = resolved(schema, root);
    match value {
        Value::Array(items) => {
            let items = items.iter().map(|item| turned(item, &schema["items"], root));
            match schema["insertionOrder"] == false {
                true => items.rev().collect(),
                false => items.collect(),
            }
        }
        Value::Object(map) => {
            map.iter().map(|(name, value)| (name.clone(), turned(value, &schema["properties"][name], root))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// Whether a value is what a schema allows.
fn valid(value: &Value, schema: &Value, root: &Value, at: &str) -> Result<(), String> {
    let schema = &resolved(schema, root);
    let fails = |why: &str| Err(format!("{at}: {why}"));
    if let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.contains(value)) {
        return fails(&format!("{value} is none of {allowed:?}"));
    }
    match (schema["type"].as_str(), value) {
        (Some("string"), Value::String(text)) => {
            let length = text.chars().count() as u64;
            if schema["minLength"].as_u64().is_some_and(|least| length < least)
                || schema["maxLength"].as_u64().is_some_and(|most| length > most)
            {
                return fails("its length is not allowed");
            }
            let pattern = schema["pattern"].as_str().and_then(|pattern| regex::Regex::new(pattern).ok());
            if pattern.is_some_and(|pattern| !pattern.is_match(text)) {
                return fails(&format!("{text} does not match {}", schema["pattern"]));
            }
        }
        (Some("integer"), Value::Number(number)) if number.is_i64() || number.is_u64() => {}
        (Some("number"), Value::Number(_)) | (Some("boolean"), Value::Bool(_)) => {}
        (Some("array"), Value::Array(items)) => {
            let length = items.len() as u64;
            if schema["minItems"].as_u64().is_some_and(|least| length < least)
                || schema["maxItems"].as_u64().is_some_and(|most| length > most)
            {
                return fails("its number of elements is not allowed");
            }
            for (index, item) in items.iter().enumerate() {
                valid(item, &schema["items"], root, &format!("{at}[{index}]"))?;
            }
        }
        (Some("object") | None, Value::Object(map)) if schema["properties"].is_object() => {
            for (name, value) in map {
                let of = schema["properties"].get(name);
                match of {
                    Some(of) => valid(value, of, root, &format!("{at}.{name}"))?,
                    None if schema["oneOf"].is_array() || schema["anyOf"].is_array() || schema["patternProperties"].is_object() => {}
                    None => return fails(&format!("there is no {name}")),
                }
            }
            let missing = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let read_only = pointers(root, "readOnlyProperties");
            if let Some(missing) = missing.into_iter().find(|name| !map.contains_key(*name) && !read_only.contains(&(*name).to_owned())) {
                return fails(&format!("{missing} is missing"));
            }
        }
        (Some("string" | "integer" | "number" | "boolean" | "array"), other) => return fails(&format!("{other} is of another type")),
        _ => {}
    }
    Ok(())
}
