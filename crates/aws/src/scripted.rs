//! AWS played by a function, for tests of what is sent after which answer.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use aws_types::sdk_config::Builder;

use crate::client::{Aws, Clients};

/// A call as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The operation, as `x-amz-target` or the form's `Action` has it; else the method and what follows the host.
    pub name: String,
    /// The body.
    pub body: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The host it was sent to.
    pub host: String,
}

impl Call {
    fn of(request: &HttpRequest) -> Self {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).map(str::to_owned);
        let action = body.split('&').find_map(|part| part.strip_prefix("Action=")).map(str::to_owned);
        let path = request.uri().split_once("://").map_or(request.uri(), |(_, rest)| rest);
        let path = path.split_once('/').map_or("", |(_, path)| path);
        let name = target.or(action).unwrap_or_else(|| format!("{} /{path}", request.method()));
        let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let host = request.uri().split_once("://").map_or("", |(_, rest)| rest).split('/').next().unwrap_or_default().to_owned();
        Self { name, body, headers, host }
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// An answer: the status, headers, the body.
pub struct Answer(pub u16, pub Vec<(&'static str, String)>, pub String);

impl Answer {
    /// One with a body.
    pub fn ok(body: impl Into<String>) -> Self {
        Self(200, Vec::new(), body.into())
    }

    /// A refusal in the form of services that speak JSON.
    pub fn json_error(code: &str) -> Self {
        Self(400, vec![("x-amzn-errortype", code.to_owned())], format!(r#"{{"__type":"{code}","message":"no"}}"#))
    }

    /// A refusal in the form of services that speak XML.
    pub fn xml_error(status: u16, code: &str) -> Self {
        let error = format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
        // S3's has nothing around it.
        Self(status, Vec::new(), error)
    }

    /// A refusal in the form of the older services.
    pub fn query_error(status: u16, code: &str) -> Self {
        let body = format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>");
        Self(status, Vec::new(), body)
    }
}

type Play = dyn FnMut(&Call) -> Answer + Send;

/// What was called, and what plays AWS.
#[derive(Clone)]
struct Stage(Arc<Mutex<(Vec<Call>, Box<Play>)>>);

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stage")
    }
}

impl HttpClient for Stage {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Stage {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let call = Call::of(&request);
        let mut stage = self.0.lock().unwrap();
        let Answer(status, headers, body) = (stage.1)(&call);
        stage.0.push(call);
        let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
        for (name, value) in headers {
            response.headers_mut().insert(name, value);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// The clients of a region whose AWS is played, and what was called so far.
pub struct Scripted {
    /// The clients.
    pub aws: Arc<Aws>,
    stage: Stage,
}

impl Scripted {
    /// AWS played by a function.
    pub fn new(play: impl FnMut(&Call) -> Answer + Send + 'static) -> Self {
        Self::configured(|config| config, play)
    }

    /// The same with a configuration of its own.
    pub fn configured(change: impl FnOnce(Builder) -> Builder, play: impl FnMut(&Call) -> Answer + Send + 'static) -> Self {
        let (clients, stage) = Self::clients(change, play);
        Self { aws: clients.region("eu-west-1"), stage }
    }

    /// The clients themselves, and what says afterwards what was called.
    pub fn in_account(play: impl FnMut(&Call) -> Answer + Send + 'static) -> (Clients, Self) {
        let (clients, stage) = Self::clients(|config| config, play);
        let aws = clients.region("eu-west-1");
        (clients, Self { aws, stage })
    }

    fn clients(change: impl FnOnce(Builder) -> Builder, play: impl FnMut(&Call) -> Answer + Send + 'static) -> (Clients, Stage) {
        let stage = Stage(Arc::new(Mutex::new((Vec::new(), Box::new(play)))));
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("id", "secret", None, None, "test")))
            .http_client(SharedHttpClient::new(stage.clone()));
        (Clients::of(change(config).build()), stage)
    }

    /// What was called.
    pub fn calls(&self) -> Vec<Call> {
        self.stage.0.lock().unwrap().0.clone()
    }

    /// The names of what was called.
    pub fn names(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.name).collect()
    }
}
