//! Effects, through traits only: looking at the world ([`refresh`]), carrying out a plan ([`apply`], [`step`]).
//!
//! The engine knows neither AWS, nor files, nor a terminal; see [`ports`] for what it asks of them.

pub mod apply;
pub mod event;
pub mod no_answer;
mod outputs;
pub mod persist;
pub mod ports;
pub mod preflight;
pub mod queue;
mod redact;
pub mod refresh;
pub mod retry;
pub mod sealed;
mod step;
#[cfg(test)]
mod tests;
pub mod usual;
pub mod values;

use crate::stack::diagnostic::{Code, Diagnostic, Diagnostics};
use ports::Failure;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The stack or the state does not allow one.
    #[error("{} errors", .0.0.len())]
    Diagnostics(Diagnostics),
    /// AWS refused.
    #[error("{doing}: {failure}")]
    Aws {
        /// What leoctl was doing.
        doing: String,
        /// What AWS said.
        failure: Failure,
    },
}

impl EngineError {
    /// AWS's failure while doing something.
    pub fn aws(doing: impl Into<String>, failure: Failure) -> Self {
        Self::Aws { doing: doing.into(), failure }
    }

    fn unknown_type(type_name: &str) -> Self {
        Self::Diagnostics(Diagnostics::from(vec![
            Diagnostic::general(Code::UnknownStateType, format!("the state has a `{type_name}`, which this leoctl does not know"))
                .help("use the leoctl that wrote the state, or a newer one"),
        ]))
    }
}

impl From<Diagnostics> for EngineError {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Diagnostics(diagnostics)
    }
}
