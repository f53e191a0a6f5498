//! One call of AWS as the proxy sees it.

use std::time::Instant;

use super::http::Message;

/// How a service's requests and errors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// EC2: a form, XML back.
    Ec2,
    /// IAM, ELB, STS: a form, XML back.
    Query,
    /// ECS, ECR, logs, secrets: JSON with the operation in a header.
    Json,
    /// S3, Route 53.
    RestXml,
    /// Paths, JSON back.
    RestJson,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its place among all calls.
    pub index: usize,
    /// Its place among the mutating ones, when it is one.
    pub mutation: Option<usize>,
    /// The service it was signed for, such as `ec2`.
    pub service: String,
    /// The operation, such as `CreateVpc`; of S3 the method and what it is of, such as `PUT bucket?policy`.
    pub operation: String,
    /// Whether it changes something.
    pub mutates: bool,
    /// How the service writes.
    pub protocol: Protocol,
    /// The request's path and body.
    pub request: String,
    /// When it came.
    pub began: Instant,
    /// When its answer was there; none for one that got none.
    pub ended: Option<Instant>,
    /// What was done to it.
    pub fault: Option<String>,
}

impl Call {
    /// The call a request makes; none for one that is not signed.
    pub fn of(request: &Message) -> Option<Self> {
        // AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …
        let service = request.header("authorization")?.split('/').nth(3)?.to_owned();
        let body = request.text();
        let (protocol, operation) = match service.as_str() {
            "s3" => (Protocol::RestXml, s3_operation(request)),
            _ => match (request.header("x-amz-target"), form_value(&body, "Action")) {
                (Some(target), _) => (Protocol::Json, target.rsplit('.').next().unwrap_or_default().to_owned()),
                (None, Some(action)) if service == "ec2" => (Protocol::Ec2, action),
                (None, Some(action)) => (Protocol::Query, action),
                (None, None) if service == "route53" => (Protocol::RestXml, format!("{} {}", request.method, request.target)),
                (None, None) => (Protocol::RestJson, format!("{} {}", request.method, request.target)),
            },
        };
        let reads = ["Describe", "Get", "List", "Batch", "Simulate", "Filter"];
        let mutates = match protocol {
            Protocol::RestXml | Protocol::RestJson => request.method != "GET" && request.method != "HEAD",
            _ => !reads.iter().any(|read| operation.starts_with(read)),
        };
        let request = format!("{} {body}", request.target);
        let began = Instant::now();
        Some(Self { index: 0, mutation: None, service, operation, mutates, protocol, request, began, ended: None, fault: None })
    }

    /// `service:Operation`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

fn form_value(body: &str, key: &str) -> Option<String> {
    body.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('=').map(str::to_owned))
}

/// The method, `bucket` or `object`, and the sub-resource.
fn s3_operation(request: &Message) -> String {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let of = if path.trim_matches('/').contains('/') { "object" } else { "bucket" };
    let sub = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).find(|key| !key.is_empty() && *key != "x-id");
    sub.map_or_else(|| format!("{} {of}", request.method), |sub| format!("{} {of}?{sub}", request.method))
}
