//! A request as its service understands it: the operation and its members, whatever the protocol.

use serde_json::{Map, Value};

use super::form::{self, Dialect};
use super::models::{self, Model};
use super::wire::{Problems, from_json};
use super::{rest, valid};
use crate::support::proxy::http::Message;

/// A call in the model's names.
#[derive(Clone)]
pub struct Asked {
    /// Its service.
    pub service: &'static Model,
    /// The operation, such as `CreateVpc`.
    pub operation: String,
    /// What is asked.
    pub members: Value,
    /// What the model does not allow.
    pub problems: Problems,
}

impl Asked {
    /// The call that a request makes that is signed for this service; none for services without a model here.
    pub fn of(signed: &str, request: &Message) -> Option<Self> {
        let service = models::signed(signed)?;
        let mut problems = Problems::default();
        let content = request.content();
        let text = String::from_utf8_lossy(&content);
        let form = form::pairs(&text);
        let action = form.iter().find(|(name, _)| name == "Action").map(|(_, action)| action.clone());
        let (operation, members) = match (request.header("x-amz-target"), action) {
            (Some(target), _) => {
                let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
                let members = match (serde_json::from_str::<Value>(&text), service.input(&operation)) {
                    (Ok(json), Some(input)) => from_json(input, &json, "", &mut problems),
                    (Err(_), Some(_)) if !text.is_empty() => {
                        problems.say("the body", "is no JSON");
                        Value::Object(Map::new())
                    }
                    _ => Value::Object(Map::new()),
                };
                (operation, members)
            }
            (None, Some(operation)) => {
                let dialect = if service.protocol() == "ec2" { Dialect::Ec2 } else { Dialect::Query };
                let members = form::members(service.input(&operation), &form, dialect, &mut problems);
                (operation, members)
            }
            (None, None) => match rest::operation(service, request) {
                Some((operation, labels)) => {
                    let input = service.input(operation);
                    let members = input.map(|input| rest::members(service, input, request, &labels, &mut problems));
                    (operation.to_owned(), members.unwrap_or_else(|| Value::Object(Map::new())))
                }
                None => (format!("{} {}", request.method, request.target), Value::Object(Map::new())),
            },
        };
        match (service.operations().get(&operation), service.input(&operation)) {
            (None, _) => problems.say(&operation, "is no operation of this service"),
            (Some(_), Some(input)) => valid::check(input, &members, "", &mut problems),
            (Some(_), None) => {}
        }
        Some(Self { service, operation, members, problems })
    }

    /// `service:Operation`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service.name, self.operation)
    }
}
