//! How a state and its journal are written, wherever they are kept.

use super::ports::StoreError;
use crate::model::journal::Record;
use crate::model::state::State;

/// A state as it is written.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn render(state: &State) -> Result<String, StoreError> {
    let text = serde_json::to_string_pretty(state);
    text.map(|text| text + "\n").map_err(|error| StoreError::new(format!("cannot write the state: {error}")))
}

/// A record of the journal as it is written.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn render_record(record: &Record) -> Result<String, StoreError> {
    let text = serde_json::to_string(record);
    text.map(|text| text + "\n").map_err(|error| StoreError::new(format!("cannot write the journal: {error}")))
}

/// A record of the journal as it was written at `place`.
///
/// # Errors
/// When it is not a record.
pub fn parse_record(text: &str, place: &str) -> Result<Record, StoreError> {
    serde_json::from_str(text).map_err(|error| {
        StoreError::new(format!("{place}: not a journal record: {error}"))
            .help("restore it as leoctl left it; what it records is needed to lose nothing")
    })
}

/// A moment in the name of a backup: sorted, names are in the order of time.
pub fn stamp(now: jiff::Timestamp) -> String {
    now.strftime("%Y%m%dT%H%M%S%3fZ").to_string()
}
