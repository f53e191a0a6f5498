//! What data sources read beside AWS: the outputs of other stacks, and states of Terraform.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::args::Global;
use super::session;
use super::{CliError, contents, error, project};
use crate::ui::age::ago;
use leoctl_aws::client::Settings;
use leoctl_aws::data::stack::Stack as OtherStack;
use leoctl_aws::data::terraform_state::TerraformState;
use leoctl_aws::document::Document;
use leoctl_aws::registry::{Elsewhere, answered, asked};
use leoctl_aws::resource::{DataSource, wrong_argument};
use leoctl_core::engine::ports::{Failure, Outcome};
use leoctl_core::model::base64;
use leoctl_core::model::state::State;
use leoctl_core::model::value::Value;
use leoctl_core::stack::Stack;
use leoctl_core::stack::backend::{self, Backend};
use leoctl_core::stack::encryption::{self, KmsKey};
use leoctl_core::stack::files::beside;
use leoctl_core::stack::scope::StackScope;
use leoctl_core::stack::vars::Given;

/// What a stack's data sources read beside AWS.
pub struct Neighbours {
    global: Global,
    settings: Settings,
    stack_file: PathBuf,
    notes: Mutex<Vec<String>>,
    /// What has been read, as far as it could decide about a plan.
    read: Mutex<BTreeMap<String, String>>,
}

impl Neighbours {
    /// Those of a stack.
    pub fn of(global: &Global, settings: &Settings, stack_file: &Path) -> Self {
        let (global, settings) = (global.clone(), settings.clone());
        Self { global, settings, stack_file: stack_file.to_owned(), notes: Mutex::default(), read: Mutex::default() }
    }

    /// Hashes of what has been read, by what that was: a plan is made of them.
    pub fn inputs(&self) -> BTreeMap<String, String> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn made_of(&self, what: &str, content: &[u8]) {
        let hash = base64::encode(&Sha256::digest(content));
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(what.to_owned(), hash);
    }

    /// What people should know of what has been read since the last call.
    pub fn take_notes(&self) -> Vec<String> {
        let mut notes = std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner));
        notes.sort();
        notes
    }

    fn note(&self, note: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    async fn stack(&self, asked: OtherStack) -> Outcome<OtherStack> {
        let path = beside(&self.stack_file, &asked.file);
        contents::place(&project::root(&self.stack_file), &path)
            .map_err(|problem| wrong_argument(format!("{} cannot be read: {problem}", asked.file)))?;
        let stack =
            project::read(&path, given(asked.vars.clone().into_iter().collect())).map_err(|error| unreadable(&asked.file, &error))?;
        let store = session::store(&self.global, &path, &stack).await.map_err(|error| unreadable(&asked.file, &error))?;
        let loaded = store.load().await.map_err(|error| wrong_argument(error.message))?;
        let Some(mut state) = loaded else {
            return Err(wrong_argument(format!("{} ({}) has never been applied: apply it first", stack.name, asked.file)));
        };
        stack.hide_in(&mut state, leoctl_aws::registry::catalog());
        state.outputs.retain(|name, _| !stack.is_output_sensitive(name));
        self.made_of(&asked.file, serde_json::to_string(&state.outputs).unwrap_or_default().as_bytes());
        let written = store.saved_at().await.ok().flatten();
        self.note(words(&asked.file, &state, written));
        let outputs = Document(state.outputs.into_iter().collect::<serde_json::Map<_, _>>().into());
        Ok(OtherStack {
            name: Some(stack.name),
            account_id: Some(state.account_id),
            region: Some(state.region),
            outputs: Some(outputs),
            ..asked
        })
    }

    async fn terraform(&self, asked: TerraformState) -> Outcome<TerraformState> {
        let bytes = match (&asked.path, &asked.bucket, &asked.key) {
            (Some(path), None, None) => {
                let whole = beside(&self.stack_file, path);
                let read = contents::bytes(&project::root(&self.stack_file), &whole);
                read.map_err(|problem| wrong_argument(format!("cannot read {path}: {problem}")))?
            }
            (None, Some(bucket), Some(key)) => {
                let (region, profile) = (asked.region.as_deref(), asked.profile.as_deref());
                let aws = session::buckets(&self.settings, region, profile).await.map_err(|error| unreadable(bucket, &error))?;
                let text = leoctl_aws::state::text_of(&aws, bucket, key).await;
                text.map_err(|error| wrong_argument(error.message))?.into_bytes()
            }
            _ => return Err(wrong_argument("it has either `path`, or `bucket` and `key`")),
        };
        self.made_of(&asked.place(), &bytes);
        let text = String::from_utf8(bytes).map_err(|_| wrong_argument(format!("{} is not UTF-8 text", asked.place())))?;
        asked.answered(&text)
    }
}

/// The stacks whose outputs a stack reads, as far as they are known without AWS: their files, and what their variables are given.
pub fn named(stack: &Stack, path: &Path) -> Vec<(PathBuf, Given)> {
    let one = |written: Value| {
        let vars = written.get("vars").and_then(Value::as_map).into_iter().flatten();
        let vars = vars.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Some((beside(path, written.get("file")?.as_str()?), given(vars.collect())))
    };
    of_type(stack, OtherStack::TYPE).into_iter().filter_map(one).collect()
}

/// What the variables of another stack are given: it is looked at, and not planned.
fn given(vars: Vec<(String, String)>) -> Given {
    Given { arguments: vars, may_lack: true, ..Given::default() }
}

/// Where the states are in S3 that a stack's data sources read, as far as that is known without AWS.
pub fn backends(stack: &Stack, path: &Path) -> Vec<Backend> {
    others(stack, path).iter().filter_map(|other| backend::location(other).ok().flatten()).collect()
}

/// The keys of KMS that these states are encrypted with.
pub fn kms_keys(stack: &Stack, path: &Path) -> Vec<KmsKey> {
    let written = others(stack, path).into_iter().filter_map(|other| encryption::of(&other).ok().flatten());
    written.flat_map(|written| written.kms_keys().cloned().collect::<Vec<_>>()).collect()
}

/// The stacks whose outputs a stack reads, as far as they are known without AWS and can be read.
fn others(stack: &Stack, path: &Path) -> Vec<Stack> {
    let root = project::root(path);
    let named = named(stack, path).into_iter().filter(|(file, _)| contents::place(&root, file).is_ok());
    named.filter_map(|(path, given)| project::read(&path, given).ok()).collect()
}

/// The files that a stack's data sources read, as far as they are known without AWS.
pub fn files(stack: &Stack, path: &Path) -> Vec<PathBuf> {
    let states = of_type(stack, TerraformState::TYPE).into_iter();
    let states = states.filter_map(|written| Some(beside(path, written.get("path")?.as_str()?)));
    named(stack, path).into_iter().map(|(file, _)| file).chain(states).collect()
}

/// The objects in buckets that a stack's data sources read, as far as they are known without AWS.
pub fn objects(stack: &Stack) -> Vec<(String, String)> {
    let text = |written: &Value, name: &str| written.get(name)?.as_str().map(str::to_owned);
    of_type(stack, TerraformState::TYPE).iter().filter_map(|written| Some((text(written, "bucket")?, text(written, "key")?))).collect()
}

/// The arguments of a stack's data sources of a type, as far as they are known without AWS.
fn of_type(stack: &Stack, type_name: &str) -> Vec<Value> {
    let scope = StackScope::offline(stack);
    let sources = stack.config.data.iter().filter(|(block, _)| block.type_name == type_name);
    sources.filter_map(|(_, source)| source.attributes.eval(&scope).ok()).collect()
}

/// How old another stack's outputs are, and whether they are about to be others.
fn words(file: &str, state: &State, written: Option<jiff::Timestamp>) -> String {
    let age = written.map(|written| format!(", {}", ago(written, jiff::Timestamp::now()))).unwrap_or_default();
    let incomplete = state.all().any(|(_, known)| known.incomplete) || !state.open.is_empty();
    let unfinished = if incomplete { "; its last apply has not finished, so that they may change" } else { "" };
    format!("The outputs of {} ({file}) are those of its apply {}{age}{unfinished}.", state.stack, state.serial)
}

/// Why something cannot be read, without lines of it.
fn unreadable(what: &str, error: &CliError) -> Failure {
    let why = match error {
        CliError::Diagnostics { diagnostics, .. } => {
            diagnostics.0.iter().map(|diagnostic| diagnostic.message.as_str()).collect::<Vec<_>>().join("; ")
        }
        other => error::text(other, false),
    };
    wrong_argument(format!("{what} cannot be read: {why}"))
}

#[async_trait]
impl Elsewhere for Neighbours {
    async fn read(&self, type_name: &str, arguments: &Value) -> Option<Outcome<Value>> {
        let is_ours = [OtherStack::TYPE, TerraformState::TYPE].contains(&type_name);
        if is_ours && arguments.has_secret() {
            return Some(Err(wrong_argument("what is read, and where, is shown: no argument of it can be sensitive")));
        }
        match type_name {
            OtherStack::TYPE => Some(async { answered(self.stack(asked(arguments)?).await?) }.await),
            TerraformState::TYPE => Some(async { answered(self.terraform(asked(arguments)?).await?) }.await),
            _ => None,
        }
    }
}
