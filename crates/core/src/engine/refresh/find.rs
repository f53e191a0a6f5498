//! Finding a resource and reading it: whose it is, is told from its tags, or where it can have none, from what was asked for.

use std::time::Duration;

use crate::engine::ports::{FailureKind, Handler, Outcome, Wanted};
use crate::model::canonical::{canonicalize, with_local};
use crate::model::schema::{Attribute, TypeSchema};
use crate::model::state::is_digest;
use crate::model::value::Value;
use crate::plan::build::Found;
use crate::plan::desired::owner;
use crate::plan::diff::{complete, diff};

/// What stands where something may have been created moments ago.
#[derive(Clone, Debug)]
pub enum FindOutcome {
    /// It.
    Ours(Found),
    /// Something else.
    Foreign(Found),
    /// Something that cannot be looked at, and so is not ours.
    Hidden,
    /// Nothing.
    Absent,
}

/// How long each look waits, while AWS's reads catch up with what was just made.
const LOOKS: [Duration; 5] =
    [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Looks once for a resource and reads it; `import` is its id where somebody has said it.
///
/// # Errors
/// When AWS refuses.
pub async fn find(handler: &dyn Handler, wanted: &Wanted, import: Option<&str>) -> Outcome<Option<Found>> {
    let id = match import {
        Some(id) => Some(id.to_owned()),
        None => handler.find(wanted).await?,
    };
    let Some(id) = id else { return Ok(None) };
    let Some(attributes) = handler.read(&wanted.site(), std::slice::from_ref(&id)).await?.remove(&id) else {
        return Ok(None);
    };
    // What somebody has written may be another form of its id.
    let id = handler.id_of(&id, &attributes);
    let owner = owner(&attributes);
    let ours = import.is_some() || carries(wanted, &attributes) || handler.takes_over() && owner.is_none();
    Ok(Some(Found { place: wanted.place(&id), attributes, ours, owner, hangs_on: None }))
}

/// Looks for what the creation with the wanted one's token made: it is ours whatever tags it has yet.
async fn find_made(handler: &dyn Handler, wanted: &Wanted) -> Outcome<Option<Found>> {
    let Some(id) = handler.find_by_token(wanted).await? else { return Ok(None) };
    let read = handler.read(&wanted.site(), std::slice::from_ref(&id)).await?.remove(&id);
    Ok(read.map(|attributes| Found { place: wanted.place(&id), owner: owner(&attributes), attributes, ours: true, hangs_on: None }))
}

/// Looks for something that may have been created moments ago. Only what has its token or its tags is it; of a type without
/// tags, only what is as it was asked for: an intent alone says nothing of who made what is there.
///
/// # Errors
/// When AWS refuses.
pub async fn find_patiently(handler: &dyn Handler, schema: &TypeSchema, wanted: &Wanted) -> Outcome<FindOutcome> {
    let is_it = |found: &Found| found.ours || !schema.is_taggable() && is_as_asked(&schema.attributes, &wanted.desired, &found.attributes);
    let mut outcome = FindOutcome::Absent;
    for wait in LOOKS {
        tokio::time::sleep(wait).await;
        let found = match find_made(handler, wanted).await {
            Ok(None) => find(handler, wanted, None).await,
            made => made,
        };
        match found {
            Ok(Some(found)) if is_it(&found) => return Ok(FindOutcome::Ours(found)),
            Ok(Some(found)) => outcome = FindOutcome::Foreign(found),
            Ok(None) => {}
            Err(failure) if failure.kind == FailureKind::NotFound => {}
            Err(failure) if failure.kind == FailureKind::AlreadyExists => outcome = FindOutcome::Hidden,
            Err(failure) => return Err(failure),
        }
    }
    Ok(outcome)
}

/// Whether a live resource is as it was asked for, as far as that can be told: what AWS chooses or never says, and what is
/// secret, tells nothing.
fn is_as_asked(attributes: &[Attribute], asked: &Value, live: &Value) -> bool {
    let asked = canonicalize(attributes, asked);
    let live = with_local(attributes, &canonicalize(attributes, live), &asked);
    let is_hidden = |value: &Value| value.has_secret() || !value.paths_where(&|part| part.as_str().is_some_and(is_digest)).is_empty();
    diff(attributes, &live, &complete(attributes, &asked, Some(&live))).iter().all(|change| change.after.as_ref().is_some_and(is_hidden))
}

/// Whether live attributes have the tags of a wanted resource.
fn carries(wanted: &Wanted, attributes: &Value) -> bool {
    let tag = |key: &str| attributes.get("tags").and_then(|tags| tags.get(key)).and_then(Value::as_str);
    wanted.ownership().iter().all(|(key, value)| tag(key) == Some(value))
}
