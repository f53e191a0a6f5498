//! Answers in pages, as botocore's paginators say how each call pages.

use std::collections::BTreeMap;

use serde_json::Value;

use super::models::Model;
use super::path;
use super::request::Asked;
use super::wire::text;
use crate::support::proxy::http::Message;

/// How a call pages.
pub struct Pages {
    input: &'static str,
    output: &'static str,
    list: &'static str,
    more: Option<&'static str>,
}

/// What is left of answers, by the token that asks for it: the answer as it came, and its members without what was given.
#[derive(Default)]
pub struct Left(BTreeMap<String, (Message, Value)>);

impl Pages {
    /// How this call pages; none when it does not, or with more than a token.
    pub fn of(asked: &Asked) -> Option<Self> {
        Self::known(asked.service, &asked.operation)
    }

    /// How an operation pages.
    pub fn known(model: &'static Model, operation: &str) -> Option<Self> {
        let pages = model.pages(operation)?;
        let plain = |name: &str| pages[name].as_str().filter(|text| !text.contains("||") && !text.contains('['));
        let list = pages["result_key"].as_array().and_then(|lists| lists.first()).unwrap_or(&pages["result_key"]).as_str();
        Some(Self { input: plain("input_token")?, output: plain("output_token")?, list: list?, more: plain("more_results") })
    }

    /// What is left for a request with a token from here.
    pub fn rest(&self, asked: &Asked, left: &Left) -> Option<(Message, Value)> {
        left.0.get(&text(path::values(&asked.members, self.input).into_iter().next()?)).cloned()
    }

    /// Cuts the members to the first of the list, and keeps the rest.
    pub fn cut(&self, answer: &Message, members: &mut Value, size: usize, left: &mut Left) {
        let whole = members.clone();
        let Some(Value::Array(list)) = path::values_mut(members, self.list).into_iter().next() else { return };
        if list.len() <= size {
            return;
        }
        let kept = list.split_off(size);
        // Some patterns of tokens want letters and digits alone.
        let token = format!("{:024}", left.0.len());
        put(members, self.output, &Value::String(token.clone()));
        if let Some(more) = self.more {
            put(members, more, &Value::Bool(true));
        }
        let mut rest = whole;
        put(&mut rest, self.list, &Value::Array(kept));
        left.0.insert(token, (answer.clone(), rest));
    }
}

fn put(members: &mut Value, at: &str, value: &Value) {
    let (parent, name) = at.rsplit_once('.').unwrap_or(("", at));
    for parent in path::values_mut(members, parent) {
        if let Some(members) = parent.as_object_mut() {
            members.insert(name.to_owned(), value.clone());
        }
    }
}
