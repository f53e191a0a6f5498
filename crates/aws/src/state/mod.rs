//! The state in S3: one object, replaced by compare-and-swap; a lease as its lock; the journal as small objects.

pub mod kms;
mod lease;
mod objects;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_smithy_types::timeout::TimeoutConfig;
use futures_util::future::{join_all, try_join_all};

pub use self::lease::Holder;
use self::lease::Lease;
use self::objects::{Objects, When};
use super::client::Aws;
use super::limits::Unqueued;
use leoctl_core::engine::persist::{Line, render, render_record, replay, stamp};
use leoctl_core::engine::ports::{Rewritten, Store, StoreError};
use leoctl_core::engine::sealed::Vault;
use leoctl_core::model::journal::Record;
use leoctl_core::model::state::{State, StateError};

/// Where a state is in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The bucket.
    pub bucket: String,
    /// The state's object.
    pub key: String,
    /// The KMS key objects are encrypted with; the bucket's own encryption without.
    pub kms_key_id: Option<String>,
}

/// A state in S3.
#[derive(Debug)]
pub struct S3Store {
    objects: Objects,
    key: String,
    /// The version of the state that was read or written last; nothing when there was none.
    version: tokio::sync::Mutex<Option<String>>,
    lease: tokio::sync::Mutex<Option<Lease>>,
    /// What taking the lease waits for.
    waiting: lease::Waiting,
    /// The lease's objects: what concerns it is asked with less patience than it lasts.
    leases: Objects,
    /// What was read last: the state as it was written, and the records of its journal.
    read: tokio::sync::Mutex<(Option<State>, Vec<String>)>,
    /// The journal's folder, and the number of its next record.
    journal: tokio::sync::Mutex<Journal>,
    next: AtomicU64,
    /// The record that may not have been written, where those that follow wait for it.
    unwritten: tokio::sync::Mutex<Option<String>>,
    /// What is written is encrypted with.
    vault: Arc<Vault>,
}

/// The journal that records are written to.
#[derive(Clone, Debug, Default)]
struct Journal {
    folder: String,
    lineage: String,
    serial: u64,
}

/// How long a call about the lease may take.
const LEASE_PATIENCE: Duration = Duration::from_secs(3);
/// How many of a journal's records are read or deleted at once.
const AT_ONCE: usize = 16;

/// The text of an object that is no state of leoctl's.
///
/// # Errors
/// When there is none, or it cannot be read.
pub async fn text_of(aws: &Aws, bucket: &str, key: &str) -> Result<String, StoreError> {
    let objects = Objects { client: aws.s3().clone(), bucket: bucket.to_owned(), kms_key_id: None };
    match objects.get(key).await? {
        Some(object) => Ok(object.text),
        None => Err(StoreError::new(format!("there is no {}", objects.place(key)))),
    }
}

impl S3Store {
    /// The state at a location.
    pub fn new(client: Client, location: &Location) -> Self {
        let patience = TimeoutConfig::builder().operation_attempt_timeout(LEASE_PATIENCE).build();
        // The lease is renewed whatever else waits for S3.
        let brief = client.config().to_builder().timeout_config(patience).interceptor(Unqueued);
        let brief = Client::from_conf(brief.build());
        let objects = |client| Objects { client, bucket: location.bucket.clone(), kms_key_id: location.kms_key_id.clone() };
        Self {
            leases: objects(brief),
            objects: objects(client),
            read: tokio::sync::Mutex::default(),
            key: location.key.clone(),
            version: tokio::sync::Mutex::default(),
            lease: tokio::sync::Mutex::default(),
            waiting: lease::Waiting::default(),
            journal: tokio::sync::Mutex::default(),
            next: AtomicU64::new(0),
            unwritten: tokio::sync::Mutex::default(),
            vault: Arc::default(),
        }
    }

    /// Encrypts what is written, as the stack file says.
    #[must_use]
    pub fn encrypted(self, vault: Arc<Vault>) -> Self {
        Self { vault, ..self }
    }

    /// Where copies of the state are kept.
    fn copies(&self) -> String {
        format!("{}.backup/", self.key)
    }

    fn lock_key(&self) -> String {
        format!("{}.lock", self.key)
    }

    /// Where the journals are: one folder for each state they were begun on.
    fn journals(&self) -> String {
        format!("{}.journal/", self.key)
    }

    fn journal_of(&self, state: &State) -> String {
        format!("{}{:012}-{}/", self.journals(), state.serial, state.lineage)
    }

    fn refuse(&self, error: &StateError) -> StoreError {
        let help = match error {
            StateError::Newer { .. } => "use the leoctl that wrote it, or a newer one",
            _ => "restore an older version of the object; leoctl never overwrites a state it cannot read",
        };
        StoreError::new(format!("cannot use {}: {error}", self.location())).help(help)
    }

    async fn lines(&self, folder: &str, keys: &[String]) -> Result<Vec<Line>, StoreError> {
        let mut texts = Vec::with_capacity(keys.len());
        for some in keys.chunks(AT_ONCE) {
            texts.extend(try_join_all(some.iter().map(|key| self.objects.get(key))).await?);
        }
        let line = |(key, object): (&String, Option<objects::Object>)| {
            Some(Line { text: object?.text, place: self.objects.place(key), number: number_of(folder, key).unwrap_or_default() })
        };
        Ok(keys.iter().zip(texts).filter_map(line).collect())
    }

    /// The journal's records of a state. A journal begun on a later one would be lost with it.
    async fn record_keys(&self, state: &State) -> Result<Vec<String>, StoreError> {
        let folder = self.journal_of(state);
        let keys = self.objects.list(&self.journals()).await?;
        if let Some(later) = keys.iter().find(|key| **key > folder && !key.starts_with(&folder)) {
            return Err(StoreError::new(format!("{} belongs to a later state than {}", self.objects.place(later), self.location()))
                .help("restore the state the journal was written with"));
        }
        Ok(keys.into_iter().filter(|key| key.starts_with(&folder)).collect())
    }

    async fn check(&self) -> Result<(), StoreError> {
        match self.lease.lock().await.as_ref() {
            Some(lease) => lease.check().await,
            None => Err(StoreError::new("the state is not locked")),
        }
    }

    /// Writes a copy anew.
    async fn rewrite(&self, key: &str) -> Result<(), StoreError> {
        let Some(object) = self.objects.get(key).await? else { return Ok(()) };
        let place = self.objects.place(key);
        let text = self.vault.copy_anew(&place, object.text).await?;
        match self.objects.put(key, &text, When::Unchanged(&object.etag)).await? {
            Some(_) => Ok(()),
            None => Err(StoreError::new(format!("{place} was changed by somebody else in the meantime"))),
        }
    }

    /// Writes a record of the journal.
    async fn put_record(&self, number: u64, text: &str) -> Result<(), StoreError> {
        let folder = self.journal.lock().await.folder.clone();
        let key = format!("{folder}{number:08}");
        match self.objects.put(&key, text, When::Absent).await? {
            Some(_) => Ok(()),
            None => {
                let error = StoreError::new(format!("{} was written by somebody else", self.objects.place(&key)));
                Err(StoreError { lost: true, ..error.help("run the same command again when the other leoctl is done") })
            }
        }
    }

    async fn sealed_record(&self, number: u64, record: &Record) -> Result<String, StoreError> {
        let Journal { lineage, serial, .. } = self.journal.lock().await.clone();
        self.vault.record((&lineage, serial), number, render_record(record)?).await
    }

    /// Writes a record once all before it are written: of what is encrypted a number that is missing is a record that
    /// somebody has taken out. One that got no answer may be there, so it is written again as it was.
    async fn append_in_order(&self, record: &Record) -> Result<(), StoreError> {
        let mut unwritten = self.unwritten.lock().await;
        // Who waited for the others may have lost the lock meanwhile.
        self.check().await?;
        if let Some(text) = unwritten.as_deref() {
            self.put_record(self.next.load(Ordering::SeqCst), text).await?;
            self.next.fetch_add(1, Ordering::SeqCst);
            *unwritten = None;
        }
        let number = self.next.load(Ordering::SeqCst);
        let text = self.sealed_record(number, record).await?;
        *unwritten = Some(text.clone());
        self.put_record(number, &text).await?;
        self.next.fetch_add(1, Ordering::SeqCst);
        *unwritten = None;
        Ok(())
    }

    /// Writes the state if nobody else has since it was read.
    async fn replace(&self, text: &str) -> Result<(), StoreError> {
        let mut version = self.version.lock().await;
        let when = version.as_deref().map_or(When::Absent, When::Unchanged);
        match self.objects.put(&self.key, text, when).await? {
            Some(written) => {
                *version = Some(written.etag);
                Ok(())
            }
            None => Err(StoreError::new(format!("{} was changed by somebody else in the meantime", self.location()))
                .help("what this run did is in its journal; run the same command again: it goes on from both")),
        }
    }
}

/// The number of a record, which its key ends with.
fn number_of(folder: &str, key: &str) -> Option<u64> {
    key.strip_prefix(folder).and_then(|number| number.parse().ok())
}

#[async_trait]
impl Store for S3Store {
    async fn load(&self) -> Result<Option<State>, StoreError> {
        let Some(object) = self.objects.get(&self.key).await? else {
            *self.version.lock().await = None;
            *self.read.lock().await = (None, Vec::new());
            return match self.objects.list(&self.journals()).await?.first() {
                Some(_) => Err(StoreError::new(format!("there is {} but no {}", self.objects.place(&self.journals()), self.location()))
                    .help("restore the state's object; the journal alone does not say what exists")),
                None => Ok(None),
            };
        };
        let text = self.vault.open_state(&self.location(), object.text).await?;
        let state = State::parse(&text).map_err(|error| self.refuse(&error))?;
        *self.version.lock().await = Some(object.etag);
        let keys = self.record_keys(&state).await?;
        let lines = self.lines(&self.journal_of(&state), &keys).await?;
        let lines = self.vault.open_lines(&state, lines).await?;
        *self.read.lock().await = (Some(state.clone()), keys);
        let state = replay(state, &lines)?;
        state.verify().map_err(|error| self.refuse(&error))?;
        Ok(Some(state))
    }

    fn waiting_for(&self) -> Option<String> {
        self.waiting.words()
    }

    async fn holder(&self) -> Option<String> {
        // Who holds it is a courtesy: without it a plan only says less.
        lease::holder(&self.leases, &self.lock_key()).await.ok().flatten().map(|holder| holder.to_string())
    }

    async fn lock(&self, command: &str) -> Result<Vec<String>, StoreError> {
        let taken = lease::take(&self.leases, &self.lock_key(), command, &self.waiting).await?;
        *self.lease.lock().await = Some(taken.lease);
        let mut notes = Vec::new();
        if let Some(from) = taken.from {
            notes.push(format!("the lock of {from} had expired and was taken over; what that run left open is continued"));
        }
        // Without the permission to ask, the state is no worse.
        if let Ok(false) = self.objects.versioned().await {
            notes.push(format!(
                "the bucket {} keeps no old versions: turn its versioning on, so that no state is ever lost",
                self.objects.bucket
            ));
        }
        Ok(notes)
    }

    async fn check(&self) -> Result<(), StoreError> {
        Self::check(self).await
    }

    async fn watch(&self) -> Option<std::sync::Arc<dyn Fn() -> bool + Send + Sync>> {
        self.lease.lock().await.as_ref().map(Lease::watch)
    }

    async fn release(&self) {
        if let Some(lease) = self.lease.lock().await.take() {
            lease.release().await;
        }
    }

    async fn unlock(&self) -> Result<Option<String>, StoreError> {
        Ok(lease::unlock(&self.leases, &self.lock_key()).await?.map(|holder| holder.to_string()))
    }

    async fn begin(&self, state: &State) -> Result<(), StoreError> {
        self.check().await?;
        self.vault.may_write()?;
        // A version of its own: whoever had the lock before can no longer replace it.
        let fence = match self.lease.lock().await.as_ref() {
            Some(lease) => Some(lease.id().await),
            None => None,
        };
        let (as_written, seen) = self.read.lock().await.clone();
        // The state as it was: its journal, which stays, is not folded onto it twice.
        let fenced = State { fence, ..as_written.unwrap_or_else(|| state.clone()) };
        // One in the clear stays so until it is saved: its journal may be, too.
        let text = if self.vault.saw_clear() { render(&fenced)? } else { self.vault.state(&fenced, render(&fenced)?).await? };
        self.replace(&text).await?;
        let folder = self.journal_of(state);
        let keys = self.record_keys(state).await?;
        if keys != seen {
            return Err(StoreError::new(format!("something was recorded in {} in the meantime", self.objects.place(&folder)))
                .help("nothing was changed; run the same command again: it goes on from there"));
        }
        let next = keys.iter().filter_map(|key| number_of(&folder, key)).max().map_or(0, |last| last + 1);
        self.next.store(next, Ordering::SeqCst);
        *self.unwritten.lock().await = None;
        *self.journal.lock().await = Journal { folder, lineage: state.lineage.clone(), serial: state.serial };
        Ok(())
    }

    async fn append(&self, record: &Record) -> Result<(), StoreError> {
        if self.vault.is_on() {
            return self.append_in_order(record).await;
        }
        self.check().await?;
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        self.put_record(number, &self.sealed_record(number, record).await?).await
    }

    async fn save(&self, state: &State) -> Result<(), StoreError> {
        state.verify().map_err(|error| self.refuse(&error))?;
        match self.lease.lock().await.as_ref() {
            Some(lease) => lease.confirm().await?,
            None => return Err(StoreError::new("the state is not locked")),
        }
        let saved = State { fence: None, ..state.clone() };
        self.replace(&self.vault.state(&saved, render(&saved)?).await?).await?;
        // Journals of older states: everything in them is in this one. What cannot be deleted is passed over later.
        let current = self.journal_of(state);
        let mut old = self.objects.list(&self.journals()).await.unwrap_or_default();
        old.retain(|key| *key < current);
        for some in old.chunks(AT_ONCE) {
            join_all(some.iter().map(|key| self.objects.delete(key))).await;
        }
        Ok(())
    }

    async fn backup(&self, state: &State) -> Result<String, StoreError> {
        let key = format!("{}{:012}-{}", self.copies(), state.serial, stamp(jiff::Timestamp::now()));
        self.objects.put(&key, &self.vault.state(state, render(state)?).await?, When::Any).await?;
        Ok(self.objects.place(&key))
    }

    async fn rewrite_backups(&self) -> Result<Rewritten, StoreError> {
        let mut rewritten = Rewritten::default();
        for key in self.objects.list(&self.copies()).await? {
            rewritten.count(self.rewrite(&key).await);
        }
        Ok(rewritten)
    }

    fn notes(&self) -> Vec<String> {
        self.vault.notes()
    }

    async fn remove(&self) -> Result<(), StoreError> {
        for key in self.objects.list(&self.journals()).await? {
            self.objects.delete(&key).await?;
        }
        self.objects.delete(&self.key).await
    }

    async fn saved_at(&self) -> Result<Option<jiff::Timestamp>, StoreError> {
        let written = self.objects.written(&self.key).await?;
        Ok(written.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()))
    }

    fn location(&self) -> String {
        self.objects.place(&self.key)
    }
}
