//! Saved plans: what was planned with what, so that apply can make the same plan again and refuse any other.
//!
//! The file holds the stack as it was read, never a secret's value: sensitive variables are given again when
//! the plan is applied, and only have to be the same.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::args::{Global, PlanFlags};
use super::session::Session;
use super::{CliError, Context, Exit, apply, encryption, plan_id, project};
use crate::{disk, store, ui};
use leoctl_core::engine::refresh::Planned;
use leoctl_core::engine::sealed::{self, About, What};
use leoctl_core::plan::select::Options;

/// A plan in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedPlan {
    format_version: u32,
    stack_file: PathBuf,
    /// The same from where the plan was made, for another checkout of the project.
    #[serde(default)]
    named: PathBuf,
    destroy: bool,
    targets: Vec<leoctl_core::model::selector::Selector>,
    excludes: Vec<leoctl_core::model::selector::Selector>,
    replace: Vec<leoctl_core::model::selector::Selector>,
    refresh: bool,
    #[serde(default)]
    scale_up: bool,
    /// `--var`, but for those that are sensitive.
    #[serde(default)]
    vars: Vec<(String, String)>,
    /// `--var-file`, from the project's folder on.
    #[serde(default)]
    var_files: Vec<PathBuf>,
    lineage: String,
    serial: u64,
    /// What the inputs are hashed with: a secret that is easily guessed would be told by its bare hash.
    salt: String,
    /// A hash of the stack's files and the values of its variables.
    inputs: String,
    /// A hash of what was read beside AWS, and of what AWS has said that is sensitive.
    read: String,
    /// What was shown, secrets masked.
    plan: Json,
}

/// The version of the format of saved plans, the only one that is read.
pub const VERSION: u32 = 4;

/// What a plan was asked with.
pub struct Asked<'a> {
    /// What it is about.
    pub options: &'a Options,
    /// Whether AWS was read.
    pub refresh: bool,
    /// The variables.
    pub global: &'a Global,
}

/// Saves a plan, readable by its owner only.
pub async fn save(file: &Path, stack_file: &Path, asked: &Asked<'_>, session: &Session, planned: &Planned) -> Result<(), CliError> {
    let Asked { options, refresh, global } = asked;
    let salt = uuid::Uuid::new_v4().to_string();
    let saved = SavedPlan {
        format_version: VERSION,
        stack_file: std::path::absolute(stack_file).unwrap_or_else(|_| stack_file.to_owned()),
        named: stack_file.to_owned(),
        destroy: options.destroy,
        targets: options.targets.clone(),
        excludes: options.excludes.clone(),
        replace: options.replace.clone(),
        refresh: *refresh,
        scale_up: options.scale_up,
        vars: global.vars.iter().filter(|(name, _)| is_public(session, name)).cloned().collect(),
        var_files: global.var_files.iter().map(|given| project::portable(stack_file, given)).collect(),
        lineage: planned.plan.lineage.clone(),
        serial: planned.plan.serial,
        inputs: inputs(session, &salt),
        read: read_by(session, planned, &salt),
        salt,
        plan: shown(planned),
    };
    let text = serde_json::to_string_pretty(&saved)
        .map_err(|error| CliError::usage(&error.to_string(), "this leoctl is broken: please report it"))?;
    let about = About {
        stack_file: Some(saved.stack_file.clone()),
        named: Some(saved.named.clone()),
        ..session.vault.plan(&saved.lineage, saved.serial)
    };
    Ok(store::replace(file, &session.vault.seal(about, text).await?)?)
}

/// Whether a file is a saved plan, of this leoctl or another.
pub fn is_plan(file: &Path) -> bool {
    let Ok(text) = disk::read_text(file, disk::LARGEST) else { return false };
    if let Some(about) = sealed::about(&text) {
        return about.what == What::Plan;
    }
    let json = serde_json::from_str::<Json>(&text);
    json.is_ok_and(|json| json.get("format_version").is_some() && json.get("plan").is_some())
}

/// Makes the saved plan again and carries it out, unless it has become another.
pub async fn apply(context: &Context, file: &Path, yes: bool, no_preflight: bool) -> Result<Exit, CliError> {
    let saved = read(context, file).await?;
    let session = opened(context, &saved).await?;
    session.lock(context, "leoctl apply --plan").await?;
    let outcome = async {
        let mut planned = replayed(&session, &saved).await?;
        session.preflight(&mut planned, no_preflight).await;
        // It was reviewed when it was made.
        apply::confirm_and_apply(context, &session, planned, yes || !context.interactive).await
    };
    apply::released(&session, outcome).await
}

/// A saved plan as it was read from its file, once.
pub struct FromFile {
    /// A hash of the file's text.
    pub digest: String,
    file: PathBuf,
    text: String,
}

impl FromFile {
    /// Reads the file of a plan, and nothing that it names.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(file: &Path) -> Result<Self, CliError> {
        let text = text(file)?;
        Ok(Self { digest: hex(&Sha256::digest(text.as_bytes())), file: file.to_owned(), text })
    }

    /// The stack file that it says it is of.
    ///
    /// # Errors
    /// When it is no saved plan.
    pub fn stack_file(&self) -> Result<PathBuf, CliError> {
        match sealed::about(&self.text) {
            Some(About { stack_file: Some(stack_file), named: Some(named), .. }) => Ok(found(&stack_file, &named).to_owned()),
            _ => Ok(parsed(&self.text, &self.file)?.stack_file().to_owned()),
        }
    }

    /// Reads its stack, with what that was given then.
    ///
    /// # Errors
    /// When that cannot be read.
    pub async fn open(self, context: &Context) -> Result<Replay, CliError> {
        let saved = opened_file(context, &self.file, self.text).await?;
        let session = opened(context, &saved).await?;
        Ok(Replay { session, saved })
    }
}

/// A saved plan that is to be made again, with what it takes.
pub struct Replay {
    /// Its stack, with what it was given then, and AWS.
    pub session: Session,
    saved: SavedPlan,
}

impl Replay {
    /// The plan as it is made again, and its id.
    ///
    /// # Errors
    /// When it has become another.
    pub async fn planned(&self) -> Result<(Planned, String), CliError> {
        let planned = replayed(&self.session, &self.saved).await?;
        let id = plan_id::of(&self.session, self.saved.stack_file(), &planned, &PlanFlags::plain(self.saved.refresh))?;
        Ok((planned, id.plan))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes the saved plan again, unless it has become another or is of another stack than the one that is named.
pub async fn planned(context: &Context, file: &Path, stack: Option<&Path>) -> Result<Planned, CliError> {
    let saved = read(context, file).await?;
    let path = saved.stack_file();
    if let Some(other) = stack.filter(|stack| project::real(stack) != project::real(path)) {
        let (shown, other) = (path.display().to_string(), other.display().to_string());
        return Err(CliError::usage(
            &format!("the plan {} is of {}, and not of {}", file.display(), ui::one_line(&shown), ui::one_line(&other)),
            "name no stack beside it: the plan says which one it is of",
        ));
    }
    let session = opened(context, &saved).await?;
    replayed(&session, &saved).await
}

fn unusable(file: &Path, problem: &str) -> CliError {
    CliError::usage(&format!("cannot use the plan {}: {problem}", file.display()), "make it again with `leoctl plan --out FILE`")
}

/// The text of a file with a plan.
fn text(file: &Path) -> Result<String, CliError> {
    disk::read_text(file, disk::LARGEST).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            CliError::usage(&format!("there is no plan {}", file.display()), "`leoctl plan --out FILE` saves one")
        }
        _ => unusable(file, &error.to_string()),
    })
}

/// The plan in a file.
async fn read(context: &Context, file: &Path) -> Result<SavedPlan, CliError> {
    opened_file(context, file, text(file)?).await
}

/// The plan in the text of a file.
fn parsed(text: &str, file: &Path) -> Result<SavedPlan, CliError> {
    let unreadable = |problem: String| unusable(file, &problem);
    let json: Json = serde_json::from_str(text).map_err(|_| unreadable("it is no saved plan".to_owned()))?;
    match json.get("format_version").and_then(Json::as_u64) {
        Some(found) if found != u64::from(VERSION) => {
            return Err(unreadable(format!("it has format {found}, of another leoctl, and this one reads {VERSION}")));
        }
        _ => {}
    }
    serde_json::from_value(json).map_err(|error| unreadable(error.to_string()))
}

/// The plan in a text that may be encrypted. Which stack file says how, stands in the clear; the plan names it, too, and what
/// is looked at before it is opened has to be what is opened.
async fn opened_file(context: &Context, file: &Path, text: String) -> Result<SavedPlan, CliError> {
    let Some(About { stack_file: Some(stack_file), named: Some(named), .. }) = sealed::about(&text) else { return parsed(&text, file) };
    let path = found(&stack_file, &named);
    let stack = project::find(path, &context.global)?;
    let vault = encryption::vault(&context.global, path, &stack).await?;
    let saved = parsed(&vault.open_plan(&file.display().to_string(), text).await?, file)?;
    match saved.stack_file == stack_file && saved.named == named {
        true => Ok(saved),
        false => Err(unusable(file, "it names another stack file outside than inside")),
    }
}

/// A plan's stack file, which may be in another checkout than where it was made.
fn found<'a>(stack_file: &'a Path, named: &'a Path) -> &'a Path {
    if stack_file.is_file() { stack_file } else { named }
}

impl SavedPlan {
    /// Its stack file.
    fn stack_file(&self) -> &Path {
        found(&self.stack_file, &self.named)
    }
}

/// The stack of a saved plan with what it was given, and AWS.
async fn opened(context: &Context, saved: &SavedPlan) -> Result<Session, CliError> {
    let file = saved.stack_file();
    said(context, file, saved);
    // What is given now goes before what was given then: different, it makes the plan stale.
    let mut global = context.global.clone();
    global.vars = saved.vars.iter().cloned().chain(context.global.vars.clone()).collect();
    let given_then = saved.var_files.iter().map(|saved| project::found_again(file, saved));
    global.var_files = given_then.chain(context.global.var_files.clone()).collect();
    let stack = project::load(file, &global)?;
    Session::with(context, file, stack).await
}

/// Says what is taken from the file of a plan: whoever wrote it chose all of this.
fn said(context: &Context, file: &Path, saved: &SavedPlan) {
    let listed = |flag: &str, addresses: &[leoctl_core::model::selector::Selector]| {
        addresses.iter().map(|address| format!("--{flag} {address}")).collect::<Vec<_>>()
    };
    let flags = [("destroy", saved.destroy), ("scale-up", saved.scale_up), ("refresh false", !saved.refresh)];
    let flags = flags.iter().filter(|(_, set)| *set).map(|(flag, _)| format!("--{flag}"));
    let vars = saved.vars.iter().map(|(name, _)| format!("--var {name}"));
    let var_files = saved.var_files.iter().map(|path| format!("--var-file {}", path.display()));
    let lists = [("target", &saved.targets), ("exclude", &saved.excludes), ("replace", &saved.replace)];
    let lists = lists.iter().flat_map(|(flag, addresses)| listed(flag, addresses));
    let taken: Vec<String> = flags.chain(lists).chain(vars).chain(var_files).collect();
    let taken = if taken.is_empty() { "no options".to_owned() } else { taken.join(" ") };
    context.say(&format!("Stack {}", ui::one_line(&file.display().to_string())));
    context.say(&ui::prose(format!("The plan's file was made with {}", ui::one_line(&taken))));
}

/// The plan as it is made again.
async fn replayed(session: &Session, saved: &SavedPlan) -> Result<Planned, CliError> {
    let loaded = session.store.load().await?;
    let (lineage, serial) = loaded.map(|state| (state.lineage, state.serial)).unwrap_or_default();
    if (saved.serial > 0 && lineage != saved.lineage) || serial != saved.serial {
        return Err(stale("something was applied since it was made"));
    }
    if inputs(session, &saved.salt) != saved.inputs {
        return Err(stale("the stack's files or variables are not those it was made with"));
    }
    let options = Options {
        destroy: saved.destroy,
        targets: saved.targets.clone(),
        excludes: saved.excludes.clone(),
        replace: saved.replace.clone(),
        scale_up: saved.scale_up,
        only: None,
    };
    let planned = session.plan(&options, saved.refresh).await?;
    if read_by(session, &planned, &saved.salt) != saved.read {
        return Err(stale("what it reads of other stacks or of secrets has changed since it was made"));
    }
    if shown(&planned) != saved.plan {
        return Err(stale("what is live in AWS has changed since it was made"));
    }
    Ok(planned)
}

fn stale(why: &str) -> CliError {
    CliError::usage(
        &format!("the plan is stale: {why}"),
        "look at a new one with `leoctl plan --out FILE`; sensitive variables are given again",
    )
}

/// Whether a variable may be written down.
fn is_public(session: &Session, name: &str) -> bool {
    session.stack.config.vars.get(name).is_some_and(|variable| !variable.sensitive)
}

/// The plan as it was shown, without what is random in a state that does not exist yet.
fn shown(planned: &Planned) -> Json {
    ui::json::plan(&planned.plan, &std::collections::BTreeMap::new())
}

/// A salted hash of what making a plan has read: files beside its stack's own, and what is sensitive of data sources, which the
/// plan does not show.
fn read_by(session: &Session, planned: &Planned, salt: &str) -> String {
    let beside = session.read_beside().into_iter().map(|(what, content)| json!([what, content]));
    let hidden = planned.plan.hidden_data().map(|(block, value)| json!([block.to_string(), value.to_json().unwrap_or_default()]));
    let mut hash = Sha256::new();
    hash.update(salt.as_bytes());
    hash.update(beside.chain(hidden).collect::<Json>().to_string().as_bytes());
    hex(&hash.finalize())
}

/// A salted hash of everything the plan was made from but the state and what was read for it.
fn inputs(session: &Session, salt: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(salt.as_bytes());
    for source in &session.stack.sources {
        hash.update(source.text.as_bytes());
        hash.update([0]);
    }
    for (_, content) in session.stack.contents.files() {
        hash.update(Sha256::digest(&content.bytes));
    }
    for name in session.stack.contents.listed() {
        hash.update(name.as_bytes());
        hash.update([0]);
    }
    for (name, value) in session.stack.vars.iter().chain(&session.stack.env) {
        let text = value.to_json().map(|json| json.to_string()).unwrap_or_default();
        hash.update(name.as_bytes());
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize())
}
