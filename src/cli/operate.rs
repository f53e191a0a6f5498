//! The one way of every command that changes what a stack has made: on which stack it acts is said first, then what it
//! changes, by name; then it asks; then it acts, under the lock where an apply might be at the same; and its exit code
//! says what came of it.
//!
//! A command is an [`Operation`]; [`run`] takes it along that way. Where it asks, and nobody can answer, it takes `--yes`.

use std::path::{Path, PathBuf};

use super::session::{self, Session};
use super::{CliError, Context, Exit, ask, project, signals};
use crate::ops::Deployed;
use leoctl_core::model::state::State;

/// What a command acts on.
pub struct On<'a> {
    /// How this run talks.
    pub context: &'a Context,
    /// The stack, its state and AWS.
    pub session: Session,
    /// What the stack has made, as it was when the command looked: under the lock, where it holds one.
    pub state: State,
    /// The stack file.
    pub path: PathBuf,
}

impl<'a> On<'a> {
    /// A stack that has been applied, looked at without a lock.
    pub async fn open(context: &'a Context, stack: Option<&Path>) -> Result<Self, CliError> {
        let (path, session, state) = session::applied(context, stack).await?;
        Ok(Self { context, session, state, path })
    }

    /// The same for what changes it, and asks or does not.
    async fn to_change(context: &'a Context, stack: Option<&Path>, yes: bool) -> Result<Self, CliError> {
        let path = project::stack_to_change(stack, context, yes)?;
        let (path, session, state) = session::applied_file(context, path).await?;
        Ok(Self { context, session, state, path })
    }

    /// What the stack has made, and AWS where it is.
    pub fn deployed(&self) -> Deployed<'_> {
        Deployed { state: &self.state, provider: &self.session.provider }
    }
}

/// What a command is about to change.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// What it changes, each thing by its name.
    pub lines: Vec<String>,
    /// What is asked; nothing where nobody has to agree: what runs stays, and no more than was named begins.
    pub question: Option<String>,
}

/// A command that changes what a stack has made.
pub(super) trait Operation {
    /// What it has found out when it asks, and carries out then.
    type Prepared;

    /// As what it holds the lock on the state, from before it looks until it has acted; nothing when what it changes is
    /// nothing that an apply changes: it must work while one is stuck.
    const LOCK: Option<&'static str>;

    /// Finds mistakes in what is asked for, before a lock is taken.
    fn check(&self, _on: &On<'_>) -> Result<(), CliError> {
        Ok(())
    }

    /// Finds out what is to change, and what would keep it from working; nothing when there is nothing to do, and that has
    /// been said.
    async fn prepare(&self, on: &On<'_>) -> Result<Option<(Change, Self::Prepared)>, CliError>;

    /// Does it.
    async fn act(&self, on: &On<'_>, prepared: Self::Prepared) -> Result<Exit, CliError>;
}

/// Carries an operation out on a stack.
///
/// # Errors
/// Its own, when the stack was never applied, when somebody else holds the lock, and when nobody can be asked.
pub(super) async fn run<O: Operation>(context: &Context, stack: Option<&Path>, yes: bool, operation: &O) -> Result<Exit, CliError> {
    let mut on = On::to_change(context, stack, yes).await?;
    operation.check(&on)?;
    let Some(command) = O::LOCK else { return carried_out(&on, yes, operation).await };
    on.session.lock(context, command).await?;
    let work = async {
        // Another run may have changed it all until the lock was taken.
        on.state = on.session.look(context, &on.path).await?;
        carried_out(&on, yes, operation).await
    };
    let outcome = signals::until_interrupted(work).await;
    on.session.store.release().await;
    outcome
}

async fn carried_out<O: Operation>(on: &On<'_>, yes: bool, operation: &O) -> Result<Exit, CliError> {
    let Some((change, prepared)) = operation.prepare(on).await? else { return Ok(Exit::Done) };
    match agreed(on, &change, yes).await? {
        true => operation.act(on, prepared).await,
        false => Ok(Exit::Error),
    }
}

/// Says on which stack a command acts and what it changes, and asks whether to.
async fn agreed(on: &On<'_>, change: &Change, yes: bool) -> Result<bool, CliError> {
    on.context.say(&session::whose(&on.state, &on.path));
    change.lines.iter().for_each(|line| on.context.say(line));
    match &change.question {
        Some(question) => ask::confirmed(on.context, yes, question).await,
        None => Ok(true),
    }
}
