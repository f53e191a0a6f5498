//! What the engine needs from the outside, as traits: AWS ([`Provider`], [`Handler`]), the state ([`Store`]),
//! and somebody to tell ([`super::event::EventSink`]).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::watch;

use super::no_answer::NoAnswer;
use super::usual::Usual;
use crate::model::address::Address;
use crate::model::journal::Record;
use crate::model::place::{Place, Site};
use crate::model::state::State;
use crate::model::value::Value;
use crate::plan::desired::Governor;
use crate::plan::preflight::certificate::Certificate;
use crate::plan::preflight::contents::{Count, Holder};
use crate::plan::preflight::image::{Image, Standing};
use crate::plan::preflight::permission::{Denied, Needed};
use crate::plan::preflight::secret::{Scheduled, WantedSecret};
use crate::plan::preflight::security_group::{Groups, Interface};
use crate::stack::diagnostic::Code;
use crate::stack::scope::Identity;

/// What kind of failure an operation met; how the engine reacts depends on nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// What was asked for does not exist.
    NotFound,
    /// Something of that name exists, and so nothing was made.
    AlreadyExists,
    /// Nothing was done and the same call may succeed later: throttling, a role not yet assumable.
    Transient,
    /// Whether anything was done is not known: connection lost, a 5xx answer.
    Ambiguous,
    /// Credentials lack a permission.
    Denied,
    /// Credentials are missing, wrong or expired.
    Credentials,
    /// The user interrupted a wait; what was being made exists.
    Interrupted,
    /// The lock on the state is somebody else's now.
    Lost,
    /// What is done cannot be recorded.
    Unrecorded,
    /// AWS answered that it does not do it: nothing was done, and the same call would be refused again.
    Refused,
    /// It was not sent: what was to be sent cannot be.
    Invalid,
    /// Anything else: whether anything was done is not known.
    Other,
}

impl FailureKind {
    /// Whether the resource that a failed call was to create may exist all the same. Only a definite refusal closes
    /// an intent.
    pub fn may_exist(self) -> bool {
        match self {
            Self::AlreadyExists | Self::NotFound | Self::Transient | Self::Denied | Self::Credentials | Self::Refused | Self::Invalid => {
                false
            }
            Self::Ambiguous | Self::Interrupted | Self::Lost | Self::Unrecorded | Self::Other => true,
        }
    }
}

/// Why an operation failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The kind.
    pub kind: FailureKind,
    /// The AWS operation, such as `ec2:CreateVpc`; empty when none was called.
    pub operation: String,
    /// The HTTP status of the answer; none when there was no answer.
    pub status: Option<u16>,
    /// AWS's error code.
    pub code: Option<String>,
    /// AWS's message, or leoctl's own.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// Why there was no answer, where that is known.
    pub no_answer: Option<Box<NoAnswer>>,
}

impl Failure {
    /// A failure that is not AWS's answer to a call.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, operation: String::new(), status: None, code: None, message: message.into(), request_id: None, no_answer: None }
    }

    /// What was to be made with this operation is there already.
    pub fn exists(operation: &str, what: &str) -> Self {
        Self { operation: operation.to_owned(), ..Self::new(FailureKind::AlreadyExists, format!("{what} exists already")) }
    }
}

/// The result of an operation.
pub type Outcome<T> = Result<T, Failure>;

/// How one operation on one resource runs.
#[derive(Clone)]
pub struct Operation {
    /// Where its calls go.
    pub site: Site,
    /// The idempotency token of a creation; the same on every retry.
    pub token: String,
    /// The id of what a creation replaces, while that is still there and is to go: for types whose API can exchange the two in
    /// one call.
    pub replaces: Option<String>,
    /// When to give up.
    pub deadline: Instant,
    /// How long that is in all, for messages.
    pub timeout: Duration,
    /// True once the user wants to stop: waits end, calls do not.
    pub interrupted: watch::Receiver<bool>,
    /// Where to say how a long wait is going.
    pub progress: Progress,
}

/// Somebody who hears how a long wait is going.
#[derive(Clone)]
pub struct Progress(pub std::sync::Arc<dyn Fn(String) + Send + Sync>);

impl Operation {
    /// Waits a little, and says whether to go on.
    ///
    /// # Errors
    /// When the deadline has passed or the user interrupted; `waiting_for` says for what.
    pub async fn pause(&self, length: Duration, waiting_for: &str) -> Outcome<()> {
        let mut interrupted = self.interrupted.clone();
        if Instant::now() + length > self.deadline {
            let minutes = self.timeout.as_secs().div_ceil(60);
            return Err(Failure::new(FailureKind::Other, format!("{waiting_for} took longer than {minutes} min")));
        }
        tokio::select! {
            () = tokio::time::sleep(length) => Ok(()),
            Ok(_) = interrupted.wait_for(|stop| *stop) => {
                Err(Failure::new(FailureKind::Interrupted, format!("interrupted while {waiting_for}, which goes on in AWS")))
            }
        }
    }
}

/// A resource to be found.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its address.
    pub address: Address,
    /// Its stack.
    pub stack: String,
    /// Its account.
    pub account: String,
    /// The region of its place.
    pub region: String,
    /// The token of the creation that may have made it; none when it is not known of any.
    pub token: Option<String>,
    /// Its attributes as far as they are known.
    pub desired: Value,
    /// What is remembered already, and so is not it.
    pub known: BTreeSet<Place>,
}

impl Wanted {
    /// The first of these ids that is not remembered already.
    pub fn pick(&self, ids: impl IntoIterator<Item = String>) -> Option<String> {
        ids.into_iter().find(|id| !self.is_known(id))
    }

    /// Whether what has this id is remembered already.
    pub fn is_known(&self, id: &str) -> bool {
        self.known.contains(&self.place(id))
    }

    /// Where calls about it go.
    pub fn site(&self) -> Site {
        Site { account: self.account.clone(), region: self.region.clone() }
    }

    /// Where the resource is, if this is its id.
    pub fn place(&self, id: &str) -> Place {
        Place {
            type_name: self.address.type_name().to_owned(),
            account: self.account.clone(),
            region: self.region.clone(),
            id: id.to_owned(),
        }
    }

    /// The tags that say a resource is this one.
    pub fn ownership(&self) -> BTreeMap<String, String> {
        crate::plan::desired::ownership_tags(&self.stack, &self.address)
    }

    /// Whether these tags say that a resource is this one.
    pub fn owns(&self, tags: &BTreeMap<String, String>) -> bool {
        self.ownership().iter().all(|(key, value)| tags.get(key) == Some(value))
    }

    /// Whether these tags say that a resource is the wanted one's stack's.
    pub fn owns_stack(&self, tags: &BTreeMap<String, String>) -> bool {
        tags.get(crate::plan::desired::STACK_TAG) == Some(&self.stack)
    }

    /// The known text of an attribute.
    pub fn text(&self, attribute: &str) -> Option<&str> {
        self.desired.get(attribute).and_then(Value::as_str)
    }
}

/// The life of one resource type in AWS.
///
/// Every operation may run again after it, or leoctl, died: creating finds what exists by token or by
/// [`Handler::find`], updating and deleting tolerate that they were done already.
#[async_trait]
pub trait Handler: Send + Sync {
    /// The attributes of those of `ids` that exist, in as few calls as the API allows.
    async fn read(&self, site: &Site, ids: &[String]) -> Outcome<BTreeMap<String, Value>>;
    /// The id of a resource as creating it returns it, of the form that it was asked for in and what it then said of itself.
    fn id_of(&self, asked: &str, _attributes: &Value) -> String {
        asked.to_owned()
    }
    /// The id of the resource that is at a wanted one's place: the same unique name, or its ownership tags.
    async fn find(&self, wanted: &Wanted) -> Outcome<Option<String>>;
    /// The id of what the creation with the wanted one's token made, whatever tags it has: of types whose API shows the
    /// token of what it returns.
    async fn find_by_token(&self, _wanted: &Wanted) -> Outcome<Option<String>> {
        Ok(None)
    }
    /// Who else in AWS chooses something of these resources for the sake of what no stack of ours may know: of each of them,
    /// where it can be found out.
    async fn governors(&self, _site: &Site, _ids: &[String]) -> Outcome<BTreeMap<String, Vec<Governor>>> {
        Ok(BTreeMap::new())
    }
    /// The id that stands for a resource now, when something else may have made a newer revision of it: that which
    /// one of `used`, the ids and ARNs that what is made from it has, names, or else the newest.
    async fn successor(&self, _site: &Site, id: &str, _used: &[String]) -> Outcome<String> {
        Ok(id.to_owned())
    }
    /// Whether AWS makes what is at a wanted one's place by itself, so that it is taken over where it is nobody's.
    fn takes_over(&self) -> bool {
        false
    }
    /// Makes the resource in one call; its id.
    async fn create(&self, operation: &Operation, desired: &Value) -> Outcome<String>;
    /// Does to a resource just created what its creation could not, and waits until it is ready.
    async fn finish_create(&self, operation: &Operation, id: &str, desired: &Value) -> Outcome<()>;
    /// Changes a resource and waits until it is ready again.
    async fn update(&self, operation: &Operation, id: &str, from: &Value, to: &Value) -> Outcome<()>;
    /// Gives each of these resources its value of the attribute that its type changes jointly: all in one call, or none.
    async fn reassign(&self, _operation: &Operation, _to: &[(String, Value)]) -> Outcome<()> {
        Err(Failure::new(FailureKind::Invalid, "its type changes nothing jointly"))
    }
    /// Waits until a resource that needs no change is ready: one that was made, or of which an update that did not end was
    /// setting these attributes (`updating`).
    async fn wait_ready(&self, operation: &Operation, id: &str, updating: &[String], desired: &Value) -> Outcome<()>;
    /// Deletes a resource and waits until it is gone; absent is success.
    async fn delete(&self, operation: &Operation, id: &str, last: &Value) -> Outcome<()>;
    /// How long each operation may take that makes of a resource what is `wanted`, when the stack file does not say.
    fn timeout(&self, wanted: &Value) -> Duration;
    /// How long each operation usually takes that makes of a resource what is `wanted`, where that is known.
    fn usual(&self, _wanted: &Value) -> Option<Usual> {
        None
    }
    /// How long AWS may go on reading as it was after a change.
    fn seen_within(&self) -> Duration {
        SEEN_WITHIN
    }
}

/// How long a change takes to be seen where nothing else is known.
pub const SEEN_WITHIN: Duration = Duration::from_millis(1500);

/// AWS.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Who we are, and where the stack is when its file does not say.
    async fn identity(&self, region: Option<&str>) -> Outcome<Identity>;
    /// The id of the account that the stack file names so, as AWS says it.
    async fn account(&self, name: &str) -> Outcome<String> {
        Err(Failure::new(FailureKind::Invalid, format!("there is no account `{name}`")))
    }
    /// The handler of a type.
    fn handler(&self, type_name: &str) -> Option<std::sync::Arc<dyn Handler>>;
    /// What a data source says.
    async fn read_data(&self, type_name: &str, site: &Site, arguments: &Value) -> Outcome<Value>;
    /// The ARN of the KMS key that has a name, such as an alias; none when there is no such key.
    async fn kms_key(&self, _site: &Site, _name: &str) -> Outcome<Option<String>> {
        Ok(None)
    }
    /// How often each AWS operation has been called.
    fn api_calls(&self) -> BTreeMap<String, u64>;
}

/// What checks before an apply ask of AWS; nothing is changed.
#[async_trait]
pub trait Inspector: Send + Sync {
    /// The secret of a name, if it is scheduled for deletion.
    async fn scheduled_secret(&self, wanted: &WantedSecret) -> Outcome<Option<Scheduled>>;
    /// How much is in something.
    async fn contents(&self, holder: &Holder) -> Outcome<Count>;
    /// Whether there is an image.
    async fn image(&self, image: &Image) -> Outcome<Standing>;
    /// The status of a certificate; none when there is no such certificate.
    async fn certificate(&self, certificate: &Certificate) -> Outcome<Option<String>>;
    /// The network interfaces that have any of some security groups.
    async fn interfaces(&self, groups: &Groups) -> Outcome<Vec<Interface>>;
    /// What of some actions we may not do in an account.
    async fn denied(&self, account: &str, needed: &[Needed]) -> Outcome<Denied>;
}

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// What failed, with the place and the cause.
    pub message: String,
    /// What to do.
    pub help: Vec<String>,
    /// Whether the state is not ours to change any more: then nothing in AWS is, either.
    pub lost: bool,
    /// The code of its page.
    pub code: Code,
}

impl StoreError {
    /// An error without advice.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: Vec::new(), lost: false, code: Code::Store }
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

/// What came of writing copies anew.
#[derive(Debug, Default)]
pub struct Rewritten {
    /// How many were.
    pub done: usize,
    /// What could not be, and why.
    pub left: Vec<String>,
}

impl Rewritten {
    /// Counts what came of one copy.
    pub fn count(&mut self, outcome: Result<(), StoreError>) {
        match outcome {
            Ok(()) => self.done += 1,
            Err(error) => self.left.push(error.message),
        }
    }
}

/// Where the state lives.
#[async_trait]
pub trait Store: Send + Sync {
    /// The state with what an unfinished apply left; none for a stack never applied.
    async fn load(&self) -> Result<Option<State>, StoreError>;
    /// Takes the lock, until it is released or the store dropped; what people should know of it.
    async fn lock(&self, command: &str) -> Result<Vec<String>, StoreError>;
    /// What [`Store::lock`] waits for at the moment, in words; nothing while it does not wait.
    fn waiting_for(&self) -> Option<String> {
        None
    }
    /// Who holds the lock now, in words; nothing when nobody does, or that cannot be told.
    async fn holder(&self) -> Option<String> {
        None
    }
    /// Makes sure that the lock is still held: asked before every change.
    async fn check(&self) -> Result<(), StoreError>;
    /// What says at any moment whether the lock is surely still held; nothing where it cannot be lost.
    async fn watch(&self) -> Option<std::sync::Arc<dyn Fn() -> bool + Send + Sync>>;
    /// Gives the lock back.
    async fn release(&self);
    /// Takes the lock from whoever has it; who that was.
    async fn unlock(&self) -> Result<Option<String>, StoreError>;
    /// Begins a journal on a state that has been saved.
    async fn begin(&self, state: &State) -> Result<(), StoreError>;
    /// Makes a record durable.
    async fn append(&self, record: &Record) -> Result<(), StoreError>;
    /// Replaces the state and ends the journal.
    async fn save(&self, state: &State) -> Result<(), StoreError>;
    /// Keeps a copy of a state that is about to be replaced by hand; where.
    async fn backup(&self, state: &State) -> Result<String, StoreError>;
    /// Writes the copies that were kept as what is written now is written, which changes who can read them.
    async fn rewrite_backups(&self) -> Result<Rewritten, StoreError> {
        Ok(Rewritten::default())
    }
    /// What people should know of what was read.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
    /// Removes the state, which has been moved to another place.
    async fn remove(&self) -> Result<(), StoreError>;
    /// When the state was written last; none where there is none, or nobody knows.
    async fn saved_at(&self) -> Result<Option<jiff::Timestamp>, StoreError>;
    /// Where it is, for people.
    fn location(&self) -> String;
}
