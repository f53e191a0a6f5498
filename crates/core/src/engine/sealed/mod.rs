//! What a stack's files are encrypted with: a [`Vault`] stands between what is written and where it is kept. Without
//! `[stack.encryption]` it lets everything pass as it is.

mod envelope;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

pub use self::envelope::{About, DataKey, Envelope, EnvelopeError, Method, What, Wrapped, is_sealed};
use super::persist::Line;
use super::ports::StoreError;
use super::refresh::{OURS, foreign};
use crate::model::base64;
use crate::model::state::State;
use crate::stack::diagnostic::Code;

/// Who keeps data keys: the recipients of age, or a key of KMS.
#[async_trait]
pub trait Keeper: Send + Sync {
    /// How it keeps them.
    fn method(&self) -> Method;
    /// Who can open what it keeps: recipients in order, or the key's name.
    fn keys(&self) -> Vec<String>;
    /// Makes sure that what is written now can be read again from here.
    ///
    /// # Errors
    /// When it could not.
    fn reads_itself(&self) -> Result<(), StoreError>;
    /// A new data key, and the same encrypted.
    ///
    /// # Errors
    /// When there is none to be had.
    async fn fresh(&self, about: &About) -> Result<(DataKey, Vec<u8>), StoreError>;
    /// The data key that is encrypted in these bytes.
    ///
    /// # Errors
    /// When it is not for this keeper, or cannot be opened.
    async fn opened(&self, about: &About, wrapped: &[u8]) -> Result<DataKey, StoreError>;
}

/// How a stack's files are encrypted.
#[derive(Default)]
pub struct Vault {
    stack: String,
    /// Who keeps the keys of what is written; nobody where it is written in the clear.
    keeper: Option<Arc<dyn Keeper>>,
    /// Who else can open what is there.
    older: Vec<Arc<dyn Keeper>>,
    /// Whether what is in the clear is refused.
    required: bool,
    /// Whether what is there may be written for others than can read it now.
    rotating: bool,
    /// The data keys that are known, by what they are encrypted to.
    known: Mutex<BTreeMap<String, Known>>,
    /// The data key of what is written, by lineage: one for all that this run writes.
    fresh: tokio::sync::Mutex<BTreeMap<(bool, String), (Wrapped, DataKey)>>,
    seen: Mutex<Seen>,
}

/// What the state that was read last was encrypted with.
#[derive(Clone, Default)]
struct Seen {
    with: Option<(Method, Vec<String>)>,
    /// Whether only an older keeper has opened it.
    by_older: bool,
    clear: Option<String>,
}

/// A data key, and whether only an older keeper has opened it.
#[derive(Clone)]
struct Known {
    key: DataKey,
    by_older: bool,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys = self.keeper.as_ref().map(|keeper| keeper.keys());
        formatter.debug_struct("Vault").field("stack", &self.stack).field("keys", &keys).finish_non_exhaustive()
    }
}

impl Vault {
    /// What is written is encrypted by this keeper's keys, and what is there is opened by the older ones', too.
    pub fn new(stack: &str, keeper: Arc<dyn Keeper>, older: Vec<Arc<dyn Keeper>>) -> Self {
        Self { stack: stack.to_owned(), keeper: Some(keeper), older, ..Self::default() }
    }

    /// Refuses what is in the clear.
    #[must_use]
    pub fn requiring(self, required: bool) -> Self {
        Self { required, ..self }
    }

    /// Writes for others than those that can read what is there.
    #[must_use]
    pub fn rotating(self) -> Self {
        Self { rotating: true, ..self }
    }

    /// Opens as before, and writes in the clear.
    #[must_use]
    pub fn in_the_clear(self) -> Self {
        let older = self.keeper.into_iter().chain(self.older).collect();
        Self { keeper: None, older, rotating: true, required: false, ..self }
    }

    /// Whether what is written is encrypted.
    pub fn is_on(&self) -> bool {
        self.keeper.is_some()
    }

    /// Whether the state that was read last is in the clear.
    pub fn saw_clear(&self) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear.is_some()
    }

    /// Makes sure that the state may be written: who can read it is changed by rotating alone, so that no apply gives it to
    /// others without a word.
    ///
    /// # Errors
    /// When it may not.
    pub fn may_write(&self) -> Result<(), StoreError> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        if let (Some(change), false) = (self.change(keeper.as_ref()), self.rotating) {
            return Err(refused(format!("the stack file names other keys than the state is encrypted with: {change}"))
                .help("`leoctl state rotate` encrypts the state and its copies with those of the stack file; nothing else does"));
        }
        keeper.reads_itself()
    }

    /// What people should know of what was read.
    pub fn notes(&self) -> Vec<String> {
        let Some(keeper) = &self.keeper else { return Vec::new() };
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let clear = seen
            .clear
            .map(|place| format!("{place} is not encrypted yet: the next write encrypts it, and `leoctl state rotate` its copies, too."));
        let change = self.change(keeper.as_ref());
        let change = change.map(|change| format!("The stack file names other keys than the state is encrypted with: {change}. An apply is refused until `leoctl state rotate` has encrypted it with these."));
        clear.into_iter().chain(change).collect()
    }

    /// How who keeps the keys differs from who kept those of the state that was read.
    fn change(&self, keeper: &dyn Keeper) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (method, before) = seen.with?;
        let now = keeper.keys();
        // An alias of KMS names one key here and another there, or another than it did.
        if method == Method::Kms && method == keeper.method() && seen.by_older && before == now {
            return Some(format!("{} is another key now", now.join(", ")));
        }
        if method != keeper.method() {
            return Some(format!("{} in place of {}", keeper.method().as_str(), method.as_str()));
        }
        let not_in = |these: &[String], those: &[String]| these.iter().filter(|key| !those.contains(key)).cloned().collect::<Vec<_>>();
        let (added, gone) = (not_in(&now, &before), not_in(&before, &now));
        let said = |what: &str, keys: Vec<String>| (!keys.is_empty()).then(|| format!("{what} {}", keys.join(", ")));
        let words: Vec<String> = said("with", added).into_iter().chain(said("without", gone)).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// A state as it is written.
    ///
    /// # Errors
    /// When there is no key for it, or it may not be written.
    pub async fn state(&self, state: &State, text: String) -> Result<String, StoreError> {
        self.may_write()?;
        self.seal(self.about(What::State, state), text).await
    }

    /// A record of the journal of a state as it is written.
    ///
    /// # Errors
    /// As there.
    pub async fn record(&self, state: (&str, u64), number: u64, text: String) -> Result<String, StoreError> {
        if self.keeper.is_none() {
            return Ok(text);
        }
        self.may_write()?;
        let (lineage, serial) = state;
        self.seal(self.of(What::Record, lineage, serial, Some(number)), text).await
    }

    /// What a plan is, as it stands in the clear.
    pub fn plan(&self, lineage: &str, serial: u64) -> About {
        self.of(What::Plan, lineage, serial, None)
    }

    /// Something as it is written.
    ///
    /// # Errors
    /// When there is no key for it.
    pub async fn seal(&self, about: About, text: String) -> Result<String, StoreError> {
        let Some(keeper) = &self.keeper else { return Ok(text) };
        let (with, key) = self.key_for(keeper.as_ref(), &about).await?;
        let sealed = Envelope::seal(about, with, &key, &text).and_then(|sealed| sealed.render());
        sealed.map_err(|error| refused(format!("cannot encrypt what is to be written: {error}")))
    }

    /// A state that was read, in the clear.
    ///
    /// # Errors
    /// When it is not this stack's, not as it was written, or cannot be opened.
    pub async fn open_state(&self, place: &str, text: String) -> Result<String, StoreError> {
        let sealed = is_sealed(&text);
        let mut seen = Seen { clear: (!sealed).then(|| place.to_owned()), ..Seen::default() };
        if !sealed {
            self.clear_is_accepted(place)?;
            self.saw(seen);
            return Ok(text);
        }
        let envelope = self.envelope(place, &text, What::State)?;
        let text = self.open_envelope(place, &envelope).await?;
        seen.by_older = self.key_of(place, &envelope).await?.by_older;
        let Wrapped { method, mut keys, .. } = envelope.with;
        keys.sort();
        seen.with = Some((method, keys));
        self.saw(seen);
        Ok(text)
    }

    /// A plan that was read, in the clear.
    ///
    /// # Errors
    /// As there.
    pub async fn open_plan(&self, place: &str, text: String) -> Result<String, StoreError> {
        if !is_sealed(&text) {
            self.clear_is_accepted(place)?;
            return Ok(text);
        }
        let envelope = self.envelope(place, &text, What::Plan)?;
        self.open_envelope(place, &envelope).await
    }

    /// A copy of a state, or another file of one, in the clear.
    ///
    /// # Errors
    /// As there.
    pub async fn open_copy(&self, place: &str, text: String) -> Result<String, StoreError> {
        if !is_sealed(&text) {
            return Ok(text);
        }
        let envelope = self.envelope(place, &text, What::State)?;
        self.open_envelope(place, &envelope).await
    }

    /// A copy of a state that was read, as it is to be written now.
    ///
    /// # Errors
    /// As there, and when it is no state.
    pub async fn copy_anew(&self, place: &str, text: String) -> Result<String, StoreError> {
        let text = self.open_copy(place, text).await?;
        let state = State::parse(&text).map_err(|error| StoreError::new(format!("cannot use {place}: {error}")))?;
        self.state(&state, text).await
    }

    /// The lines of a state's journal, in the clear. One in the clear is accepted as long as the state is, and before the first
    /// that is encrypted.
    ///
    /// # Errors
    /// When one is not of this journal or not in its place, not as it was written, or cannot be opened, or one before it is
    /// missing.
    pub async fn open_lines(&self, state: &State, lines: Vec<Line>) -> Result<Vec<Line>, StoreError> {
        let mut opened = Vec::with_capacity(lines.len());
        let mut next = 0;
        let mut sealed_before = self.seen.lock().unwrap_or_else(PoisonError::into_inner).with.is_some();
        for line in lines {
            let expected = std::mem::replace(&mut next, line.number.saturating_add(1));
            if !is_sealed(&line.text) {
                if sealed_before {
                    return Err(refused(format!("{} is in the clear, and what comes before it is encrypted", line.place)).help(RESTORE));
                }
                opened.push(line);
                continue;
            }
            sealed_before = true;
            let envelope = self.envelope(&line.place, &line.text, What::Record)?;
            let About { lineage, serial, number, .. } = &envelope.about;
            if (lineage, *serial, *number) != (&state.lineage, state.serial, Some(line.number)) {
                return Err(refused(format!("{} is not the record that belongs there", line.place)).help(RESTORE));
            }
            if line.number != expected {
                return Err(refused(format!("{} is record {}, and record {expected} is missing", line.place, line.number)).help(RESTORE));
            }
            opened.push(Line { text: self.open_envelope(&line.place, &envelope).await?, ..line });
        }
        Ok(opened)
    }

    fn about(&self, what: What, state: &State) -> About {
        self.of(what, &state.lineage, state.serial, None)
    }

    fn of(&self, what: What, lineage: &str, serial: u64, number: Option<u64>) -> About {
        About { what, stack: self.stack.clone(), lineage: lineage.to_owned(), serial, number, stack_file: None, named: None }
    }

    fn saw(&self, seen: Seen) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
    }

    fn clear_is_accepted(&self, place: &str) -> Result<(), StoreError> {
        if self.required {
            return Err(refused(format!("{place} is not encrypted, and [stack.encryption] says `required = true`"))
                .help("restore it as leoctl wrote it; where it was never encrypted, take `required` out for one `leoctl state rotate`"));
        }
        Ok(())
    }

    /// What is said to be encrypted at a place, of this stack and kind.
    fn envelope(&self, place: &str, text: &str, what: What) -> Result<Envelope, StoreError> {
        let envelope = Envelope::parse(text).map_err(|error| unusable(place, &error))?;
        let About { what: found, stack, .. } = &envelope.about;
        if *found != what {
            return Err(refused(format!("{place} is encrypted, and is something else than what belongs there")).help(RESTORE));
        }
        let on = self.is_on() || !self.older.is_empty();
        // A plan is made again and compared, and its stack's name may depend on variables that it brings.
        if on && what != What::Plan && *stack != self.stack {
            let error = StoreError { code: Code::ForeignState, ..StoreError::new(foreign("stack", stack, &self.stack)) };
            return Err(error.help(OURS));
        }
        Ok(envelope)
    }

    async fn open_envelope(&self, place: &str, envelope: &Envelope) -> Result<String, StoreError> {
        let Known { key, .. } = self.key_of(place, envelope).await?;
        envelope.open(&key).map_err(|error| unusable(place, &error))
    }

    /// The data key of something that is encrypted.
    async fn key_of(&self, place: &str, envelope: &Envelope) -> Result<Known, StoreError> {
        let Wrapped { method, keys, key } = &envelope.with;
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Ok(known.clone());
        }
        let named = keys.join(", ");
        if self.keeper.is_none() && self.older.is_empty() {
            let error =
                refused(format!("{place} is encrypted ({} {named}), and the stack file has no [stack.encryption]", method.as_str()));
            return Err(error.help(
                "write the table as it was; to keep the state in the clear, run `leoctl state decrypt` with it, and take it out then",
            ));
        }
        let wrapped = base64::decode(key).ok_or_else(|| unusable(place, &EnvelopeError::NotAuthentic))?;
        let mut refusal = None;
        let keepers = self.keeper.iter().map(|keeper| (keeper, false)).chain(self.older.iter().map(|keeper| (keeper, true)));
        for (keeper, by_older) in keepers.filter(|(keeper, _)| keeper.method() == *method) {
            match keeper.opened(&envelope.about, &wrapped).await {
                Ok(opened) => {
                    let known = Known { key: opened, by_older };
                    self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), known.clone());
                    return Ok(known);
                }
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(match refusal {
            Some(StoreError { message, help, .. }) => StoreError { help, ..refused(format!("cannot decrypt {place}: {message}")) },
            None => refused(format!(
                "{place} is encrypted with {} ({named}), and [stack.encryption] does not say how to read that",
                method.as_str()
            ))
            .help("say it under [stack.encryption.previous], then `leoctl state rotate`"),
        })
    }

    /// The data key of what is written about this lineage. Plans have one of their own: who plans may make no key of a state.
    async fn key_for(&self, keeper: &dyn Keeper, about: &About) -> Result<(Wrapped, DataKey), StoreError> {
        let of = (about.what == What::Plan, about.lineage.clone());
        let mut fresh = self.fresh.lock().await;
        if let Some(known) = fresh.get(&of) {
            return Ok(known.clone());
        }
        let (key, wrapped) = keeper.fresh(about).await?;
        let mut keys = keeper.keys();
        keys.sort();
        let wrapped = Wrapped { method: keeper.method(), keys, key: base64::encode(&wrapped) };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(wrapped.key.clone(), Known { key: key.clone(), by_older: false });
        fresh.insert(of, (wrapped.clone(), key.clone()));
        Ok((wrapped, key))
    }
}

/// Which state the journal belongs to that begins with this text, where it is encrypted. It is not believed further than that a
/// journal is old: who could write this could as well remove the journal.
pub fn journal_of(text: &str) -> Option<(String, u64)> {
    about(text).map(|about| (about.lineage, about.serial))
}

/// What a text that is encrypted says of itself in the clear, not believed yet.
pub fn about(text: &str) -> Option<About> {
    is_sealed(text).then(|| Envelope::parse(text).ok()).flatten().map(|envelope| envelope.about)
}

/// What is to be done about a file that is not what it is to be.
const RESTORE: &str = "somebody has changed or exchanged it: restore it from version control, an older version of the object, or a copy";

fn unusable(place: &str, error: &EnvelopeError) -> StoreError {
    let help = match error {
        EnvelopeError::Newer(_) => "use the leoctl that wrote it, or a newer one",
        EnvelopeError::Malformed | EnvelopeError::NotAuthentic => RESTORE,
    };
    refused(format!("cannot use {place}: {error}")).help(help)
}

/// An error about what is encrypted.
pub fn refused(message: impl Into<String>) -> StoreError {
    StoreError { code: Code::Encryption, ..StoreError::new(message) }
}
