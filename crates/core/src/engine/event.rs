//! What happens during an apply, as data: the terminal, plain text and JSON all consume the same stream.

use std::time::Duration;

use serde::Serialize;

use super::ports::Failure;
use super::usual::Span;
use crate::model::address::Address;

/// What is done to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Made.
    Create,
    /// Changed.
    Update,
    /// Changed together with others.
    Reassign,
    /// Deleted.
    Delete,
    /// Taken into the state.
    Import,
    /// Dropped from the state.
    Forget,
    /// Waited for.
    Wait,
    /// Read.
    Read,
}

/// One event of an apply.
#[derive(Clone, Debug)]
pub enum Event {
    /// An apply of so many steps begins.
    Begin {
        /// How many steps there are.
        steps: usize,
    },
    /// A step begins.
    Started {
        /// The resource.
        address: Address,
        /// What is done.
        verb: Verb,
        /// How long that usually takes, where it is known.
        usual: Option<Span>,
    },
    /// A step that takes long says how it is going.
    Progress {
        /// The resource.
        address: Address,
        /// In words.
        message: String,
    },
    /// A step is done.
    Finished {
        /// The resource.
        address: Address,
        /// What was done.
        verb: Verb,
        /// Its id.
        id: String,
        /// How long it took.
        elapsed: Duration,
    },
    /// A step failed.
    Failed {
        /// The resource.
        address: Address,
        /// What was tried.
        verb: Verb,
        /// Why.
        failure: Failure,
    },
    /// A step was being waited for when the user interrupted: what it began goes on in AWS, or AWS had refused it for the
    /// moment.
    Waiting {
        /// The resource.
        address: Address,
        /// What was done.
        verb: Verb,
        /// For what, in words.
        message: String,
    },
    /// A step was not tried.
    Skipped {
        /// The resource.
        address: Address,
        /// Because of which failed resource, or of an interruption.
        because: Option<Address>,
    },
    /// The user interrupted: what runs is finished, nothing more begins.
    Interrupted,
}

/// Somebody who is told.
pub trait EventSink: Send + Sync {
    /// Takes an event.
    fn emit(&self, event: &Event);
}
