//! An answer as members, and members as an answer.

use serde_json::Value;

use super::models::Shape;
use super::request::Asked;
use super::wire::{Problems, from_json, to_json};
use super::xml;
use crate::support::proxy::call::{Call, Protocol};
use crate::support::proxy::http::Message;

/// The status of an answer.
pub fn status(answer: &Message) -> u16 {
    let line = answer.bytes.get(..answer.body).map(String::from_utf8_lossy).unwrap_or_default();
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// The members of a body; none when it has none or cannot be read.
pub fn members(call: &Call, asked: &Asked, answer: &Message) -> Option<Value> {
    let shape = body_shape(asked)?;
    let content = answer.content();
    let text = String::from_utf8_lossy(&content);
    let mut ignored = Problems::default();
    match call.protocol {
        Protocol::Json | Protocol::RestJson => Some(from_json(shape, &serde_json::from_str(&text).ok()?, "", &mut ignored)),
        Protocol::Ec2 | Protocol::RestXml => Some(xml::members(shape, &xml::parse(&text)?, "", &mut ignored)),
        Protocol::Query => {
            let root = xml::parse(&text)?;
            let result = root.children.iter().find(|child| child.name.ends_with("Result"))?;
            Some(xml::members(shape, result, "", &mut ignored))
        }
    }
}

/// The answer with these members in its body.
pub fn with_members(call: &Call, asked: &Asked, answer: &Message, members: &Value) -> Option<Vec<u8>> {
    let shape = body_shape(asked)?;
    let operation = &asked.operation;
    let space = asked.service.namespace();
    let body = match call.protocol {
        Protocol::Json | Protocol::RestJson => to_json(shape, members).to_string(),
        Protocol::Ec2 => {
            format!("<{operation}Response><requestId>r</requestId>{}</{operation}Response>", xml::written_members(shape, members))
        }
        Protocol::Query => format!(
            "<{operation}Response xmlns=\"{space}\"><{operation}Result>{}</{operation}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{operation}Response>",
            xml::written_members(shape, members)
        ),
        Protocol::RestXml => {
            let root = xml::parse(&String::from_utf8_lossy(&answer.content()))?.name;
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{}", xml::element_of(&root, shape, members))
        }
    };
    Some(with_body(answer, body.as_bytes()))
}

/// The answer with another body.
fn with_body(answer: &Message, body: &[u8]) -> Vec<u8> {
    let head = String::from_utf8_lossy(&answer.bytes[..answer.body]).into_owned();
    let framing = ["content-length:", "transfer-encoding:", "content-encoding:", "content-md5:", "x-amz-checksum", "x-amz-crc32:"];
    let kept = head.lines().filter(|line| !line.is_empty() && !framing.iter().any(|name| line.to_lowercase().starts_with(name)));
    let head: String = kept.map(|line| format!("{line}\r\n")).collect();
    [format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// What the body is: the member that is the payload, or all members.
fn body_shape(asked: &Asked) -> Option<Shape> {
    let output = asked.service.output(&asked.operation)?;
    match output.payload() {
        None => Some(output),
        Some((_, member)) => (member.kind() == "structure").then_some(member),
    }
}
