//! Answers in the place of AWS, for tests of what is asked and in which order. They are in the form of EC2's API.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use leoctl_core::engine::ports::{Operation, Progress};
use tokio::sync::watch;

use crate::client::Aws;

/// What is answered to a call.
pub enum Answer {
    /// The members of the answer.
    Done(String),
    /// A refusal with this code.
    Refused(&'static str),
}

/// What is answered to a call, given its operation and its members as `Name=value&…`.
type Script = dyn Fn(&str, &str) -> Answer + Send + Sync;

/// AWS, as a script has it.
pub struct Canned {
    /// The clients.
    pub aws: Aws,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    /// An AWS that answers so.
    pub fn new(script: impl Fn(&str, &str) -> Answer + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let line = Line { script: Arc::new(script), asked: Arc::clone(&asked) };
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
            .retry_config(RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(line.clone())))
            .build();
        Self { aws: Aws::answered("eu-west-1", config), asked }
    }

    /// The calls so far that are no questions, each with its members.
    pub fn changes(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|call| !call.starts_with("Describe")).cloned().collect()
    }
}

/// An operation that has just begun.
pub fn operation() -> Operation {
    let timeout = Duration::from_secs(600);
    let (sender, interrupted) = watch::channel(false);
    // Nobody interrupts it.
    std::mem::forget(sender);
    let progress = Progress(Arc::new(|_| {}));
    Operation { region: "eu-west-1".to_owned(), token: String::new(), deadline: Instant::now() + timeout, timeout, interrupted, progress }
}

#[derive(Clone)]
struct Line {
    script: Arc<Script>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

impl HttpConnector for Line {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let body = percent_encoding::percent_decode_str(&body).decode_utf8_lossy().into_owned();
        let (action, members) = body.strip_prefix("Action=").and_then(|rest| rest.split_once("&Version=")).unwrap_or_default();
        let members = members.split_once('&').map_or("", |(_, members)| members);
        self.asked.lock().unwrap().push(format!("{action} {members}"));
        let (status, text) = match (self.script)(action, members) {
            Answer::Done(text) => (200, format!("<{action}Response><requestId>r</requestId>{text}</{action}Response>")),
            Answer::Refused(code) => {
                let error = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
                (400, format!("<Response><Errors>{error}</Errors><RequestID>r</RequestID></Response>"))
            }
        };
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(text))))
    }
}
