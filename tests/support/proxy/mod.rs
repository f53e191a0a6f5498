//! A proxy between leoctl and an emulator that records every call and does to some of them what networks,
//! AWS and operators do: wait, refuse, fail, cut the line, hide what is new, kill leoctl. What it passes on
//! it passes on byte for byte.

pub mod call;
mod cbor;
pub mod event_stream;
pub mod fault;
pub mod http;
pub mod rates;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use call::Call;
use fault::Fault;
use http::Message;

use super::emulator::Emulator;
use super::strict::request::Asked;
use super::strict::{Before, Strict};

/// What happens to a call: asked once for each, in order of arrival.
pub type Plan = Box<dyn Fn(&Call) -> Option<Fault> + Send + Sync>;

/// A running proxy; it ends when it is dropped.
pub struct Proxy {
    /// Where it listens.
    pub endpoint: String,
    shared: Arc<Shared>,
    _stop: tokio::sync::oneshot::Sender<()>,
}

struct Shared {
    upstream: String,
    plan: Plan,
    refuses_invalid: bool,
    strict: Option<Strict>,
    invalid: Mutex<Vec<String>>,
    calls: Mutex<Vec<Call>>,
    mutating: AtomicUsize,
    victim: Mutex<Option<Victim>>,
    killed: AtomicBool,
}

/// What a proxy does by itself.
struct Role {
    strict: Option<Strict>,
    refuses_invalid: bool,
}

/// The emulators behind the proxies that refuse what is invalid, by their endpoints.
static BEHIND: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// Who is killed.
#[derive(Clone)]
enum Victim {
    /// A process.
    Process(u32),
    /// What runs in this process, and stops when it hears this.
    Here(Arc<Notify>),
}

impl Proxy {
    /// A proxy in front of `endpoint` that does to each call what `plan` says.
    pub fn start(endpoint: &str, plan: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static) -> Self {
        Self::with(endpoint, plan, Role { strict: None, refuses_invalid: false })
    }

    /// A proxy that refuses what AWS's models do not allow, for as long as it is there; another in front of it goes round it, as
    /// it checks by itself.
    pub fn refusing_invalid(endpoint: &str) -> Self {
        let proxy = Self::with(endpoint, |_| None, Role { strict: None, refuses_invalid: true });
        let bare = endpoint.trim_start_matches("http://").to_owned();
        BEHIND.lock().unwrap().insert(proxy.endpoint.clone(), bare);
        proxy
    }

    /// A proxy behind which an emulator behaves as AWS is documented to.
    pub fn strict(endpoint: &str, emulator: Emulator) -> Self {
        Self::with(endpoint, |_| None, Role { strict: Some(Strict::on(emulator)), refuses_invalid: false })
    }

    /// One that does first to each call what `plan` says, as for what the emulator lacks.
    pub fn strict_with(endpoint: &str, emulator: Emulator, plan: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static) -> Self {
        Self::with(endpoint, plan, Role { strict: Some(Strict::on(emulator)), refuses_invalid: false })
    }

    /// A proxy that plays the rules of these facts.
    pub fn of_facts(endpoint: &str, facts: &[&str]) -> Self {
        Self::with(endpoint, |_| None, Role { strict: Some(Strict::of(facts)), refuses_invalid: false })
    }

    /// Where the emulator itself listens behind a proxy that refuses what is invalid.
    pub fn behind(endpoint: &str) -> Option<String> {
        BEHIND.lock().unwrap().get(endpoint).map(|address| format!("http://{address}"))
    }

    fn with(endpoint: &str, plan: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static, role: Role) -> Self {
        let Role { strict, refuses_invalid } = role;
        let behind = BEHIND.lock().unwrap().get(endpoint).cloned();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            upstream: behind.unwrap_or_else(|| endpoint.trim_start_matches("http://").to_owned()),
            plan: Box::new(plan),
            refuses_invalid,
            strict,
            invalid: Mutex::default(),
            calls: Mutex::default(),
            mutating: AtomicUsize::new(0),
            victim: Mutex::default(),
            killed: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        // A thread of its own: tests with and without a runtime use it.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let accepting = async {
                    while let Ok((connection, _)) = listener.accept().await {
                        let serving = Arc::clone(&serving);
                        tokio::spawn(async move { serving.connection(connection).await });
                    }
                };
                tokio::select! {
                    () = accepting => {}
                    _ = stopped => {}
                }
            });
        });
        Self { endpoint: format!("http://{address}"), shared, _stop: stop }
    }

    /// A proxy that only records.
    pub fn recording(endpoint: &str) -> Self {
        Self::start(endpoint, |_| None)
    }

    /// The process that [`Fault::KillBefore`] and [`Fault::KillAfter`] kill.
    pub fn victim(&self, process: u32) {
        *self.shared.victim.lock().unwrap() = Some(Victim::Process(process));
    }

    /// Lets what runs in this process be killed any number of times: it is to be dropped when `killed` says so. A call that
    /// kills it gets no answer.
    pub fn victim_here(&self, killed: Arc<Notify>) {
        *self.shared.victim.lock().unwrap() = Some(Victim::Here(killed));
    }

    /// The calls so far, in order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// What the models do not allow of the requests so far, for who says it in another way than by failing when this is
    /// dropped.
    pub fn take_invalid(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.invalid.lock().unwrap())
    }

    /// How many of the calls were refused for their number, and how many were taken, by service.
    pub fn throttled(&self) -> BTreeMap<String, (usize, usize)> {
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for call in self.calls() {
            let (refused, taken) = counts.entry(call.service).or_default();
            *(if call.fault.is_some() { refused } else { taken }) += 1;
        }
        counts
    }

    /// The fewest rounds in which these calls can have been made one after the other: the longest row of calls of
    /// which each began when the one before had ended.
    pub fn waves(&self) -> usize {
        let mut spans: Vec<(Instant, Instant)> = self.calls().iter().filter_map(|call| Some((call.began, call.ended?))).collect();
        spans.sort_by_key(|(_, ended)| *ended);
        let mut waves = 0;
        let mut last: Option<Instant> = None;
        for (began, ended) in spans {
            if last.is_none_or(|last| began >= last) {
                waves += 1;
                last = Some(ended);
            }
        }
        waves
    }
}

impl Drop for Proxy {
    /// Fails the test whose calls AWS's models do not allow.
    fn drop(&mut self) {
        BEHIND.lock().unwrap().remove(&self.endpoint);
        let invalid = self.take_invalid();
        if !std::thread::panicking() {
            assert!(invalid.is_empty(), "requests that AWS's models do not allow:\n{}", invalid.join("\n"));
        }
    }
}

impl Shared {
    async fn connection(&self, mut client: TcpStream) {
        while let Ok(Some(request)) = Message::read(&mut client).await {
            if self.one(&request, &mut client).await.is_none() {
                return;
            }
        }
    }

    /// One call; nothing when the line is to be cut.
    async fn one(&self, request: &Message, client: &mut TcpStream) -> Option<()> {
        if self.refuses_invalid && request.header("content-encoding").is_some() {
            // Only the tests' own clients compress what they send: it is not read.
            return http::write(client, &self.forward(request).await?.bytes).await.ok();
        }
        let form = cbor::as_form(request);
        let request = form.as_ref().unwrap_or(request);
        let Some(mut call) = Call::of(request) else {
            // An emulator's own, and no call of AWS's.
            return http::write(client, &self.forward(request).await?.bytes).await.ok();
        };
        let asked = Asked::of(&call.service, request);
        let problems = Self::check(&call, asked.as_ref());
        if self.refuses_invalid {
            // It stays as long as the emulator, so that the calls themselves are not kept.
            let answer = match problems.is_empty() {
                true => self.forward(request).await?.bytes,
                false => fault::refusal(&call, 400, "InvalidByModel", &problems.join("; ")),
            };
            let answer = if form.is_some() { cbor::of_xml(&call, asked.as_ref(), answer).await? } else { answer };
            return http::write(client, &answer).await.ok();
        }
        self.invalid.lock().unwrap().extend(problems);
        let (index, fault) = {
            let mut calls = self.calls.lock().unwrap();
            call.index = calls.len();
            if call.mutates {
                call.mutation = Some(self.mutating.fetch_add(1, Ordering::SeqCst));
            }
            let fault = (self.plan)(&call).or_else(|| self.strict_fault(&call, asked.as_ref()));
            call.fault = fault.as_ref().map(ToString::to_string);
            calls.push(call.clone());
            (call.index, fault)
        };
        let mut answer = self.answer(&call, asked.as_ref(), fault, request).await?;
        if form.is_some() {
            answer = cbor::of_xml(&call, asked.as_ref(), answer).await?;
        }
        self.calls.lock().unwrap()[index].ended = Some(Instant::now());
        http::write(client, &answer).await.ok()
    }

    /// Why a request is one that no model allows, or of a service without a model.
    fn check(call: &Call, asked: Option<&Asked>) -> Vec<String> {
        match asked {
            None => vec![format!("{} has no model here: tests/support/strict/models.py lists the services", call.service)],
            Some(asked) => asked.problems.0.iter().map(|problem| format!("{}: {problem}", asked.name())).collect(),
        }
    }

    fn strict_fault(&self, call: &Call, asked: Option<&Asked>) -> Option<Fault> {
        match self.strict.as_ref()?.before(call, asked?) {
            Before::Pass(Duration::ZERO) => None,
            Before::Pass(length) => Some(Fault::Wait(length)),
            Before::Refuse(refusal) => Some(Fault::RefuseSaying { status: refusal.status, code: refusal.code, message: refusal.message }),
            Before::Throttle => Some(Fault::throttle(call)),
            Before::Answer(answer) => Some(Fault::Raw(answer)),
        }
    }

    /// What the emulator answers, as AWS would.
    async fn passed_on(&self, call: &Call, asked: Option<&Asked>, request: &Message) -> Option<Vec<u8>> {
        let answer = self.forward(request).await?;
        Some(match (&self.strict, asked) {
            (Some(strict), Some(asked)) => strict.after(call, asked, answer),
            _ => answer.bytes,
        })
    }

    async fn answer(&self, call: &Call, asked: Option<&Asked>, fault: Option<Fault>, request: &Message) -> Option<Vec<u8>> {
        match fault {
            None => self.passed_on(call, asked, request).await,
            Some(Fault::Wait(length)) => {
                tokio::time::sleep(length).await;
                self.passed_on(call, asked, request).await
            }
            Some(Fault::Refuse { status, code }) => Some(fault::refusal(call, status, &code, "refused by the test")),
            Some(Fault::RefuseSaying { status, code, message }) => Some(fault::refusal(call, status, &code, &message)),
            Some(Fault::Nothing) => Some(fault::nothing(call)),
            Some(Fault::Answer(body)) => Some(fault::answer(call, &body)),
            Some(Fault::Raw(answer)) => Some(answer),
            Some(Fault::CutBefore) => None,
            Some(Fault::CutAfter) => {
                self.passed_on(call, asked, request).await;
                None
            }
            Some(Fault::Hang) => {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                None
            }
            Some(Fault::KillBefore) => {
                self.kill().await;
                None
            }
            Some(Fault::KillAfter) => {
                self.passed_on(call, asked, request).await;
                self.kill().await;
                None
            }
            Some(Fault::Then(with)) => {
                let answer = self.passed_on(call, asked, request).await;
                with();
                answer
            }
        }
    }

    async fn kill(&self) {
        // leoctl's first call may come before the test has told its number.
        let victim = loop {
            if let Some(victim) = self.victim.lock().unwrap().clone() {
                break victim;
            }
            tokio::task::yield_now().await;
        };
        match victim {
            Victim::Here(killed) => {
                killed.notify_one();
                // Neither an answer nor a broken connection comes before it is dropped.
                std::future::pending::<()>().await;
            }
            Victim::Process(process) if !self.killed.swap(true, Ordering::SeqCst) => {
                let killed = std::process::Command::new("kill").args(["-9", &process.to_string()]).status();
                assert!(killed.is_ok(), "kill is needed");
            }
            Victim::Process(_) => {}
        }
    }

    async fn forward(&self, request: &Message) -> Option<Message> {
        let mut upstream = TcpStream::connect(&self.upstream).await.ok()?;
        http::write(&mut upstream, &request.bytes).await.ok()?;
        Message::read_answer(&mut upstream, request.head).await.ok()?
    }
}
