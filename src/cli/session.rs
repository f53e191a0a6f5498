//! What commands that talk to AWS share: the stack, its state, and AWS itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::{Global, PlanFlags};
use super::elsewhere::Neighbours;
use super::{CliError, Context, encryption, project, sandbox};
use crate::ops::Deployed;
use crate::store::{self, LocalStore};
use crate::ui::waiting::Voice;
use crate::ui::{FAINT, STRONG, WARN, counted, failure, prose, styled};
use leoctl_aws::client::{Aws, Clients, Settings};
use leoctl_aws::registry::AwsProvider;
use leoctl_aws::state::{Location, S3Store};
use leoctl_core::engine::ports::Store;
use leoctl_core::engine::preflight::preflight;
use leoctl_core::engine::refresh::{Planned, Planner};
use leoctl_core::engine::sealed::Vault;
use leoctl_core::model::address::Block;
use leoctl_core::model::schema::Catalog;
use leoctl_core::model::state::State;
use leoctl_core::model::value::Value;
use leoctl_core::plan::preflight::Check;
use leoctl_core::plan::select::Options;
use leoctl_core::stack::Stack;
use leoctl_core::stack::accounts::{self, Accounts};
use leoctl_core::stack::backend::{self, Backend};
use leoctl_core::stack::scope::Identity;

/// A stack, its state and AWS.
pub struct Session {
    /// The stack.
    pub stack: Arc<Stack>,
    /// Its state.
    pub store: Box<dyn Store>,
    /// What its files are encrypted with.
    pub vault: Arc<Vault>,
    /// AWS.
    pub provider: AwsProvider,
    /// How AWS is reached.
    settings: Settings,
    /// The accounts that calls go to.
    accounts: Accounts,
    /// What is read beside AWS.
    neighbours: Arc<Neighbours>,
    /// The schemas.
    pub catalog: &'static Catalog,
    /// How waiting is told about.
    pub(super) voice: Voice,
    /// Whether AWS is the sandbox's emulator.
    in_sandbox: bool,
}

/// Credentials for the sandbox, which accepts any.
fn sandbox_credentials() -> aws_credential_types::Credentials {
    aws_credential_types::Credentials::new("test", "test", None, None, "sandbox")
}

impl Session {
    /// Reads the stack and prepares the rest.
    pub async fn open(context: &Context, path: &Path) -> Result<Self, CliError> {
        let stack = project::load(path, &context.global)?;
        Self::with(context, path, stack).await
    }

    /// Prepares a session for a stack that has been read.
    pub async fn with(context: &Context, path: &Path, stack: Stack) -> Result<Self, CliError> {
        let catalog = leoctl_aws::registry::catalog();
        let vault = Arc::new(encryption::vault(&context.global, path, &stack).await?);
        let store = store_with(&context.global, path, &stack, &vault).await?;
        not_left_behind(context, path, &stack, store.as_ref()).await?;
        let given = settings(&context.global);
        // A region that the stack names, no other place is asked for.
        let mut settings = Settings { region: stack.region.clone().or_else(|| given.region.clone()), ..given };
        if context.global.sandbox {
            let running = sandbox::running(context, path).await?;
            settings.endpoint_url = Some(running.endpoint());
            settings.endpoints = running.endpoints();
            settings.credentials = Some(sandbox_credentials());
            failure::in_sandbox();
        }
        let neighbours = Arc::new(Neighbours::of(&context.global, &settings, path));
        let accounts = accounts_of(&stack)?;
        let provider = provider(&settings, &stack.name, &accounts, &neighbours).await?;
        Ok(Self {
            stack: Arc::new(stack),
            store,
            vault,
            provider,
            settings,
            accounts,
            neighbours,
            catalog,
            voice: Voice::new(context.global.json || context.global.quiet),
            in_sandbox: context.global.sandbox,
        })
    }

    /// Takes the lock on the state, and says what people should know of it.
    pub async fn lock(&self, context: &Context, command: &str) -> Result<(), CliError> {
        self.outlives_the_job(context)?;
        let notes = self.waiting_for_the_lock(self.store.lock(command)).await?;
        notes.iter().for_each(|note| context.say(&prose(styled(WARN, format!("Note: {note}")))));
        if let Some(still_ours) = self.store.watch().await {
            self.provider.fence().set(still_ours);
        }
        Ok(())
    }

    /// Refuses to begin what would be remembered in a file only, in a job of CI whose files go with it.
    fn outlives_the_job(&self, context: &Context) -> Result<(), CliError> {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| value == "true");
        let emulated = context.global.sandbox || context.global.endpoint_url.is_some() || std::env::var_os("AWS_ENDPOINT_URL").is_some();
        if self.stack.config.backend_s3.is_some() || emulated || !is_set("CI") || is_set("LEOCTL_KEEPS_STATE") {
            return Ok(());
        }
        Err(CliError::usage(
            &format!(
                "the state of {} is in a file, {}, and what a job of CI writes is gone when it ends",
                self.stack.name,
                self.store.location()
            ),
            "keep it in a bucket: write [stack.backend.s3], then `leoctl state migrate`. Where the job does keep its files, set LEOCTL_KEEPS_STATE=true",
        ))
    }

    /// The state as it is now, with what an unfinished apply left.
    pub async fn state(&self) -> Result<State, CliError> {
        let loaded = self.store.load().await?;
        loaded.ok_or_else(|| never_applied(&self.stack.name))
    }

    /// Looks at what was made: the state as it is now, and the stack with the values that it remembers of its variables, as
    /// what was made was made with these.
    pub async fn look(&mut self, context: &Context, path: &Path) -> Result<State, CliError> {
        let state = self.state().await?;
        self.stack = Arc::new(project::load_applied(path, &context.global, state.variables.clone())?);
        let accounts = accounts_known(&self.stack)?;
        if accounts != self.accounts {
            self.provider = provider(&self.settings, &self.stack.name, &accounts, &self.neighbours).await?;
            self.accounts = accounts;
        }
        self.is_ours(&state).await?;
        Ok(state)
    }

    /// That AWS is reached in the account that the state is of.
    async fn is_ours(&self, state: &State) -> Result<(), CliError> {
        let deployed = Deployed { state, provider: &self.provider };
        let stranger = self.reading("who we are", deployed.stranger()).await;
        match stranger.map_err(|failure| CliError::aws("asking AWS who we are", failure))? {
            Some(account) => Err(CliError::usage(
                &format!("the state belongs to account {}, but this is account {account}", state.account_id),
                "use the credentials the stack was applied with",
            )),
            None => Ok(()),
        }
    }

    /// Makes a plan from the state as it is now.
    ///
    /// # Errors
    /// When something of the stack is not known that a plan has to know, or AWS does not answer.
    pub async fn plan(&self, options: &Options, refresh: bool) -> Result<Planned, CliError> {
        if !self.stack.lacking.is_empty() {
            let lacking: Vec<_> = self.stack.lacking.values().cloned().collect();
            return Err(CliError::Diagnostics { diagnostics: lacking.into(), sources: self.stack.sources.clone() });
        }
        let loaded = self.reading("the state", self.store.load()).await?;
        let remembered = loaded.as_ref().map_or(0, |state| state.resources.len());
        let reading = counted(remembered.max(self.stack.config.resources.len()), "resource");
        let planner = Planner { provider: &self.provider, catalog: self.catalog, stack: &self.stack, refresh, options };
        let planned = self.reading(&reading, planner.plan(loaded, |identity| self.fresh(identity))).await;
        planned.map_err(|error| self.located(error))
    }

    /// Who we are and what data sources say, as a plan would read them; nothing else of AWS is read.
    ///
    /// # Errors
    /// When AWS does not answer, or the state is another account's.
    pub async fn data(&self) -> Result<(Identity, BTreeMap<Block, Value>), CliError> {
        let loaded = self.reading("the state", self.store.load()).await?;
        let reading = counted(self.stack.config.data.len(), "data source");
        let options = Options::default();
        let planner = Planner { provider: &self.provider, catalog: self.catalog, stack: &self.stack, refresh: false, options: &options };
        let read = self.reading(&reading, planner.data_alone(loaded, |identity| self.fresh(identity))).await;
        read.map_err(|error| self.located(error))
    }

    /// The state of a stack that has never been applied.
    fn fresh(&self, identity: &Identity) -> State {
        let random = || uuid::Uuid::new_v4().to_string();
        State::new(&self.stack.name, &identity.account_id, &identity.region, random(), random())
    }

    /// Hashes of what was read beside AWS.
    pub fn read_beside(&self) -> BTreeMap<String, String> {
        self.neighbours.inputs()
    }

    /// Says what people should know of what was read beside AWS.
    pub fn say_what_was_read(&self, context: &Context) {
        self.neighbours.take_notes().iter().for_each(|note| context.say(&prose(styled(FAINT, note))));
        self.store.notes().iter().for_each(|note| context.say(&prose(styled(WARN, format!("Note: {note}")))));
    }

    /// Looks for what would make a plan's apply fail, unless that is not wanted.
    pub async fn preflight(&self, planned: &mut Planned, unwanted: bool) {
        if !unwanted {
            planned.preflight = preflight(&planned.plan, &self.provider).await;
            // The sandbox has no registry, and runs no tasks that would need an image.
            planned.preflight.findings.retain(|finding| !self.in_sandbox || finding.check != Check::Image);
        }
    }

    /// An engine error that knows the stack's files.
    fn located(&self, error: leoctl_core::engine::EngineError) -> CliError {
        match error {
            leoctl_core::engine::EngineError::Diagnostics(diagnostics) => {
                CliError::Diagnostics { diagnostics, sources: self.stack.sources.clone() }
            }
            other => other.into(),
        }
    }
}

/// The accounts of a stack as far as they are known: where variables are lacking, nothing is planned, and who looks at what
/// was made reads it again with what the state remembers of them.
fn accounts_of(stack: &Stack) -> Result<Accounts, CliError> {
    if stack.lacking.is_empty() { accounts_known(stack) } else { Ok(accounts::accounts(stack).unwrap_or_default()) }
}

/// The accounts of a stack.
///
/// # Errors
/// What is wrong with them, or lacking.
fn accounts_known(stack: &Stack) -> Result<Accounts, CliError> {
    accounts::accounts(stack).map_err(|diagnostics| CliError::Diagnostics { diagnostics, sources: stack.sources.clone() })
}

/// AWS in the accounts of a stack.
async fn provider(settings: &Settings, stack: &str, accounts: &Accounts, neighbours: &Arc<Neighbours>) -> Result<AwsProvider, CliError> {
    let clients = Clients::load(settings).await?;
    Ok(AwsProvider::of(leoctl_aws::accounts::Accounts::new(clients, stack, accounts.clone())).with(neighbours.clone()))
}

/// A stack that has been applied, for commands about what it made: its state, and AWS in the account it is in.
pub async fn applied(context: &Context, stack: Option<&Path>) -> Result<(PathBuf, Session, State), CliError> {
    applied_file(context, project::stack_file(stack, context)?).await
}

/// The stack of this file that has been applied.
pub async fn applied_file(context: &Context, path: PathBuf) -> Result<(PathBuf, Session, State), CliError> {
    let found = project::find(&path, &context.global)?;
    let mut session = Session::with(context, &path, found).await?;
    let state = session.look(context, &path).await?;
    project::remember(&path);
    Ok((path, session, state))
}

/// What a command is about to act on, in one line: the stack may have been chosen because it was used last.
pub fn whose(state: &State, path: &Path) -> String {
    format!("In stack {} ({}), account {}, {}:", styled(STRONG, &state.stack), path.display(), state.account_id, state.region)
}

/// What is to be said of a stack without a state.
pub fn never_applied(name: &str) -> CliError {
    CliError::usage(&format!("{name} has never been applied"), "`leoctl apply` makes it")
}

/// The state of a stack, where its file says: the sandbox has states of its own, in files.
pub async fn store(global: &Global, path: &Path, stack: &Stack) -> Result<Box<dyn Store>, CliError> {
    let vault = Arc::new(encryption::vault(global, path, stack).await?);
    store_with(global, path, stack, &vault).await
}

/// The same, encrypted in another way than its file says.
pub async fn store_with(global: &Global, path: &Path, stack: &Stack, vault: &Arc<Vault>) -> Result<Box<dyn Store>, CliError> {
    let wrong = |diagnostics| CliError::Diagnostics { diagnostics, sources: stack.sources.clone() };
    match backend::location(stack).map_err(wrong)? {
        Some(backend) if !global.sandbox => Ok(Box::new(shared(global, &backend).await?.encrypted(vault.clone()))),
        _ => Ok(Box::new(local_store(global, path, &stack.name).encrypted(vault.clone()))),
    }
}

/// The state in a file, whatever the stack file says.
pub fn local_store(global: &Global, path: &Path, name: &str) -> LocalStore {
    let directory = store::directory(path);
    let directory = match (&global.sandbox_in, global.sandbox) {
        (Some(folder), true) => folder.clone(),
        (None, true) => directory.join("sandbox"),
        (_, false) => directory,
    };
    LocalStore::new(&directory, name)
}

/// A state in S3, by its own profile and region.
pub async fn shared(global: &Global, backend: &Backend) -> Result<S3Store, CliError> {
    let location = Location { bucket: backend.bucket.clone(), key: backend.key.clone(), kms_key_id: backend.kms_key_id.clone() };
    let aws = buckets(&settings(global), backend.region.as_deref(), backend.profile.as_deref()).await?;
    Ok(S3Store::new(aws.s3().clone(), &location))
}

/// AWS as the options of every command say it, without a stack.
pub fn settings(global: &Global) -> Settings {
    Settings {
        profile: global.profile.clone(),
        region: global.region.clone(),
        endpoint_url: global.endpoint_url.clone(),
        endpoints: BTreeMap::new(),
        credentials: None,
    }
}

/// AWS in the region of buckets, with the credentials of a profile.
pub async fn buckets(settings: &Settings, region: Option<&str>, profile: Option<&str>) -> Result<Arc<Aws>, CliError> {
    let settings = Settings {
        profile: profile.map(str::to_owned).or_else(|| settings.profile.clone()),
        region: region.map(str::to_owned).or_else(|| settings.region.clone()),
        ..settings.clone()
    };
    let clients = Clients::load(&settings).await?;
    let region = region.map(str::to_owned).or_else(|| clients.default_region()).unwrap_or_else(|| "us-east-1".to_owned());
    Ok(clients.region(&region))
}

/// A stack whose file now names a bucket, while its state is still in a local file, would be made a second time.
async fn not_left_behind(context: &Context, path: &Path, stack: &Stack, store: &dyn Store) -> Result<(), CliError> {
    if stack.config.backend_s3.is_none() || context.global.sandbox {
        return Ok(());
    }
    let here = local_store(&context.global, path, &stack.name);
    // What an old file says, or what it is encrypted with, is of no importance: that it is there is enough.
    if here.saved_at().await?.is_some() && store.load().await?.is_none() {
        return Err(CliError::usage(
            &format!("the stack's state is to be in {}, and is still in {}", store.location(), here.location()),
            "move it with `leoctl state migrate`",
        ));
    }
    Ok(())
}

impl From<&PlanFlags> for Options {
    fn from(flags: &PlanFlags) -> Self {
        Self {
            destroy: flags.destroy,
            targets: flags.targets.clone(),
            excludes: flags.excludes.clone(),
            replace: flags.replace.clone(),
            scale_up: flags.scale_up,
            only: None,
        }
    }
}
