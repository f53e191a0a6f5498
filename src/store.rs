//! The state in a local file: written whole and atomically, with a journal beside it during an apply and a
//! lock that dies with its process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::disk::{self, private};
use leoctl_core::engine::persist::{Line, first_record, render, render_record, replay, stamp};
use leoctl_core::engine::ports::{Rewritten, Store, StoreError};
use leoctl_core::engine::sealed::{Vault, journal_of};
use leoctl_core::model::journal::Record;
use leoctl_core::model::state::{State, StateError};

/// A state file.
#[derive(Debug)]
pub struct LocalStore {
    state: PathBuf,
    journal: PathBuf,
    lock: PathBuf,
    held: Mutex<Option<File>>,
    /// What is written is encrypted with.
    vault: Arc<Vault>,
    /// The journal that is written.
    writing: tokio::sync::Mutex<Journal>,
}

/// The journal that records are appended to.
#[derive(Debug, Default)]
struct Journal {
    lineage: String,
    serial: u64,
    /// The number of the next record.
    next: u64,
}

/// How long somebody who only looks who holds the lock may have it, and how often that is waited for.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: u32 = 3;

/// Where the state of a stack file is: `state/` next to `stacks/`, else next to the file; however its path is written.
pub fn directory(stack_file: &Path) -> PathBuf {
    let parent = stack_file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A folder that is not there has no state either.
    let parent = fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned());
    let root = if parent.file_name().is_some_and(|name| name == "stacks") { parent.parent().unwrap_or(&parent) } else { &parent };
    let state = root.join("state");
    // Shown as people write it, where that is shorter.
    let here = std::env::current_dir().and_then(fs::canonicalize).ok();
    here.and_then(|here| state.strip_prefix(here).map(Path::to_owned).ok()).unwrap_or(state)
}

impl LocalStore {
    /// The state of stack `name` in a directory, which need not exist.
    pub fn new(directory: &Path, name: &str) -> Self {
        let file = |suffix: &str| directory.join(format!("{name}.{suffix}"));
        let (vault, writing) = (Arc::default(), tokio::sync::Mutex::default());
        Self { state: file("json"), journal: file("journal"), lock: file("lock"), held: Mutex::new(None), vault, writing }
    }

    /// Encrypts what is written, as the stack file says.
    #[must_use]
    pub fn encrypted(self, vault: Arc<Vault>) -> Self {
        Self { vault, ..self }
    }

    /// Where copies of the state are kept, and how their names begin.
    fn copies(&self) -> (PathBuf, String) {
        let name = self.state.file_stem().unwrap_or_default().to_string_lossy();
        (self.state.with_file_name("backup"), format!("{name}-"))
    }

    async fn read_state(&self) -> Result<Option<State>, StoreError> {
        let Some(text) = read_if_there(&self.state)? else { return Ok(None) };
        let text = self.vault.open_state(&self.location(), text).await?;
        State::parse(&text).map(Some).map_err(|error| self.refuse(&self.state, &error))
    }

    fn refuse(&self, path: &Path, error: &StateError) -> StoreError {
        let help = match error {
            StateError::Newer { .. } => "use the leoctl that wrote it, or a newer one",
            _ => "restore it from version control or a backup; leoctl never overwrites a state it cannot read",
        };
        StoreError::new(format!("cannot use {}: {error}", path.display())).help(help)
    }

    /// The lines of the journal that belong to `state`.
    async fn read_journal(&self, state: &State) -> Result<Vec<Line>, StoreError> {
        let Some(text) = whole_lines(&self.journal)? else { return Ok(Vec::new()) };
        let line = |(number, text): (u64, &str)| Line {
            text: text.to_owned(),
            place: format!("{}:{}", self.journal.display(), number + 1),
            number,
        };
        let lines: Vec<Line> = (0..).zip(text.lines()).map(line).collect();
        let Some(first) = lines.first() else { return Ok(Vec::new()) };
        let begun_on = match journal_of(&first.text) {
            Some(begun_on) => Some(begun_on),
            None => first_record(first, state)?.and_then(|record| match record {
                Record::Begin { lineage, serial } => Some((lineage, serial)),
                _ => None,
            }),
        };
        match begun_on {
            Some((lineage, serial)) if lineage == state.lineage && serial == state.serial => self.vault.open_lines(state, lines).await,
            // The state was saved after this journal: everything in it is in the state.
            Some((lineage, serial)) if lineage == state.lineage && serial < state.serial => Ok(Vec::new()),
            _ => {
                let error = StoreError::new(format!("{} belongs to another state than {}", self.journal.display(), self.state.display()));
                Err(error.help("restore the state the journal was written with"))
            }
        }
    }
}

impl LocalStore {
    /// Writes a copy anew: it is the old one or the new one whatever happens.
    async fn rewrite(&self, copy: &Path) -> Result<(), StoreError> {
        let Some(text) = read_if_there(copy)? else { return Ok(()) };
        replace(copy, &self.vault.copy_anew(&copy.display().to_string(), text).await?)
    }
}

#[async_trait]
impl Store for LocalStore {
    async fn load(&self) -> Result<Option<State>, StoreError> {
        let Some(state) = self.read_state().await? else {
            return match whole_lines(&self.journal)? {
                Some(text) if !text.is_empty() => {
                    let error = StoreError::new(format!("there is {} but no {}", self.journal.display(), self.state.display()));
                    Err(error.help("restore the state file; the journal alone does not say what exists"))
                }
                _ => Ok(None),
            };
        };
        let lines = self.read_journal(&state).await?;
        let state = replay(state, &lines)?;
        state.verify().map_err(|error| self.refuse(&self.journal, &error))?;
        Ok(Some(state))
    }

    async fn lock(&self, command: &str) -> Result<Vec<String>, StoreError> {
        create_directory(&self.lock)?;
        let mut file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(&self.lock)
            .map_err(|error| failed("open", &self.lock, &error))?;
        let mut taken = file.try_lock();
        for _ in 0..LOOKS {
            // Somebody who only looks who holds it has it for a moment.
            if !matches!(taken, Err(TryLockError::WouldBlock)) {
                break;
            }
            tokio::time::sleep(LOOK).await;
            taken = file.try_lock();
        }
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Who holds it is a courtesy: without it the message is only shorter.
                drop(file.read_to_string(&mut holder));
                let error = StoreError::new(format!("another leoctl is working on this stack: {}", holder.trim()));
                return Err(error.help("wait until it is done; its lock goes when its process does"));
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &self.lock, &error)),
        }
        let now = jiff::Timestamp::now();
        let holder = format!("`{command}`, process {}, since {now:.0}\n", std::process::id());
        file.set_len(0).and_then(|()| file.write_all(holder.as_bytes())).map_err(|error| failed("write", &self.lock, &error))?;
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        // Only the holder of the lock writes these.
        let (copies, prefix) = self.copies();
        [&self.state, &self.journal].into_iter().for_each(|path| remove_drafts(disk::folder(path), |becomes| is_name_of(path, becomes)));
        remove_drafts(&copies, |becomes| is_copy(becomes, &prefix));
        Ok(Vec::new())
    }

    async fn holder(&self) -> Option<String> {
        let mut file = File::open(&self.lock).ok()?;
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        let mut holder = String::new();
        file.read_to_string(&mut holder).ok()?;
        Some(holder.trim().to_owned())
    }

    async fn check(&self) -> Result<(), StoreError> {
        // The system keeps the lock as long as the process lives.
        Ok(())
    }

    async fn watch(&self) -> Option<std::sync::Arc<dyn Fn() -> bool + Send + Sync>> {
        None
    }

    async fn release(&self) {
        drop(self.held.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    async fn unlock(&self) -> Result<Option<String>, StoreError> {
        self.lock("leoctl state unlock").await?;
        self.release().await;
        Ok(None)
    }

    async fn begin(&self, state: &State) -> Result<(), StoreError> {
        let existing = self.read_state().await?;
        self.vault.may_write()?;
        if existing.as_ref().is_none_or(|existing| existing.serial != state.serial || existing.lineage != state.lineage) {
            replace(&self.state, &self.vault.state(state, render(state)?).await?)?;
        }
        let there = whole_lines(&self.journal)?.is_some_and(|text| !text.is_empty());
        let there = if there { self.read_journal(state).await? } else { Vec::new() };
        let (lineage, serial) = (state.lineage.clone(), state.serial);
        let mut writing = self.writing.lock().await;
        *writing = Journal { lineage: lineage.clone(), serial, next: there.last().map_or(1, |last| last.number + 1) };
        if !there.is_empty() {
            return mend_tail(&self.journal);
        }
        let begin = render_record(&Record::Begin { lineage, serial })?;
        replace(&self.journal, &self.vault.record((&state.lineage, serial), 0, begin).await?)
    }

    async fn append(&self, record: &Record) -> Result<(), StoreError> {
        // One at a time: what could not be written whole is cut off again before the next begins.
        let mut writing = self.writing.lock().await;
        let text = self.vault.record((&writing.lineage, writing.serial), writing.next, render_record(record)?).await?;
        let mut file = private(OpenOptions::new().append(true).create(true))
            .open(&self.journal)
            .map_err(|error| failed("open", &self.journal, &error))?;
        let whole = file.metadata().map_err(|error| failed("look at", &self.journal, &error))?.len();
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_data());
        written.map_err(|error| {
            // Where even that fails, the next run does it.
            drop(file.set_len(whole));
            failed("write", &self.journal, &error)
        })?;
        writing.next += 1;
        Ok(())
    }

    async fn save(&self, state: &State) -> Result<(), StoreError> {
        state.verify().map_err(|error| self.refuse(&self.state, &error))?;
        replace(&self.state, &self.vault.state(state, render(state)?).await?)?;
        match fs::remove_file(&self.journal) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &self.journal, &error)),
            _ => Ok(()),
        }
    }

    async fn backup(&self, state: &State) -> Result<String, StoreError> {
        let (folder, prefix) = self.copies();
        let copy = folder.join(format!("{prefix}{:06}-{}.json", state.serial, stamp(jiff::Timestamp::now())));
        replace(&copy, &self.vault.state(state, render(state)?).await?)?;
        Ok(copy.display().to_string())
    }

    async fn rewrite_backups(&self) -> Result<Rewritten, StoreError> {
        let (folder, prefix) = self.copies();
        let entries: io::Result<Vec<PathBuf>> = match fs::read_dir(&folder) {
            Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let mut copies = entries.map_err(|error| failed("list", &folder, &error))?;
        copies.retain(|path| path.file_name().is_some_and(|name| is_copy(&name.to_string_lossy(), &prefix)));
        copies.sort();
        let mut rewritten = Rewritten::default();
        for copy in copies {
            rewritten.count(self.rewrite(&copy).await);
        }
        Ok(rewritten)
    }

    fn notes(&self) -> Vec<String> {
        self.vault.notes()
    }

    async fn remove(&self) -> Result<(), StoreError> {
        for path in [&self.journal, &self.state] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("remove", path, &error)),
                _ => {}
            }
        }
        Ok(())
    }

    async fn saved_at(&self) -> Result<Option<jiff::Timestamp>, StoreError> {
        match fs::metadata(&self.state).and_then(|metadata| metadata.modified()) {
            Ok(time) => Ok(jiff::Timestamp::try_from(time).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("look at", &self.state, &error)),
        }
    }

    fn location(&self) -> String {
        self.state.display().to_string()
    }
}

/// The text of a journal without a last line that has no end: it was being written when leoctl died, and never became
/// durable.
fn whole_lines(journal: &Path) -> Result<Option<String>, StoreError> {
    let bytes = match disk::read_regular(journal, disk::LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", journal, &error)),
    };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let text = String::from_utf8(bytes.into_iter().take(whole).collect());
    text.map(Some)
        .map_err(|error| StoreError::new(format!("cannot use {}: {error}", journal.display())).help("restore the file as leoctl left it"))
}

/// Whether a file of this name is a copy of the state whose copies' names begin so: its serial follows, and a time.
fn is_copy(name: &str, prefix: &str) -> bool {
    let numbers = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".json")).and_then(|rest| rest.split_once('-'));
    numbers.is_some_and(|(serial, time)| {
        serial.len() >= 6 && serial.chars().all(|c| c.is_ascii_digit()) && time.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// Cuts off a last line that was never finished, so that the next record starts on its own.
fn mend_tail(journal: &Path) -> Result<(), StoreError> {
    let whole = whole_lines(journal)?.unwrap_or_default().len();
    let file = OpenOptions::new().write(true).open(journal).map_err(|error| failed("open", journal, &error))?;
    let length = u64::try_from(whole).unwrap_or(0);
    file.set_len(length).and_then(|()| file.sync_all()).map_err(|error| failed("write", journal, &error))
}

fn read_if_there(path: &Path) -> Result<Option<String>, StoreError> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text");
    let read = disk::read_regular(path, disk::LARGEST).and_then(|bytes| String::from_utf8(bytes).map_err(not_text));
    match read {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, &error)),
    }
}

/// Writes a file so that it is either the old or the new one whatever happens, readable by its owner only.
///
/// # Errors
/// When the disk refuses.
pub fn replace(path: &Path, text: &str) -> Result<(), StoreError> {
    create_directory(path)?;
    disk::replace(path, text).map_err(|disk::Failed { what, path, error }| failed(what, &path, &error))
}

/// Whether a file has this name.
fn is_name_of(path: &Path, name: &str) -> bool {
    path.file_name().is_some_and(|own| own == name)
}

/// Removes what processes that were killed while they wrote a file have left in a folder, the file being there or not. Nobody
/// else may be writing it now.
fn remove_drafts(folder: &Path, is_ours: impl Fn(&str) -> bool) {
    let is_draft = |name: &str| disk::becomes(name).is_some_and(&is_ours);
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(is_draft)) {
        // Such a file does no harm: where it cannot be removed, it stays.
        drop(fs::remove_file(entry.path()));
    }
}

fn create_directory(path: &Path) -> Result<(), StoreError> {
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => fs::create_dir_all(parent).map_err(|error| failed("create", parent, &error)),
        None => Ok(()),
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> StoreError {
    let help = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "make the folder writable and run the same command again",
        io::ErrorKind::StorageFull => "free some space and run the same command again: it continues where this one stopped",
        _ => "run the same command again once this is mended: it continues where this one stopped",
    };
    StoreError::new(format!("cannot {what} {}: {error}", path.display())).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use leoctl_core::model::place::Place;

    fn place() -> Place {
        Place { type_name: "vpc".to_owned(), account: "1".to_owned(), region: "r".to_owned(), id: "vpc-1".to_owned() }
    }
    use leoctl_core::model::address::Address;

    fn state() -> State {
        State::new("s", "1", "r", "lineage".to_owned(), "salt".to_owned())
    }

    #[tokio::test]
    async fn a_torn_last_record_is_as_if_never_written() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path(), "s");
        store.begin(&state()).await.unwrap();
        let address = Address::single("vpc", "main");
        store.append(&Record::Created { address: address.clone(), token: "t".to_owned(), place: place() }).await.unwrap();
        let mut text = fs::read_to_string(&store.journal).unwrap();
        text.push_str("{\"record\":\"created\",\"addr");
        fs::write(&store.journal, text).unwrap();
        let loaded = store.load().await.unwrap().unwrap();
        assert_eq!(loaded.current(&address).unwrap().place.id, "vpc-1");
        store.begin(&loaded).await.unwrap();
        store.append(&Record::Deleted { address, place: place() }).await.unwrap();
        assert!(store.load().await.unwrap().unwrap().resources.is_empty());
    }

    #[tokio::test]
    async fn a_journal_older_than_the_state_is_over() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path(), "s");
        let mut state = state();
        store.begin(&state).await.unwrap();
        store.append(&Record::Created { address: Address::single("vpc", "main"), token: "t".to_owned(), place: place() }).await.unwrap();
        state.serial = 1;
        replace(&store.state, &render(&state).unwrap()).unwrap();
        assert!(store.load().await.unwrap().unwrap().resources.is_empty());
    }

    #[tokio::test]
    async fn a_second_holder_is_told_who_the_first_is() {
        let directory = tempfile::tempdir().unwrap();
        let first = LocalStore::new(directory.path(), "s");
        first.lock("leoctl apply").await.unwrap();
        let refused = LocalStore::new(directory.path(), "s").lock("leoctl apply").await.unwrap_err();
        assert!(refused.message.contains("`leoctl apply`, process"), "{refused}");
        drop(first);
        LocalStore::new(directory.path(), "s").lock("leoctl apply").await.unwrap();
    }

    #[tokio::test]
    async fn what_a_killed_process_was_writing_is_removed_by_the_next_holder_of_the_lock() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        let (left, kept) =
            ([".s.json.aB3dE6.tmp", ".s.journal.x.tmp"], [".s2.json.aB3dE6.tmp", ".s.json.a.b.tmp", ".s.json.mine", "s.json"]);
        left.iter().chain(&kept).for_each(|name| fs::write(file(name), "").unwrap());
        let draft = tempfile::Builder::new().prefix(".s.json.").suffix(".tmp").tempfile_in(directory.path()).unwrap();
        let holder = LocalStore::new(directory.path(), "s");
        holder.lock("leoctl apply").await.unwrap();
        assert!(left.iter().all(|name| !file(name).exists()) && !draft.path().exists());
        assert!(kept.iter().all(|name| file(name).exists()));
        fs::write(file(left[0]), "").unwrap();
        LocalStore::new(directory.path(), "s").lock("leoctl apply").await.unwrap_err();
        assert!(file(left[0]).exists(), "the holder may be writing it");
    }

    /// The draft of a copy is the state in the clear, and the copy that it was to become is never made.
    #[tokio::test]
    async fn a_copy_that_was_being_written_is_removed_too() {
        let directory = tempfile::tempdir().unwrap();
        let copies = directory.path().join("backup");
        fs::create_dir(&copies).unwrap();
        let left = copies.join(".s-000001-20260101T000000Z.json.aB3dE6.tmp");
        let others = [".s2-000001-20260101T000000Z.json.aB3dE6.tmp", ".s-mine.json.x.tmp", "s-000001-20260101T000000Z.json"];
        fs::write(&left, "").unwrap();
        others.iter().for_each(|name| fs::write(copies.join(name), "").unwrap());
        LocalStore::new(directory.path(), "s").lock("leoctl state rotate").await.unwrap();
        assert!(!left.exists() && others.iter().all(|name| copies.join(name).exists()));
    }

    #[tokio::test]
    async fn copies_that_cannot_be_listed_are_not_none() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path(), "s");
        assert_eq!(store.rewrite_backups().await.unwrap().done, 0);
        fs::write(directory.path().join("backup"), "no folder").unwrap();
        let refused = store.rewrite_backups().await.unwrap_err();
        assert!(refused.message.starts_with("cannot list "), "{refused}");
    }

    #[tokio::test]
    async fn a_journal_that_cannot_be_read_is_not_begun_anew() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path(), "s");
        store.begin(&state()).await.unwrap();
        let other = State { lineage: "another".to_owned(), ..state() };
        fs::write(&store.journal, render_record(&Record::Begin { lineage: other.lineage.clone(), serial: 7 }).unwrap()).unwrap();
        let before = fs::read_to_string(&store.journal).unwrap();
        assert!(store.begin(&state()).await.is_err());
        assert_eq!(fs::read_to_string(&store.journal).unwrap(), before);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_refused_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path(), "s");
        for text in ["", "{", "[]", "{\"format_version\": 99}"] {
            fs::write(&store.state, text).unwrap();
            assert!(store.load().await.is_err(), "{text}");
            assert_eq!(fs::read_to_string(&store.state).unwrap(), text);
        }
    }
}
