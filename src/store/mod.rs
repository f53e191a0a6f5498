//! Where the state lives: in a file or in S3, by one contract.

pub mod local;
pub mod s3;

use crate::engine::ports::StoreError;
use crate::model::journal::Record;
use crate::model::state::State;

/// A state as it is written.
fn render(state: &State) -> Result<String, StoreError> {
    let text = serde_json::to_string_pretty(state);
    text.map(|text| text + "\n").map_err(|error| StoreError::new(format!("cannot write the state: {error}")))
}

/// A record of the journal as it is written.
fn render_record(record: &Record) -> Result<String, StoreError> {
    let text = serde_json::to_string(record);
    text.map(|text| text + "\n").map_err(|error| StoreError::new(format!("cannot write the journal: {error}")))
}

/// A record of the journal as it was written at `place`.
fn parse_record(text: &str, place: &str) -> Result<Record, StoreError> {
    serde_json::from_str(text).map_err(|error| {
        StoreError::new(format!("{place}: not a journal record: {error}"))
            .help("restore it as leoctl left it; what it records is needed to lose nothing")
    })
}

/// The time, for names of backups: sorted, they are in order.
fn stamp() -> String {
    jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ").to_string()
}
