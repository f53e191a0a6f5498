//! How a state and its journal are written, wherever they are kept.

use super::ports::StoreError;
use crate::model::journal::Record;
use crate::model::state::State;
use crate::model::upgrade;

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

/// A line of a journal and where it stands, for errors.
pub struct Line {
    /// The text.
    pub text: String,
    /// The file and line, or the object.
    pub place: String,
    /// Its number in the journal.
    pub number: u64,
}

/// The first record of a journal: which state it belongs to.
///
/// # Errors
/// When it is not a record.
pub fn first_record(line: &Line, state: &State) -> Result<Option<Record>, StoreError> {
    Ok(parse(line, state)?.into_iter().next())
}

/// A state with the lines of its journal on it, of this format or an older one.
///
/// # Errors
/// When a line is not a record.
pub fn replay(mut state: State, lines: &[Line]) -> Result<State, StoreError> {
    for line in lines {
        let records = parse(line, &state)?;
        records.iter().for_each(|record| state.fold(record));
    }
    Ok(state)
}

fn parse(line: &Line, state: &State) -> Result<Vec<Record>, StoreError> {
    upgrade::records(&line.text, state).map_err(|error| {
        StoreError::new(format!("{}: not a journal record: {error}", line.place))
            .help("restore it as leoctl left it; what it records is needed to lose nothing")
    })
}

/// A moment in the name of a backup: sorted, names are in the order of time.
pub fn stamp(now: jiff::Timestamp) -> String {
    now.strftime("%Y%m%dT%H%M%S%3fZ").to_string()
}
