//! What commands that talk to AWS share: the stack, its state, and AWS itself.

use std::path::Path;
use std::sync::Arc;

use super::args::PlanFlags;
use super::{CliError, Context, project};
use crate::aws::client::{Clients, Settings};
use crate::aws::registry::{self, AwsProvider};
use crate::engine::refresh::{Planned, Planner};
use crate::model::schema::Catalog;
use crate::model::state::State;
use crate::plan::select::Options;
use crate::sandbox::Sandbox;
use crate::stack::Stack;
use crate::store::local::{self, LocalStore};

/// A stack, its state and AWS.
pub struct Session {
    /// The stack.
    pub stack: Arc<Stack>,
    /// Its state.
    pub store: LocalStore,
    /// AWS.
    pub provider: AwsProvider,
    /// The schemas.
    pub catalog: &'static Catalog,
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
        let catalog =
            registry::catalog().map_err(|error| CliError::usage(&error.to_string(), "this leoctl is broken: please report it"))?;
        if let Some(backend) = &stack.config.backend_s3 {
            let diagnostic = crate::stack::diagnostic::Diagnostic::error(&backend.span, "state in S3 is not available in this version")
                .help("leave [stack.backend.s3] out: the state is then a file in state/");
            return Err(CliError::Diagnostics { diagnostics: vec![diagnostic].into(), sources: stack.sources.clone() });
        }
        let store = store(context, path, &stack.name);
        let mut settings = Settings {
            profile: context.global.profile.clone(),
            // Named here, no other place is asked for it.
            region: stack.region.clone().or_else(|| context.global.region.clone()),
            endpoint_url: context.global.endpoint_url.clone(),
            credentials: None,
        };
        if context.global.sandbox {
            let running = Sandbox::open()?.start(&|text| context.say(text))?;
            settings.endpoint_url = Some(running.endpoint());
            settings.credentials = Some(sandbox_credentials());
        }
        let provider = AwsProvider::new(Clients::load(&settings).await);
        Ok(Self { stack: Arc::new(stack), store, provider, catalog })
    }

    /// Makes a plan from the state as it is now.
    pub async fn plan(&self, options: &Options, refresh: bool) -> Result<Planned, CliError> {
        use crate::engine::ports::Store;
        let loaded = self.store.load().await?;
        let planner = Planner { provider: &self.provider, catalog: self.catalog, stack: &self.stack, refresh, options };
        let fresh = |identity: &crate::stack::scope::Identity| {
            let random = || uuid::Uuid::new_v4().to_string();
            State::new(&self.stack.name, &identity.account_id, &identity.region, random(), random())
        };
        planner.plan(loaded, fresh).await.map_err(|error| self.located(error))
    }

    /// An engine error that knows the stack's files.
    fn located(&self, error: crate::engine::EngineError) -> CliError {
        match error {
            crate::engine::EngineError::Diagnostics(diagnostics) => {
                CliError::Diagnostics { diagnostics, sources: self.stack.sources.clone() }
            }
            other => other.into(),
        }
    }
}

/// The state of a stack; the sandbox has states of its own.
pub fn store(context: &Context, path: &Path, name: &str) -> LocalStore {
    let directory = local::directory(path);
    let directory = if context.global.sandbox { directory.join("sandbox") } else { directory };
    LocalStore::new(&directory, name)
}

impl From<&PlanFlags> for Options {
    fn from(flags: &PlanFlags) -> Self {
        Self { destroy: flags.destroy, targets: flags.targets.clone(), excludes: flags.excludes.clone(), replace: flags.replace.clone() }
    }
}
