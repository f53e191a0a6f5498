//! AWS's limits are kept: the calls of one service, account and region go out in the order in which they were made, no
//! faster than that service takes them, whichever part of leoctl makes them.

mod attempt;
pub mod files;
mod pace;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use leoctl_core::engine::ports::{Operation, Progress};

pub use attempt::{Refusals, Unqueued, patient};
use pace::{End, Pace, Turn};

/// The services that have one limit for all regions, as the SDK calls them (IAM User Guide, "IAM and AWS STS quotas"; Route
/// 53 Developer Guide, "Quotas").
const GLOBAL: [&str; 2] = ["IAM", "Route 53"];

/// How many calls of a service are under way at once in the beginning: as many as a plan of an ordinary stack has of one
/// service.
const AT_ONCE: u32 = 20;
/// As many as Route 53 takes in a second (Route 53 Developer Guide, "Quotas": five requests a second for an account).
const AT_ONCE_OF_ROUTE_53: u32 = 5;

/// After so long it is said that an operation waits.
const PATIENCE: Duration = Duration::from_secs(2);

/// The queues of all services of an account.
#[derive(Clone, Debug)]
pub struct Limits {
    shared: Arc<Shared>,
    /// What tells the account from others.
    account: Arc<str>,
}

type Queues = BTreeMap<(Arc<str>, String, String), Arc<Queue>>;

/// What the limits of all accounts have together.
#[derive(Debug)]
struct Shared {
    /// By account and service, and region where it has a limit for each.
    queues: Mutex<Queues>,
    /// For all services together: each call has a connection of its own.
    connections: Arc<Semaphore>,
}

/// The queue of one service.
#[derive(Debug)]
struct Queue {
    pace: Mutex<Pace>,
    /// Passed one after the other, in the order of arrival: only the first of those who wait looks at the pace.
    door: tokio::sync::Mutex<()>,
    /// A call has ended.
    freed: Notify,
    /// How many wait.
    waiting: AtomicUsize,
}

/// A call that may go out, until it has ended.
#[derive(Debug)]
pub struct Permit {
    queue: Arc<Queue>,
    sent: Instant,
    end: End,
    /// Held until the call has ended.
    _connection: Option<OwnedSemaphorePermit>,
}

/// A call was not sent, because what it belongs to had no time left.
#[derive(Debug, thiserror::Error)]
#[error("{service} has refused calls for their number until there was no time left")]
pub struct OutOfTime {
    service: String,
}

/// What a call belongs to.
#[derive(Clone)]
struct Task {
    deadline: Instant,
    progress: Progress,
}

tokio::task_local! {
    static TASK: Task;
}

/// Carries something out whose calls belong to an operation: they wait until its deadline and no longer, and it is said what
/// they wait for.
pub async fn within<T>(operation: &Operation, work: impl Future<Output = T>) -> T {
    let task = Task { deadline: operation.deadline.into(), progress: operation.progress.clone() };
    TASK.scope(task, work).await
}

/// Whether what a call belongs to has no time left.
fn is_out_of_time() -> bool {
    TASK.try_with(|task| Instant::now() >= task.deadline).unwrap_or(false)
}

impl Limits {
    /// Limits with so many connections at once.
    pub fn new(connections: usize) -> Self {
        let shared = Shared { queues: Mutex::default(), connections: Arc::new(Semaphore::new(connections)) };
        Self { shared: Arc::new(shared), account: Arc::from("") }
    }

    /// The limits of another account, whose calls share the connections.
    pub fn of_account(&self, name: &str) -> Self {
        Self { shared: Arc::clone(&self.shared), account: Arc::from(name) }
    }

    /// The services of which calls wait for the rate, as the SDK calls them.
    pub fn waiting(&self) -> BTreeSet<String> {
        let queues = self.queues();
        let waiting = queues.iter().filter(|(_, queue)| queue.keeps_waiting());
        waiting.map(|((_, service, _), _)| service.clone()).collect()
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.shared.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self, service: &str, region: &str) -> Arc<Queue> {
        let region = if GLOBAL.contains(&service) { "" } else { region };
        let at_once = if service == "Route 53" { AT_ONCE_OF_ROUTE_53 } else { AT_ONCE };
        let mut queues = self.queues();
        let queue = queues
            .entry((Arc::clone(&self.account), service.to_owned(), region.to_owned()))
            .or_insert_with(|| Arc::new(Queue::new(at_once)));
        Arc::clone(queue)
    }

    /// Waits until a call of a service may go out.
    ///
    /// # Errors
    /// When what it belongs to has no time left.
    async fn enter(&self, service: &str, region: &str) -> Result<Permit, OutOfTime> {
        let queue = self.queue(service, region);
        let mut turn = pin!(async {
            let mut permit = queue.turn().await;
            // Nobody closes it.
            permit._connection = Arc::clone(&self.shared.connections).acquire_owned().await.ok();
            permit
        });
        let Ok(task) = TASK.try_with(Task::clone) else { return Ok(turn.await) };
        tokio::select! {
            biased;
            permit = &mut turn => return Ok(permit),
            () = sleep_until(task.deadline.min(Instant::now() + PATIENCE)) => {}
        }
        if queue.keeps_waiting() {
            (task.progress.0)(words([service]));
        }
        timeout_at(task.deadline, turn).await.map_err(|_| OutOfTime { service: service.to_owned() })
    }
}

/// What is waited for when these services take no more calls for now.
pub fn words<'a>(services: impl IntoIterator<Item = &'a str>) -> String {
    match services.into_iter().collect::<Vec<_>>().as_slice() {
        [service] => format!("waiting for the rate limit of {service}"),
        services => format!("waiting for the rate limits of {}", services.join(", ")),
    }
}

impl Queue {
    fn new(at_once: u32) -> Self {
        Self {
            pace: Mutex::new(Pace::new(at_once)),
            door: tokio::sync::Mutex::default(),
            freed: Notify::new(),
            waiting: AtomicUsize::new(0),
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keeps_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0 && self.pace().keeps_waiting()
    }

    async fn turn(self: &Arc<Self>) -> Permit {
        let _waiting = Waiting::of(&self.waiting);
        let _door = self.door.lock().await;
        loop {
            let now = Instant::now();
            let turn = self.pace().turn(now);
            match turn {
                Turn::Now => return Permit { queue: Arc::clone(self), sent: now, end: End::Unanswered, _connection: None },
                Turn::In(wait) => sleep(wait).await,
                Turn::WhenFree => self.freed.notified().await,
            }
        }
    }
}

/// Counts itself while it is there.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn of(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Permit {
    /// The call has ended so.
    fn ended(mut self, end: End) {
        self.end = end;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.queue.pace().ended(self.sent, Instant::now(), self.end);
        self.queue.freed.notify_one();
    }
}

#[cfg(test)]
mod tests;
