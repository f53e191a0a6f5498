//! What can happen to a call.

use std::sync::Arc;
use std::time::Duration;

use super::call::{Call, Protocol};

/// What happens to a call.
#[derive(Clone)]
pub enum Fault {
    /// It takes this much longer.
    Wait(Duration),
    /// It is refused with a service's own error, in its own form.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: String,
    },
    /// It is refused with a service's own error and its message.
    RefuseSaying {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: String,
        /// The message.
        message: String,
    },
    /// It finds nothing.
    Nothing,
    /// The connection breaks before the call arrives.
    CutBefore,
    /// The call takes effect, and the connection breaks before the answer.
    CutAfter,
    /// No answer ever comes.
    Hang,
    /// leoctl dies before the call arrives.
    KillBefore,
    /// The call takes effect, and leoctl dies before the answer.
    KillAfter,
    /// It is answered with this body, in the service's own form, without being passed on.
    Answer(String),
    /// This is all of the answer, in the form that AWS documents.
    Raw(Vec<u8>),
    /// The call is answered, and this is done as well.
    Then(Arc<dyn Fn() + Send + Sync>),
}

impl Fault {
    /// A refusal.
    pub fn refuse(status: u16, code: &str) -> Self {
        Self::Refuse { status, code: code.to_owned() }
    }

    /// An answer of a service that speaks JSON.
    pub fn json(body: &serde_json::Value) -> Self {
        Self::Answer(body.to_string())
    }

    /// Throttling as the call's service says it.
    pub fn throttle(call: &Call) -> Self {
        match (call.service.as_str(), call.protocol) {
            ("ec2", _) => Self::refuse(503, "RequestLimitExceeded"),
            ("route53", _) => Self::refuse(400, "Throttling"),
            (_, Protocol::RestXml) => Self::refuse(503, "SlowDown"),
            (_, Protocol::Query) => Self::refuse(400, "Throttling"),
            _ => Self::refuse(400, "ThrottlingException"),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wait(length) => write!(f, "waits {length:?}"),
            Self::Refuse { status, code } | Self::RefuseSaying { status, code, .. } => write!(f, "refused with {status} {code}"),
            Self::Nothing => f.write_str("finds nothing"),
            Self::CutBefore => f.write_str("cut before"),
            Self::CutAfter => f.write_str("answer lost"),
            Self::Hang => f.write_str("hangs"),
            Self::KillBefore => f.write_str("killed before"),
            Self::KillAfter => f.write_str("killed after"),
            Self::Answer(_) | Self::Raw(_) | Self::Then(_) => f.write_str("answered"),
        }
    }
}

/// What a read answers of something that was made a moment ago, while AWS's reads lag behind.
pub fn not_there_yet(call: &Call) -> Option<Fault> {
    let code = match (call.service.as_str(), call.operation.as_str()) {
        _ if call.mutates => return None,
        ("sts", _) | (_, "DescribeAvailabilityZones") => return None,
        ("ec2" | "ecs" | "logs", _) => return Some(Fault::Nothing),
        ("iam", _) => "NoSuchEntity",
        ("s3", _) => "NoSuchBucket",
        ("ecr", _) => "RepositoryNotFoundException",
        ("secretsmanager", _) => "ResourceNotFoundException",
        ("elasticloadbalancing", operation) if operation.contains("TargetGroup") => "TargetGroupNotFound",
        ("elasticloadbalancing", operation) if operation.contains("Listener") => "ListenerNotFound",
        ("elasticloadbalancing", _) => "LoadBalancerNotFound",
        _ => return None,
    };
    Some(Fault::refuse(if call.service == "ecr" || call.service == "secretsmanager" { 400 } else { 404 }, code))
}

/// An empty answer as the call's service writes it.
pub fn nothing(call: &Call) -> Vec<u8> {
    match call.protocol {
        Protocol::Ec2 => answer(call, &format!("<{0}Response><requestId>r</requestId></{0}Response>", call.operation)),
        _ => answer(call, "{}"),
    }
}

/// An answer with this body.
pub fn answer(call: &Call, body: &str) -> Vec<u8> {
    let kind = match call.protocol {
        Protocol::Ec2 | Protocol::Query => "text/xml",
        Protocol::RestXml => "application/xml",
        Protocol::Json | Protocol::RestJson => "application/x-amz-json-1.1",
    };
    format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// An error as the call's service writes it (the API references, "Common Errors" and "Error responses").
pub fn refusal(call: &Call, status: u16, code: &str, message: &str) -> Vec<u8> {
    // Route 53 has S3's way of asking and the others' way of refusing.
    let protocol = if call.service == "route53" { Protocol::Query } else { call.protocol };
    let (kind, body) = match protocol {
        Protocol::Ec2 => (
            "text/xml",
            format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>r</RequestID></Response>"
            ),
        ),
        Protocol::Query => (
            "text/xml",
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
            ),
        ),
        Protocol::RestXml => (
            "application/xml",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message><RequestId>r</RequestId></Error>"
            ),
        ),
        Protocol::Json | Protocol::RestJson => {
            ("application/x-amz-json-1.1", serde_json::json!({"__type": code, "message": message}).to_string())
        }
    };
    // The answer to a HEAD has none.
    let body = if call.operation.starts_with("HEAD ") { String::new() } else { body };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nx-amzn-ErrorType: {code}\r\nContent-Length: {length}\r\n\r\n");
    format!("{head}{body}").into_bytes()
}
