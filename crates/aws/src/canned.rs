//! AWS played by a function in the form of EC2's API: operations with their members, answers and refusals in XML.

use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::client::Aws;
use crate::scripted::{self, Scripted};

/// What is answered to a call.
pub enum Answer {
    /// The members of the answer.
    Done(String),
    /// A refusal with this code.
    Refused(&'static str),
}

/// AWS, as a script has it.
pub struct Canned {
    /// The clients.
    pub aws: Arc<Aws>,
    scripted: Scripted,
}

impl Canned {
    /// An AWS that answers so to a call, given its operation and its members as `Name=value&…`.
    pub fn new(script: impl Fn(&str, &str) -> Answer + Send + 'static) -> Self {
        let scripted = Scripted::new(move |call| match script(&call.name, &members(call)) {
            Answer::Done(text) => {
                let action = &call.name;
                scripted::Answer::ok(format!("<{action}Response><requestId>r</requestId>{text}</{action}Response>"))
            }
            Answer::Refused(code) => {
                let error = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
                scripted::Answer(400, Vec::new(), format!("<Response><Errors>{error}</Errors><RequestID>r</RequestID></Response>"))
            }
        });
        Self { aws: Arc::clone(&scripted.aws), scripted }
    }

    /// The calls so far that are no questions, each with its members.
    pub fn changes(&self) -> Vec<String> {
        let calls = self.scripted.calls().into_iter().filter(|call| !call.name.starts_with("Describe"));
        calls.map(|call| format!("{} {}", call.name, members(&call))).collect()
    }
}

/// What stands behind `Action` and `Version`.
fn members(call: &scripted::Call) -> String {
    let body = percent_decode_str(&call.body).decode_utf8_lossy();
    let members = body.split_once("&Version=").and_then(|(_, rest)| rest.split_once('&'));
    members.map_or_else(String::new, |(_, members)| members.to_owned())
}
