//! One blow at a chosen changing call of what runs in this process, through a proxy of its own that is armed anew for
//! every run.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use super::proxy::Proxy;
use super::proxy::fault::Fault;

/// What happens at the chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blow {
    /// leoctl dies before the call arrives.
    KilledBefore,
    /// The call takes effect, and leoctl dies.
    KilledAfter,
    /// The call takes effect, and its answer is lost.
    AnswerLost,
    /// The call does not arrive, and the connection breaks.
    CallLost,
}

/// Every blow.
pub const BLOWS: [Blow; 4] = [Blow::KilledBefore, Blow::KilledAfter, Blow::AnswerLost, Blow::CallLost];

/// How a run ended.
#[derive(Debug)]
pub enum Ended<T> {
    /// By itself.
    Done(T),
    /// It was killed.
    Killed,
    /// It did not end in time.
    Never,
}

#[derive(Default)]
struct Armed {
    blow: Option<(usize, Blow)>,
    calls: Vec<String>,
}

/// A proxy that strikes once when it is armed.
pub struct Striker {
    proxy: Proxy,
    armed: Arc<Mutex<Armed>>,
    killed: Arc<Notify>,
}

impl Striker {
    /// In front of an emulator.
    pub fn new(endpoint: &str) -> Self {
        let armed: Arc<Mutex<Armed>> = Arc::default();
        let asked = Arc::clone(&armed);
        let proxy = Proxy::start(endpoint, move |call| {
            if !call.mutates {
                return None;
            }
            let mut armed = asked.lock().unwrap();
            let at = armed.calls.len();
            armed.calls.push(call.name());
            match armed.blow.filter(|(chosen, _)| *chosen == at)?.1 {
                Blow::KilledBefore => Some(Fault::KillBefore),
                Blow::KilledAfter => Some(Fault::KillAfter),
                Blow::AnswerLost => Some(Fault::CutAfter),
                Blow::CallLost => Some(Fault::CutBefore),
            }
        });
        let killed = Arc::new(Notify::new());
        proxy.victim_here(Arc::clone(&killed));
        Self { proxy, armed, killed }
    }

    /// Where what is to be struck sends its calls.
    pub fn endpoint(&self) -> &str {
        &self.proxy.endpoint
    }

    /// Runs something, with a blow at its n-th changing call.
    pub async fn run<T>(&self, blow: Option<(usize, Blow)>, patience: Duration, what: impl Future<Output = T>) -> Ended<T> {
        *self.armed.lock().unwrap() = Armed { blow, calls: Vec::new() };
        let ended = tokio::select! {
            done = what => Ended::Done(done),
            () = self.killed.notified() => Ended::Killed,
            () = tokio::time::sleep(patience) => Ended::Never,
        };
        self.armed.lock().unwrap().blow = None;
        ended
    }

    /// The changing calls of the last run, in order.
    pub fn calls(&self) -> Vec<String> {
        self.armed.lock().unwrap().calls.clone()
    }
}
