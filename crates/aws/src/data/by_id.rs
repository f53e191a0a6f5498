//! Every resource type as a data source: one that is there, read by its id.

use std::sync::Arc;

use crate::resource::wrong_argument;
use leoctl_core::engine::ports::{Handler, Outcome};
use leoctl_core::model::canonical::canonicalize;
use leoctl_core::model::place::Site;
use leoctl_core::model::schema::ResourceSchema;
use leoctl_core::model::value::Value;

/// What AWS says of the resource whose id the arguments name, in canonical form and with what is sensitive hidden.
///
/// # Errors
/// When there is no such resource, or AWS refuses.
pub async fn read(schema: &ResourceSchema, handler: Arc<dyn Handler>, site: &Site, arguments: &Value) -> Outcome<Value> {
    let name = &schema.schema.name;
    let id = arguments.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| wrong_argument("`id` says which one is read, as `leoctl import` takes it"))?.to_owned();
    let found = handler.read(site, std::slice::from_ref(&id)).await?.remove(&id);
    let found = found.ok_or_else(|| wrong_argument(format!("there is no {name} {id} in {}", site.region)))?;
    let Value::Map(mut answer) = canonicalize(&schema.schema.attributes, &found) else { return Ok(found) };
    for attribute in &schema.schema.attributes {
        answer.entry(attribute.name.clone()).or_insert(Value::Null);
    }
    answer.insert("id".to_owned(), Value::String(handler.id_of(&id, &found)));
    Ok(Value::Map(answer))
}
