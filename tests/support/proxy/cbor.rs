//! CloudWatch's CBOR (Smithy RPC v2) as the forms and the XML of its older protocol, in which the faults and rules are written
//! and which every emulator speaks. What answers in CBOR: fakecloud but for some values, MiniStack, and not Moto.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use ciborium::Value as Cbor;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::call::Call;
use super::http::Message;
use crate::support::strict::answer;
use crate::support::strict::models::Shape;
use crate::support::strict::request::Asked;
use crate::support::strict::xml;

/// CBOR's tag of a time in seconds (RFC 8949, 3.4.2).
const SECONDS: u64 = 1;
/// What is written as `%41` in a form: all but the unreserved characters (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The request as a form; none for one that is not written in CBOR.
///
/// # Panics
/// When the body is no CBOR.
pub fn as_form(request: &Message) -> Option<Message> {
    if request.header("smithy-protocol") != Some("rpc-v2-cbor") {
        return None;
    }
    let operation = request.target.rsplit('/').next()?;
    let content = request.content();
    let mut pairs = vec![("Action".to_owned(), operation.to_owned()), ("Version".to_owned(), "2010-08-01".to_owned())];
    if !content.is_empty() {
        flatten("", &ciborium::from_reader(content.as_slice()).unwrap(), &mut pairs);
    }
    let encoded = pairs.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, RESERVED)));
    let body = encoded.collect::<Vec<_>>().join("&");
    let own = ["smithy-protocol", "accept", "content-type", "content-length"];
    let kept = request.headers.iter().filter(|(name, _)| !own.contains(&name.as_str())).cloned();
    let written = [("content-type", "application/x-www-form-urlencoded".to_owned()), ("content-length", body.len().to_string())];
    let headers: Vec<(String, String)> = kept.chain(written.map(|(name, value)| (name.to_owned(), value))).collect();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("POST / HTTP/1.1\r\n{lines}\r\n");
    let bytes = format!("{head}{body}").into_bytes();
    Some(Message { bytes, body: head.len(), method: "POST".to_owned(), target: "/".to_owned(), headers, head: false })
}

/// The pairs of a form that say a value.
fn flatten(name: &str, value: &Cbor, pairs: &mut Vec<(String, String)>) {
    let text = match value {
        Cbor::Map(entries) => {
            for (key, value) in entries {
                let key = key.as_text().unwrap_or_default();
                flatten(&if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") }, value, pairs);
            }
            return;
        }
        Cbor::Array(elements) if !elements.is_empty() => {
            elements.iter().zip(1..).for_each(|(element, number)| flatten(&format!("{name}.member.{number}"), element, pairs));
            return;
        }
        Cbor::Tag(SECONDS, seconds) => {
            let time = DateTime::from_secs_f64(number(seconds).unwrap_or_default());
            time.fmt(Format::DateTime).unwrap()
        }
        Cbor::Text(text) => text.clone(),
        Cbor::Bool(value) => value.to_string(),
        Cbor::Integer(number) => i128::from(*number).to_string(),
        Cbor::Float(number) => number.to_string(),
        _ => String::new(),
    };
    pairs.push((name.to_owned(), text));
}

fn number(value: &Cbor) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|number| i128::from(number) as f64))
}

/// An answer in XML as the one in CBOR.
pub async fn of_xml(call: &Call, asked: Option<&Asked>, answer: Vec<u8>) -> Option<Vec<u8>> {
    let answer = Message::read_answer(&mut answer.as_slice(), false).await.ok()??;
    let status = answer::status(&answer);
    if status >= 300 {
        return Some(refusal(status, &answer));
    }
    let asked = asked?;
    let members = answer::members(call, asked, &answer).zip(asked.service.output(&asked.operation));
    let body = members.map_or_else(|| Cbor::Map(Vec::new()), |(members, shape)| cbor(shape, &members));
    Some(message(status, "", &body))
}

/// An error. The header keeps the code of the older protocol ("AWS Query Compatible" in Smithy's specification).
fn refusal(status: u16, answer: &Message) -> Vec<u8> {
    let root = xml::parse(&answer.text()).unwrap_or_default();
    let child = |element: &xml::Element, name: &str| element.children.iter().find(|child| child.name == name).cloned().unwrap_or_default();
    let error = child(&root, "Error");
    let (code, message_text) = (child(&error, "Code").text, child(&error, "Message").text);
    let pair = |name: &str, value: &str| (Cbor::Text(name.to_owned()), Cbor::Text(value.to_owned()));
    let body = Cbor::Map(vec![pair("__type", &code), pair("message", &message_text)]);
    message(status, &format!("x-amzn-query-error: {code};Sender\r\n"), &body)
}

fn message(status: u16, headers: &str, body: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(body, &mut bytes).unwrap();
    let length = bytes.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/cbor\r\nsmithy-protocol: rpc-v2-cbor\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), &bytes].concat()
}

/// Members as CBOR.
fn cbor(shape: Shape, value: &Value) -> Cbor {
    match (shape.kind(), value) {
        ("structure", Value::Object(members)) => {
            let members = members.iter().filter_map(|(name, value)| Some((name, cbor(shape.member(name)?, value))));
            Cbor::Map(members.map(|(name, value)| (Cbor::Text(name.clone()), value)).collect())
        }
        ("list", Value::Array(elements)) => {
            let of = shape.element();
            Cbor::Array(of.map(|of| elements.iter().map(|element| cbor(of, element)).collect()).unwrap_or_default())
        }
        ("timestamp", Value::String(text)) => {
            let time = DateTime::from_str(text, Format::DateTimeWithOffset).unwrap();
            Cbor::Tag(SECONDS, Box::new(Cbor::Float(time.as_secs_f64())))
        }
        (_, Value::String(text)) => Cbor::Text(text.clone()),
        (_, Value::Bool(value)) => Cbor::Bool(*value),
        ("integer" | "long", Value::Number(number)) => Cbor::Integer(number.as_i64().unwrap_or_default().into()),
        (_, Value::Number(number)) => Cbor::Float(number.as_f64().unwrap_or_default()),
        _ => Cbor::Null,
    }
}
