//! The lock of a state in S3: a lease in an object, renewed while its holder lives, taken over by compare-and-swap
//! once it has expired by S3's own clock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;

use super::objects::{Object, Objects, When, Written};
use leoctl_core::engine::ports::StoreError;

/// How long a lease lasts that is not renewed.
const LASTS: Duration = Duration::from_secs(30);
/// How much earlier than others its holder stops relying on it: S3's times are whole seconds, and a call on its way out
/// may still wait for its connection.
const MARGIN: Duration = Duration::from_secs(12);
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(4);
/// How often somebody else's is looked at while it may be about to expire.
const WATCHED: Duration = Duration::from_secs(1);

/// What is written in the lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    /// Tells this holding from every other.
    pub id: String,
    /// The command.
    pub command: String,
    /// The machine.
    pub host: String,
    /// The process there.
    pub process: u32,
    /// Since when, by the holder's clock: for people.
    pub since: String,
    /// How many seconds it lasts after its last renewal.
    pub lasts: u64,
    /// How often it has been renewed.
    pub renewals: u64,
    /// Whether its holder is done.
    pub released: bool,
}

impl Holder {
    fn new(command: &str) -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            command: command.to_owned(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            process: std::process::id(),
            since: format!("{:.0}", jiff::Timestamp::now()),
            lasts: LASTS.as_secs(),
            renewals: 0,
            released: false,
        }
    }

    fn text(&self) -> Result<String, StoreError> {
        serde_json::to_string_pretty(self).map_err(|error| StoreError::new(format!("cannot write the lock: {error}")))
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` on {}, process {}, since {}", self.command, self.host, self.process, self.since)
    }
}

/// A lease that is held.
#[derive(Debug)]
pub struct Lease {
    shared: Arc<Shared>,
    heartbeat: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    objects: Objects,
    key: String,
    /// What is written, and the version it is.
    held: tokio::sync::Mutex<(Holder, Written)>,
    /// When S3 last said that it is ours. A machine that sleeps may stop one of these clocks, not both.
    confirmed: Mutex<(Instant, SystemTime)>,
    lost: AtomicBool,
}

/// How a lease was had.
pub struct Taken {
    /// The lease.
    pub lease: Lease,
    /// Whose expired one it was.
    pub from: Option<Holder>,
}

/// Takes the lease, when nobody has it.
///
/// # Errors
/// When somebody has it, or S3 cannot be asked.
pub async fn take(objects: &Objects, key: &str, command: &str, waiting: &Waiting) -> Result<Taken, StoreError> {
    let holder = Holder::new(command);
    let text = holder.text()?;
    loop {
        if let Some(written) = objects.put(key, &text, When::Absent).await? {
            return Ok(Taken { lease: Lease::start(objects, key, holder, written), from: None });
        }
        let Some(found) = objects.get(key).await? else { continue };
        let other = parse(objects, key, &found)?;
        if other.released || expired(&other, &found) {
            if let Some(written) = objects.put(key, &text, When::Unchanged(&found.etag)).await? {
                if let Some(old) = superseded(found.version.as_deref(), &written) {
                    objects.drop_version(key, old).await;
                }
                return Ok(Taken { lease: Lease::start(objects, key, holder, written), from: Some(other).filter(|other| !other.released) });
            }
            // Somebody else was faster.
            continue;
        }
        let watched = watch(objects, key, (&other, &found), waiting).await;
        waiting.set(None);
        watched?;
    }
}

/// What taking a lease waits for, in words.
#[derive(Debug, Default)]
pub struct Waiting(Mutex<Option<String>>);

impl Waiting {
    fn set(&self, words: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = words;
    }

    /// The words; nothing while nothing is waited for.
    pub fn words(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Who holds the lease now: nobody, when it was given back or has expired.
///
/// # Errors
/// When S3 cannot be asked.
pub async fn holder(objects: &Objects, key: &str) -> Result<Option<Holder>, StoreError> {
    let Some(found) = objects.get(key).await? else { return Ok(None) };
    let holder = parse(objects, key, &found)?;
    Ok(Some(holder).filter(|holder| !holder.released && !expired(holder, &found)))
}

/// The version that a write has superseded, where the bucket keeps it: none where it overwrote the version it was, as in a
/// bucket whose versioning is suspended.
fn superseded<'a>(old: Option<&'a str>, new: &Written) -> Option<&'a str> {
    old.filter(|old| *old != "null" && new.version.as_deref().is_some_and(|new| new != *old))
}

fn parse(objects: &Objects, key: &str, found: &Object) -> Result<Holder, StoreError> {
    serde_json::from_str(&found.text).map_err(|error| {
        StoreError::new(format!("{} is not a lock of leoctl: {error}", objects.place(key)))
            .help("if nobody is working on this stack, `leoctl state unlock` replaces it")
    })
}

fn expired(holder: &Holder, found: &Object) -> bool {
    found.age.is_some_and(|age| age > Duration::from_secs(holder.lasts))
}

/// Watches a lease until it is seen that its holder lives, which is an error, or until it has expired.
async fn watch(objects: &Objects, key: &str, (holder, found): (&Holder, &Object), waiting: &Waiting) -> Result<(), StoreError> {
    let busy = |what: &str| StoreError::new(format!("another leoctl {what} on this stack: {holder}"));
    let working = || {
        busy("is working")
            .help("run the same command again when it is done; should it die, its lock ends by itself within half a minute")
            .help("`leoctl state unlock` takes the lock from it at once")
    };
    // Without S3's time it cannot be known when the lease ends.
    let Some(age) = found.age else { return Err(working()) };
    let deadline = Instant::now() + Duration::from_secs(holder.lasts).saturating_sub(age) + 2 * WATCHED;
    while Instant::now() < deadline {
        let left = deadline.saturating_duration_since(Instant::now()).as_secs();
        waiting.set(Some(format!("the lock, should its holder be dead, ends within {left} s; it is held by {holder}")));
        tokio::time::sleep(WATCHED).await;
        match objects.get(key).await? {
            None => return Ok(()),
            Some(now) if now.etag == found.etag => {}
            Some(now) if parse(objects, key, &now)?.released => {
                return Err(busy("was working").help("it has just finished: run the same command again"));
            }
            Some(_) => return Err(working()),
        }
    }
    Ok(())
}

/// Takes the lease from whoever has it; who that was.
///
/// # Errors
/// When somebody else takes it at the same moment, or S3 cannot be asked.
pub async fn unlock(objects: &Objects, key: &str) -> Result<Option<Holder>, StoreError> {
    let Some(found) = objects.get(key).await? else { return Ok(None) };
    let Ok(holder) = parse(objects, key, &found) else {
        // What is no lock of leoctl's is in the way of every one.
        objects.delete(key).await?;
        return Ok(None);
    };
    if holder.released {
        return Ok(None);
    }
    let free = Holder { released: true, ..holder.clone() };
    match objects.put(key, &free.text()?, When::Unchanged(&found.etag)).await? {
        Some(_) => Ok(Some(holder)),
        None => Err(StoreError::new(format!("{} has just been renewed or taken by somebody", objects.place(key)))
            .help("its holder lives; run the command again to take it nevertheless")),
    }
}

impl Lease {
    fn start(objects: &Objects, key: &str, holder: Holder, written: Written) -> Self {
        let shared = Arc::new(Shared {
            objects: objects.clone(),
            key: key.to_owned(),
            held: tokio::sync::Mutex::new((holder, written)),
            confirmed: Mutex::new((Instant::now(), SystemTime::now())),
            lost: AtomicBool::new(false),
        });
        let beating = Arc::clone(&shared);
        let heartbeat = tokio::spawn(async move {
            while !beating.lost.load(Ordering::SeqCst) {
                tokio::time::sleep(RENEWED).await;
                // What could not be renewed now is tried again, and found out before the next change at the latest.
                if let Ok(Some(old)) = beating.renew().await {
                    // A bucket that keeps old versions would keep fifteen a minute.
                    beating.objects.drop_version(&beating.key, &old).await;
                }
            }
        });
        Self { shared, heartbeat }
    }

    /// Tells this holding from every other.
    pub async fn id(&self) -> String {
        self.shared.held.lock().await.0.id.clone()
    }

    /// Makes sure that the lease is still ours: by what S3 said a moment ago, or by asking.
    ///
    /// # Errors
    /// When it is not, or that cannot be found out.
    pub async fn check(&self) -> Result<(), StoreError> {
        if self.shared.lost.load(Ordering::SeqCst) {
            return Err(lost());
        }
        if self.shared.since_confirmed() < LASTS / 3 {
            return Ok(());
        }
        self.shared.renew().await.map(drop)
    }

    /// What says at any moment whether the lease is surely still ours: a little less long than others wait for it.
    pub fn watch(&self) -> Arc<dyn Fn() -> bool + Send + Sync> {
        let shared = Arc::clone(&self.shared);
        Arc::new(move || !shared.lost.load(Ordering::SeqCst) && shared.since_confirmed() < LASTS - MARGIN)
    }

    /// Asks S3 whether the lease is still ours.
    ///
    /// # Errors
    /// When it is not, or that cannot be found out.
    pub async fn confirm(&self) -> Result<(), StoreError> {
        self.shared.renew().await.map(drop)
    }

    /// Gives the lease back.
    pub async fn release(&self) {
        // A renewal under way is waited for: cut off, nobody would know the version it made.
        let held = self.shared.held.lock().await;
        self.heartbeat.abort();
        let done = Holder { released: true, ..held.0.clone() };
        if let Ok(text) = done.text() {
            // One that cannot be given back ends by itself.
            let put = self.shared.objects.put(&self.shared.key, &text, When::Unchanged(&held.1.etag)).await;
            let old = put.ok().flatten().and_then(|written| superseded(held.1.version.as_deref(), &written));
            if let Some(old) = old {
                self.shared.objects.drop_version(&self.shared.key, old).await;
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

impl Shared {
    fn since_confirmed(&self) -> Duration {
        let (monotonic, wall) = *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        monotonic.elapsed().max(wall.elapsed().unwrap_or_default())
    }

    /// Renews the lease; the version that was superseded, where the bucket keeps it.
    async fn renew(&self) -> Result<Option<String>, StoreError> {
        let mut held = self.held.lock().await;
        if self.lost.load(Ordering::SeqCst) {
            return Err(lost());
        }
        let asked = (Instant::now(), SystemTime::now());
        let renewed = Holder { renewals: held.0.renewals + 1, ..held.0.clone() };
        match self.objects.put(&self.key, &renewed.text()?, When::Unchanged(&held.1.etag)).await? {
            Some(written) => {
                let old = superseded(held.1.version.as_deref(), &written).map(str::to_owned);
                *held = (renewed, written);
                *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = asked;
                Ok(old)
            }
            None => {
                self.lost.store(true, Ordering::SeqCst);
                Err(lost())
            }
        }
    }
}

fn lost() -> StoreError {
    let error = StoreError::new("the lock on the state was lost: another leoctl has taken it over, or somebody unlocked it");
    StoreError { lost: true, ..error.help("nothing more was changed; run the same command again when the other one is done") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Scripted};

    #[test]
    fn only_a_version_that_was_superseded_is_dropped() {
        let written = |version: Option<&str>| Written { etag: "e".to_owned(), version: version.map(str::to_owned) };
        assert_eq!(superseded(Some("1"), &written(Some("2"))), Some("1"));
        // Without versioning, and while it is suspended, a write takes the place of what was there.
        for (old, new) in [(None, None), (Some("null"), Some("null")), (Some("1"), Some("1")), (Some("1"), None), (None, Some("2"))] {
            assert_eq!(superseded(old, &written(new)), None, "{old:?} {new:?}");
        }
        // The last one from before versioning is no renewal's to drop.
        assert_eq!(superseded(Some("null"), &written(Some("2"))), None);
    }

    /// S3 with versioning, of which every write makes a version.
    fn versioned() -> Scripted {
        let mut last = 0;
        Scripted::new(move |call| match call.name.starts_with("PUT") {
            true => {
                last += 1;
                Answer(200, vec![("etag", format!("\"{last}\"")), ("x-amz-version-id", format!("v{last}"))], String::new())
            }
            false => Answer(204, Vec::new(), String::new()),
        })
    }

    #[tokio::test(start_paused = true)]
    async fn the_lock_leaves_no_old_versions() {
        let scripted = versioned();
        let objects = Objects { client: scripted.aws.s3().clone(), bucket: "b".to_owned(), kms_key_id: None };
        let taken = take(&objects, "s.json.lock", "leoctl apply", &Waiting::default()).await.unwrap();
        tokio::time::sleep(2 * RENEWED + RENEWED / 2).await;
        taken.lease.release().await;
        let names = scripted.names();
        let dropped = names.iter().filter(|name| name.starts_with("DELETE"));
        let dropped: Vec<_> = dropped.filter_map(|name| name.split("versionId=").nth(1)?.split('&').next()).collect();
        let written = names.iter().filter(|name| name.starts_with("PUT")).count();
        assert!(written >= 3, "{names:?}");
        assert_eq!(dropped, (1..written).map(|version| format!("v{version}")).collect::<Vec<_>>(), "{names:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn old_versions_of_the_lock_that_object_lock_keeps_stop_nothing() {
        let mut last = 0;
        let scripted = Scripted::new(move |call| match call.name.split(' ').next() {
            Some("PUT") => {
                last += 1;
                Answer(200, vec![("etag", format!("\"{last}\"")), ("x-amz-version-id", format!("v{last}"))], String::new())
            }
            Some("DELETE") => Answer::xml_error(403, "AccessDenied"),
            _ => Answer(204, Vec::new(), String::new()),
        });
        let objects = Objects { client: scripted.aws.s3().clone(), bucket: "b".to_owned(), kms_key_id: None };
        let taken = take(&objects, "s.json.lock", "leoctl apply", &Waiting::default()).await.unwrap();
        tokio::time::sleep(2 * RENEWED + RENEWED / 2).await;
        taken.lease.release().await;
        let names = scripted.names();
        let count = |method: &str| names.iter().filter(|name| name.starts_with(method)).count();
        assert!(count("PUT") >= 3 && count("DELETE") >= 1, "it is renewed all the same: {names:?}");
    }

    #[tokio::test]
    async fn a_write_that_meets_another_one_is_made_again() {
        let mut asked = 0;
        let scripted = Scripted::new(move |_| {
            asked += 1;
            match asked {
                1 | 2 => Answer::xml_error(409, "ConditionalRequestConflict"),
                _ => Answer(200, vec![("etag", "\"3\"".to_owned())], String::new()),
            }
        });
        let objects = Objects { client: scripted.aws.s3().clone(), bucket: "b".to_owned(), kms_key_id: None };
        assert!(objects.put("s.json", "{}", When::Absent).await.unwrap().is_some());
        assert_eq!(scripted.names().len(), 3);
    }

    #[tokio::test]
    async fn a_state_can_be_in_a_bucket_that_wants_checksums() {
        let scripted = versioned();
        let objects = Objects { client: scripted.aws.s3().clone(), bucket: "b".to_owned(), kms_key_id: None };
        objects.put("s.json", "{}", When::Any).await.unwrap();
        let calls = scripted.calls();
        let checksum = calls.first().and_then(|call| call.header("x-amz-checksum-sha256"));
        assert_eq!(checksum, Some("RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="));
    }
}
