//! Where the stack file says the state is.

use super::Stack;
use super::check::failed;
use super::diagnostic::{Code, Diagnostic, Diagnostics};
use super::scope::StackScope;
use crate::model::value::Value;

/// `[stack.backend.s3]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The bucket.
    pub bucket: String,
    /// The state's object in it.
    pub key: String,
    /// The bucket's region; the ordinary AWS configuration's when absent.
    pub region: Option<String>,
    /// The profile whose credentials may use the bucket; the stack's own when absent.
    pub profile: Option<String>,
    /// The KMS key objects are encrypted with; the bucket's own encryption when absent.
    pub kms_key_id: Option<String>,
}

/// The backend of a stack; none when its state is a local file.
///
/// # Errors
/// What is wrong with it.
pub fn location(stack: &Stack) -> Result<Option<Backend>, Diagnostics> {
    let Some(template) = &stack.config.backend_s3 else { return Ok(None) };
    let scope = StackScope::offline(stack);
    let value = template.eval(&scope).map_err(|failure| Diagnostics::from(vec![failed(failure)]))?;
    let lacks = stack.lacks(&scope.take_lookups());
    if value.has_unknown() && lacks.has_errors() {
        return Err(lacks);
    }
    let mut problems = Diagnostics::default();
    if value.has_secret() {
        let error = "where the state is cannot be sensitive: it is shown, and stored in plans";
        return Err(Diagnostics::from(vec![Diagnostic::error(Code::BadBackend, &template.span, error).help(super::PUBLIC)]));
    }
    let mut text = |key: &str, required: bool| match value.get(key).map(Value::revealed) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        None | Some(Value::Null) if !required => None,
        found => {
            let problem = match found {
                Some(Value::Unknown) => format!("`{key}` of the backend can use variables, locals and env only"),
                Some(Value::String(_)) => format!("`{key}` of the backend is empty"),
                None => format!("[stack.backend.s3] needs `{key}`"),
                Some(other) => format!("`{key}` of the backend is a string, not {}", other.kind()),
            };
            problems.push(Diagnostic::error(Code::BadBackend, &template.span, problem));
            None
        }
    };
    let (bucket, key) = (text("bucket", true), text("key", true));
    let (region, profile, kms_key_id) = (text("region", false), text("profile", false), text("kms_key_id", false));
    match bucket.zip(key) {
        Some((bucket, key)) if !problems.has_errors() => Ok(Some(Backend { bucket, key, region, profile, kms_key_id })),
        _ => Err(problems),
    }
}
