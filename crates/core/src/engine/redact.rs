//! What AWS says about a failure quotes what it was given: secrets are taken out of it before anybody sees it.

use super::EngineError;
use super::ports::Failure;
use crate::model::redact::Redactor;

impl Failure {
    /// This failure with words in the place of secrets.
    pub fn redacted(self, redactor: &Redactor) -> Self {
        let no_answer = self.no_answer.map(|mut no_answer| {
            no_answer.detail = redactor.redact(&no_answer.detail);
            no_answer
        });
        Self { message: redactor.redact(&self.message), code: self.code.map(|code| redactor.redact(&code)), no_answer, ..self }
    }
}

impl EngineError {
    /// This error with words in the place of secrets.
    pub fn redacted(self, redactor: &Redactor) -> Self {
        match self {
            Self::Aws { doing, failure } => Self::Aws { doing: redactor.redact(&doing), failure: failure.redacted(redactor) },
            // Diagnostics are made by leoctl, of what it knows to be no secret.
            other @ Self::Diagnostics(_) => other,
        }
    }
}
