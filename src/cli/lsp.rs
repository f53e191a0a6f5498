//! `leoctl lsp`: the language server over stdin and stdout.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use futures_util::FutureExt;

use super::args::Global;
use super::stdio::{self, Output};
use super::{CliError, Context, Exit, encryption, project};
use crate::lsp::{Project, server};
use crate::store::{self, LocalStore};
use leoctl_aws::{cloud_control, registry};
use leoctl_core::engine::ports::Store;
use leoctl_core::model::schema::Catalog;
use leoctl_core::model::state::State;
use leoctl_core::stack::vars::Given;
use leoctl_core::stack::{Files, Stack};

/// Serves an editor until it hangs up.
pub async fn run(context: &Context) -> Result<Exit, CliError> {
    let failed = |error: io::Error| CliError::usage(&format!("cannot start: {error}"), "the system refuses threads: free some resources");
    let (input, output) = (stdio::input().map_err(failed)?, Output::start().map_err(failed)?);
    let given = project::given(&context.global)?;
    let global = context.global.clone();
    server::serve(input, output.stream, Box::new(Here { given, global })).await.map_err(failed)?;
    // What has been said is still on its way.
    drop(output.written.await);
    Ok(Exit::Done)
}

/// The projects on this disk.
struct Here {
    given: Given,
    global: Global,
}

static FURTHER: LazyLock<Vec<&'static str>> = LazyLock::new(|| cloud_control::type_names().collect());

impl Project for Here {
    fn catalog(&self) -> &'static Catalog {
        registry::catalog()
    }

    fn further_types(&self) -> &[&'static str] {
        &FURTHER
    }

    fn stacks(&self, file: &Path) -> Vec<PathBuf> {
        let folder = file.ancestors().skip(1).map(|above| above.join("stacks")).find(|folder| folder.is_dir());
        let entries = folder.map(fs::read_dir).into_iter().flatten().flatten().flatten();
        let mut stacks: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| is_toml(path)).collect();
        stacks.sort();
        stacks
    }

    fn files(&self, root: &Path, is_module: bool) -> Box<dyn Files> {
        project::files(root, is_module)
    }

    fn given(&self) -> Given {
        self.given.clone()
    }

    fn state(&self, stack_file: &Path, stack: &Stack) -> Option<State> {
        if stack.config.backend_s3.is_some() || stack.name.is_empty() {
            return None;
        }
        // Without its keys, what is encrypted is not read. One that cannot be read is of no use here, and other commands say why.
        let vault = encryption::vault_of_files(&self.global, stack_file, stack).ok().flatten().unwrap_or_default();
        let store = LocalStore::new(&store::directory(stack_file), &stack.name).encrypted(Arc::new(vault));
        // Reading a file waits for nothing.
        let mut state = store.load().now_or_never()?.ok()??;
        stack.hide_in(&mut state, registry::catalog());
        Some(state)
    }

    fn entries(&self, folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let shown = entries.filter_map(|entry| {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            match path.is_dir() {
                _ if name.starts_with('.') => None,
                true => Some(format!("{name}/")),
                false => is_toml(&path).then_some(name),
            }
        });
        let mut shown: Vec<String> = shown.collect();
        shown.sort();
        shown
    }
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}
