//! leoctl as a library: a stack text, a state in a temporary folder, an emulator.

use std::path::Path;
use std::sync::Arc;

use leoctl::store::LocalStore;
use leoctl::ui;
use leoctl_aws::client::{Clients, Settings};
use leoctl_aws::registry::{self, AwsProvider};
use leoctl_core::engine::apply::{Engine, Report};
use leoctl_core::engine::event::{Event, EventSink};
use leoctl_core::engine::ports::{Operation, Progress, Provider, Store};
use leoctl_core::engine::refresh::{Planned, Planner};
use leoctl_core::model::place::Site;
use leoctl_core::model::state::State;
use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::Plan;
use leoctl_core::stack::vars::Given;
use leoctl_core::stack::{self, Files, Stack};

/// A stack's world.
pub struct World {
    folder: tempfile::TempDir,
    provider: Arc<AwsProvider>,
    name: String,
    /// How many operations run at once.
    pub parallelism: usize,
}

struct Text<'a>(&'a str);

impl Files for Text<'_> {
    fn read(&self, _: &Path) -> Result<String, String> {
        Ok(self.0.to_owned())
    }

    fn read_env(&self, _: &Path) -> Result<Vec<(String, String)>, String> {
        Ok(Vec::new())
    }
}

/// Nobody who listens.
pub struct Nobody;

impl EventSink for Nobody {
    fn emit(&self, _: &Event) {}
}

/// Reads a stack text; its mistakes as they are shown.
pub fn stack(name: &str, region: &str, body: &str) -> Result<Stack, String> {
    let text = format!("[stack]\nname = \"{name}\"\nregion = \"{region}\"\n{body}");
    let loaded = stack::load(Path::new("stack.toml"), &Text(&text), &Given::default(), registry::catalog());
    loaded.stack.ok_or_else(|| ui::diagnostics::render(&loaded.diagnostics, &loaded.sources, false))
}

impl World {
    /// The world of stack `name` on an endpoint.
    pub async fn new(endpoint: &str, name: &str) -> Self {
        let settings = Settings {
            region: Some("us-east-1".to_owned()),
            endpoint_url: Some(endpoint.to_owned()),
            credentials: Some(aws_credential_types::Credentials::new("test", "test", None, None, "test")),
            ..Settings::default()
        };
        let provider = Arc::new(AwsProvider::new(Clients::load(&settings).await.unwrap()));
        Self { folder: tempfile::tempdir().unwrap(), provider, name: name.to_owned(), parallelism: 16 }
    }

    /// The same account with another stack, or with the same one and nothing remembered.
    pub fn beside(&self, name: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            provider: Arc::clone(&self.provider),
            name: name.to_owned(),
            parallelism: self.parallelism,
        }
    }

    /// The same stack a second time, with all that is remembered of it.
    pub fn copied(&self) -> Self {
        let copy = self.beside(&self.name);
        copy.restore(&self.files());
        copy
    }

    /// The files of the state, as they are.
    pub fn files(&self) -> Vec<(std::ffi::OsString, Vec<u8>)> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap());
        entries.filter(|entry| entry.path().is_file()).map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap())).collect()
    }

    /// Puts files of a state in the place of those that are there.
    pub fn restore(&self, files: &[(std::ffi::OsString, Vec<u8>)]) {
        for (name, _) in self.files() {
            std::fs::remove_file(self.folder.path().join(name)).unwrap();
        }
        files.iter().for_each(|(name, bytes)| std::fs::write(self.folder.path().join(name), bytes).unwrap());
    }

    /// A text in which every reference to one attribute of one resource is replaced by what is remembered of it.
    pub async fn literal(&self, text: &str) -> String {
        let Some(state) = self.store().load().await.unwrap() else { return text.to_owned() };
        let mut text = text.to_owned();
        for (address, remembered) in state.resources.iter().filter_map(|(address, known)| Some((address, known.current.as_ref()?))) {
            for (name, value) in remembered.attributes.as_object().into_iter().flatten() {
                if let Some(value) = value.as_str() {
                    text = text.replace(&format!("${{{address}.{name}}}"), value);
                }
            }
        }
        text
    }

    fn store(&self) -> LocalStore {
        LocalStore::new(self.folder.path(), &self.name)
    }

    /// Reads the resources of a stack text.
    pub fn stack(&self, body: &str) -> Result<Stack, String> {
        stack(&self.name, "us-east-1", body)
    }

    /// A plan for a stack text.
    pub async fn planned(&self, body: &str, options: &Options) -> Result<Planned, String> {
        let stack = Arc::new(self.stack(body)?);
        let loaded = self.store().load().await.map_err(|error| error.to_string())?;
        let catalog = registry::catalog();
        let planner = Planner { provider: self.provider.as_ref(), catalog, stack: &stack, refresh: true, options };
        let fresh = |identity: &leoctl_core::stack::scope::Identity| {
            State::new(&self.name, &identity.account_id, &identity.region, "lineage".to_owned(), "salt".to_owned())
        };
        planner.plan(loaded, fresh).await.map_err(|error| format!("{error:?}"))
    }

    /// A plan for a stack text.
    pub async fn plan(&self, body: &str) -> Result<Plan, String> {
        Ok(self.planned(body, &Options::default()).await?.plan)
    }

    /// Applies a stack text; every failure is the error.
    pub async fn apply(&self, body: &str) -> Result<Report, String> {
        let planned = self.planned(body, &Options::default()).await?;
        self.carry_out(planned).await
    }

    /// Deletes everything.
    pub async fn destroy(&self, body: &str) -> Result<Report, String> {
        let planned = self.planned(body, &Options { destroy: true, ..Options::default() }).await?;
        self.carry_out(planned).await
    }

    /// Applies a plan.
    pub async fn carry_out(&self, planned: Planned) -> Result<Report, String> {
        let (_keep, interrupted) = tokio::sync::watch::channel(false);
        let store = self.store();
        let catalog = registry::catalog();
        let engine =
            Engine { provider: self.provider.as_ref(), catalog, store: &store, sink: &Nobody, parallelism: self.parallelism, interrupted };
        let report = engine.apply(planned).await.map_err(|error| error.to_string())?;
        match report.failed.is_empty() {
            true => Ok(report),
            false => {
                let failed =
                    report.failed.iter().map(|(address, _, failure)| format!("{address}: {}", ui::failure::lines(failure).join(" | ")));
                Err(failed.collect::<Vec<_>>().join("\n"))
            }
        }
    }

    /// The id of a resource in the state.
    pub async fn id(&self, address: &str) -> Option<String> {
        let state = self.store().load().await.unwrap()?;
        Some(state.current(&address.parse().unwrap())?.place.id.clone())
    }

    /// An output of the last apply.
    pub async fn output(&self, name: &str) -> Option<serde_json::Value> {
        self.store().load().await.unwrap()?.outputs.get(name).cloned()
    }

    /// Forgets a resource, as if it had never been the stack's.
    pub async fn forget(&self, address: &str) {
        let address: leoctl_core::model::address::Address = address.parse().unwrap();
        let store = self.store();
        let mut state = store.load().await.unwrap().unwrap();
        state.resources.remove(&address);
        state.serial += 1;
        store.save(&state).await.unwrap();
    }

    /// Forgets everything, as if nothing had ever been applied.
    pub async fn forget_all(&self) {
        let store = self.store();
        let mut state = store.load().await.unwrap().unwrap();
        state.resources.clear();
        state.serial += 1;
        store.save(&state).await.unwrap();
    }

    /// Where resources are.
    async fn site(&self) -> Site {
        self.provider.identity(Some("us-east-1")).await.unwrap().site()
    }

    /// Whether a resource of this id exists.
    pub async fn exists(&self, type_name: &str, id: &str) -> bool {
        let handler = self.provider.handler(type_name).unwrap();
        handler.read(&self.site().await, &[id.to_owned()]).await.unwrap().contains_key(id)
    }

    /// Deletes a resource directly, behind the state's back.
    pub async fn delete(&self, type_name: &str, id: &str) -> Result<(), String> {
        let (_keep, interrupted) = tokio::sync::watch::channel(false);
        let timeout = std::time::Duration::from_secs(30);
        let operation = Operation {
            site: self.site().await,
            token: String::new(),
            replaces: None,
            deadline: std::time::Instant::now() + timeout,
            timeout,
            interrupted,
            progress: Progress(Arc::new(|_| {})),
        };
        let handler = self.provider.handler(type_name).unwrap();
        handler.delete(&operation, id, &leoctl_core::model::value::Value::Null).await.map_err(|failure| format!("{failure:?}"))
    }
}

/// What a plan would do, as text, for messages.
pub fn shown(plan: &Plan) -> String {
    anstream::adapter::strip_str(&ui::plan::render(plan, ui::plan::Detail::Full)).to_string()
}

/// Makes the certificate `arn:aws:iam::123456789012:server-certificate/NAME`, which leoctl has no type for. Only
/// some emulators ask for it.
pub async fn upload_certificate(endpoint: &str, name: &str) {
    let client = aws_sdk_iam::Client::new(&super::sdk::config(endpoint, "test").await);
    // Where it cannot be made, what needs it fails.
    let _ = client.upload_server_certificate().server_certificate_name(name).certificate_body("body").private_key("key").send().await;
}
