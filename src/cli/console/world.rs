//! What expressions see in a console: the stack, what the last apply made, and what data sources say now.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::session::{self, Session};
use crate::cli::{CliError, Context, project};
use crate::ui;
use leoctl_aws::{partition, registry};
use leoctl_core::engine::values::{known_values, remembered_values};
use leoctl_core::model::address::Block;
use leoctl_core::model::redact::Redactor;
use leoctl_core::model::state::State;
use leoctl_core::model::value::Value;
use leoctl_core::plan::select::Options;
use leoctl_core::stack::budget::Spent;
use leoctl_core::stack::check::{failed, known_of};
use leoctl_core::stack::diagnostic::{Diagnostics, Source};
use leoctl_core::stack::lookup::Lookups;
use leoctl_core::stack::scope::{BlockValue, Identity, StackScope};
use leoctl_core::stack::template::{Failure, Template};
use leoctl_core::stack::{Files, Stack, typed};

/// What a line is called in messages.
const HERE: &str = "console";

/// What came of a line.
pub enum Answer {
    /// There was nothing on it.
    Nothing,
    /// Nothing more is wanted.
    Quit,
    /// Help was asked for.
    Help,
    /// What kind of value it has.
    Kind(String),
    /// Its value, and what is odd about the expression.
    Value(Value, Option<CliError>),
}

/// What expressions see.
pub struct World {
    context: Context,
    path: PathBuf,
    stack: Stack,
    files: Box<dyn Files>,
    about: String,
    identity: Option<Identity>,
    data: BTreeMap<Block, Value>,
    resources: BTreeMap<Block, BlockValue>,
    secrets: Redactor,
    /// Whether AWS has said what it is asked for.
    is_asked: bool,
}

impl World {
    /// Reads the stack and its state, and with `refresh` what there is in AWS.
    pub async fn open(context: &Context, path: &Path, refresh: bool) -> Result<Self, CliError> {
        if refresh { Self::live(context, path).await } else { Self::remembered(context, path).await }
    }

    async fn remembered(context: &Context, path: &Path) -> Result<Self, CliError> {
        let found = project::find(path, &context.global)?;
        let state = session::store(&context.global, path, &found).await?.load().await?;
        let Some(mut state) = state else {
            let about = format!("{} has never been applied: what AWS sets is not known.", found.name);
            return Ok(Self::of(context, path, found, about));
        };
        let stack = project::load_applied(path, &context.global, state.variables.clone())?;
        let disclosed = stack.disclosed(&state);
        // What has become sensitive since the last apply is so here, too.
        stack.hide_in(&mut state, registry::catalog());
        let about = format!("Values are those of the last apply of {}; `--refresh` reads what is there now.", stack.name);
        let resources = remembered_values(&stack, &state);
        let world = Self::of(context, path, stack, about);
        let secrets = world.secrets.and(disclosed);
        Ok(Self { identity: Some(identity(&state)), resources: filled(resources, world.resources), secrets, ..world })
    }

    async fn live(context: &Context, path: &Path) -> Result<Self, CliError> {
        let session = Session::open(context, path).await?;
        let plan = session.plan(&Options::default(), true).await?.plan;
        session.say_what_was_read(context);
        let about = format!("Values are those that AWS has of {} now.", session.stack.name);
        let world = Self::of(context, path, Stack::clone(&session.stack), about);
        let secrets = world.secrets.and(plan.redactor());
        let resources = filled(known_values(&plan), world.resources);
        Ok(Self { identity: Some(plan.identity.clone()), data: plan.data.clone(), resources, secrets, is_asked: true, ..world })
    }

    /// With nothing but what is written.
    fn of(context: &Context, path: &Path, stack: Stack, about: String) -> Self {
        Self {
            context: context.clone(),
            path: path.to_owned(),
            files: project::files(path, false),
            about,
            identity: None,
            data: BTreeMap::new(),
            resources: known_of(&stack),
            secrets: stack.redactor(),
            is_asked: false,
            stack,
        }
    }

    /// The stack.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Where the values come from, in words.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// What comes of a line.
    ///
    /// # Errors
    /// Why it has no value.
    pub async fn answer(&mut self, line: &str) -> Result<Answer, CliError> {
        let line = line.trim();
        let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match command {
            "" => Ok(Answer::Nothing),
            ":quit" | ":q" => Ok(Answer::Quit),
            ":help" | ":h" => Ok(Answer::Help),
            "exit" | "quit" if rest.is_empty() => Ok(Answer::Quit),
            "help" | "?" if rest.is_empty() => Ok(Answer::Help),
            ":type" if rest.is_empty() => Err(CliError::usage("`:type` is of an expression", "write it behind: `:type vars.name`")),
            ":type" => Ok(Answer::Kind(kind(&self.value(rest.trim()).await?.0))),
            _ if command.starts_with(':') => {
                Err(CliError::usage(&format!("there is no command `{}`", ui::one_line(command)), "`:help` says what there is"))
            }
            _ => {
                let (value, warnings) = self.value(line).await?;
                Ok(Answer::Value(value, warnings))
            }
        }
    }

    /// The value of an expression, and what is odd about it. AWS is asked once something is needed that only it knows.
    async fn value(&mut self, text: &str) -> Result<(Value, Option<CliError>), CliError> {
        let sources = self.sources(text);
        let mut said = Diagnostics::default();
        let template = typed::read(&self.stack, &sources, &mut said);
        if said.has_errors() {
            return Err(self.wrong(said, sources));
        }
        let (mut value, mut lookups) = self.evaluated(&template);
        let is_known = value.as_ref().is_ok_and(|value| !value.has_unknown());
        if !is_known && !self.is_asked && needs_aws(&lookups) {
            self.ask().await?;
            (value, lookups) = self.evaluated(&template);
        }
        let lacks = self.stack.lacks(&lookups);
        if lacks.has_errors() {
            return Err(self.wrong(lacks, sources));
        }
        match value {
            Ok(value) => Ok((self.secrets.hidden(value), (!said.0.is_empty()).then(|| self.wrong(said, sources)))),
            Err(failure) => Err(self.wrong(Diagnostics::from(vec![failed(failure)]), sources)),
        }
    }

    fn evaluated(&mut self, template: &Template) -> (Result<Value, Failure>, Lookups) {
        // What a line costs says nothing of the next one.
        self.stack.spent = Spent::default();
        let Self { stack, files, identity, data, resources, .. } = self;
        stack.reading(files.as_ref(), |stack| {
            let scope = StackScope::new(stack, identity.as_ref(), data, resources);
            (template.eval(&scope), scope.take_lookups())
        })
    }

    /// Asks AWS who we are, and what data sources say.
    async fn ask(&mut self) -> Result<(), CliError> {
        let session = Session::with(&self.context, &self.path, self.stack.clone()).await?;
        let (identity, data) = session.data().await?;
        session.say_what_was_read(&self.context);
        self.secrets = std::mem::take(&mut self.secrets).and(Redactor::new(data.values()));
        (self.identity, self.data, self.is_asked) = (Some(identity), data, true);
        Ok(())
    }

    /// What is wrong with a line. What somebody has typed is not said again where something sensitive is in it.
    fn wrong(&self, mut diagnostics: Diagnostics, sources: Vec<Source>) -> CliError {
        for one in &mut diagnostics.0 {
            one.message = self.secrets.redact(&one.message);
            one.help.iter_mut().for_each(|help| *help = self.secrets.redact(help));
        }
        CliError::Diagnostics { diagnostics, sources }
    }

    /// The texts that messages about a line point into, which stands behind the files of the stack.
    fn sources(&self, line: &str) -> Vec<Source> {
        let here = Source { path: HERE.into(), text: line.to_owned(), private: self.has_secret(line) };
        self.stack.sources.iter().cloned().chain([here]).collect()
    }

    fn has_secret(&self, line: &str) -> bool {
        self.secrets.redact(line) != line
    }

    /// Whether a line may be kept in a file: nothing sensitive is in it or came of it, and it does not begin with a space.
    pub fn may_be_kept(&self, line: &str, answer: &Answer) -> bool {
        let is_public = match answer {
            Answer::Nothing | Answer::Quit | Answer::Help => false,
            Answer::Kind(kind) => !kind.contains(ui::value::MASK),
            Answer::Value(value, _) => !value.has_secret(),
        };
        is_public && !line.starts_with(char::is_whitespace) && !self.has_secret(line)
    }
}

/// Whether something was looked up that only AWS knows and that nothing of the stack changes.
fn needs_aws(lookups: &Lookups) -> bool {
    !lookups.data.is_empty() || lookups.unknown.iter().any(|name| name.starts_with("stack."))
}

/// What is known of resources, with what is written where nothing else is known.
fn filled(mut known: BTreeMap<Block, BlockValue>, written: BTreeMap<Block, BlockValue>) -> BTreeMap<Block, BlockValue> {
    for (block, value) in written {
        match (known.get_mut(&block), value) {
            (None, value) => drop(known.insert(block, value)),
            (Some(BlockValue::Each(known)), BlockValue::Each(written)) => {
                for (key, value) in written {
                    let there = known.entry(key).or_insert(Value::Unknown);
                    if matches!(there, Value::Unknown) {
                        *there = value;
                    }
                }
            }
            (Some(there @ BlockValue::Single(Value::Unknown)), value) => *there = value,
            (Some(_), _) => {}
        }
    }
    known
}

/// Where the owner of a state is.
fn identity(state: &State) -> Identity {
    Identity {
        account_id: state.account_id.clone(),
        partition: partition(&state.region).to_owned(),
        region: state.region.clone(),
        accounts: BTreeMap::new(),
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Unknown => ui::value::UNKNOWN.to_owned(),
        Value::Secret(inner) => format!("{} {}", inner.kind(), ui::value::MASK),
        other => other.kind().to_owned(),
    }
}
