//! The Language Server Protocol. Whatever takes long happens on a thread of its own, one thing after the other.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc as channel, oneshot};
use tower_lsp_server::jsonrpc::{Error, Result};
use tower_lsp_server::ls_types::{
    CodeActionOptions, CodeActionParams, CodeActionProviderCapability, CodeActionResponse, CompletionOptions, CompletionParams,
    CompletionResponse, DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidChangeWatchedFilesRegistrationOptions,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, DidSaveTextDocumentParams, DocumentFormattingParams, DocumentSymbolParams,
    DocumentSymbolResponse, FileSystemWatcher, GlobPattern, GotoDefinitionParams, GotoDefinitionResponse, Hover, HoverParams,
    HoverProviderCapability, InitializeParams, InitializeResult, InitializedParams, InlayHint, InlayHintParams, Location, OneOf,
    PrepareRenameResponse, ReferenceParams, Registration, RenameOptions, RenameParams, SaveOptions, ServerCapabilities, ServerInfo,
    TextDocumentPositionParams, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions,
    TextEdit, Uri, WorkspaceEdit,
};
use tower_lsp_server::{Client, LanguageServer, LspService, Server as Transport};

use super::Project;
use super::desk::Desk;
use super::documents::Documents;
use super::wire::Published;

/// Room for the deepest expression that is allowed: CEL's parser recurses.
const STACK_SIZE: usize = 64 << 20;
/// What completion is asked for at without a word being typed.
const TRIGGERS: [&str; 6] = [".", "\"", "'", "[", "{", "/"];
/// The files whose changes by others count: stacks and modules, env files, and the states.
const WATCHED: [&str; 3] = ["**/*.toml", "**/*.env*", "**/state/*.json"];

type Task = Box<dyn FnOnce(&mut Desk) + Send>;

/// What the desk is to do.
enum Job {
    /// What somebody waits for, or what such answers are to take note of.
    Ask(Task),
    /// A check, which waits until nobody does.
    Check(Task),
}

struct Server {
    client: Client,
    documents: Documents,
    jobs: mpsc::Sender<Job>,
    published: channel::UnboundedSender<Published>,
}

/// Speaks with an editor until it ends the connection.
///
/// # Errors
/// When there is no thread to be had.
pub async fn serve(input: impl AsyncRead + Unpin, output: impl AsyncWrite, project: Box<dyn Project>) -> std::io::Result<()> {
    let documents = Documents::default();
    let (jobs, waiting) = mpsc::channel::<Job>();
    let of_desk = documents.clone();
    std::thread::Builder::new().name("analysis".to_owned()).stack_size(STACK_SIZE).spawn(move || {
        let mut desk = Desk::new(of_desk, project);
        work(&waiting, &mut desk);
    })?;
    let (published, mut said) = channel::unbounded_channel::<Published>();
    let (service, socket) = LspService::new(|client: Client| {
        let to = client.clone();
        tokio::spawn(async move {
            while let Some(Published { uri, diagnostics, version }) = said.recv().await {
                to.publish_diagnostics(uri, diagnostics, version).await;
            }
        });
        Server { client, documents, jobs, published }
    });
    Transport::new(input, output, socket).serve(service).await;
    Ok(())
}

/// Does what comes in, checks last, until nothing can come any more.
fn work(waiting: &mpsc::Receiver<Job>, desk: &mut Desk) {
    let (mut asked, mut checks) = (VecDeque::<Task>::new(), VecDeque::<Task>::new());
    loop {
        let is_idle = asked.is_empty() && checks.is_empty();
        match if is_idle { waiting.recv().ok() } else { waiting.try_recv().ok() } {
            Some(Job::Ask(task)) => asked.push_back(task),
            Some(Job::Check(task)) => checks.push_back(task),
            None => match asked.pop_front().or_else(|| checks.pop_front()) {
                Some(task) => task(desk),
                None => return,
            },
        }
    }
}

impl Server {
    /// Has the desk answer something. Nothing is done for who does not wait for it any more.
    async fn ask<T: Send + 'static>(&self, question: impl FnOnce(&mut Desk) -> T + Send + 'static) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let task: Task = Box::new(move |desk| {
            if !answer.is_closed() {
                // Who asked may have gone while it was answered.
                drop(answer.send(question(desk)));
            }
        });
        self.jobs.send(Job::Ask(task)).map_err(|_| Error::internal_error())?;
        answered.await.map_err(|_| Error::internal_error())
    }

    /// Has a text checked, unless there is a newer one by then.
    fn check(&self, path: PathBuf, version: Option<i32>) {
        let (documents, published) = (self.documents.clone(), self.published.clone());
        let changed = path.clone();
        let note: Task = Box::new(move |desk| desk.changed(&changed));
        let check: Task = Box::new(move |desk| {
            let is_past = documents.get(&path).is_some_and(|now| version.is_some_and(|version| now.version > version));
            if !is_past {
                // Nobody is there to be told once the connection has ended.
                desk.diagnose(&path).into_iter().for_each(|one| drop(published.send(one)));
            }
        });
        // The desk is gone only when the connection is.
        drop(self.jobs.send(Job::Ask(note)).and_then(|()| self.jobs.send(Job::Check(check))));
    }

    /// Has everything that is open checked again.
    fn check_all(&self) {
        drop(self.jobs.send(Job::Ask(Box::new(Desk::all_changed))));
        self.documents.paths().into_iter().for_each(|path| self.check(path, None));
    }
}

/// The path of a file; nothing of what is no file.
fn path(uri: &Uri) -> Option<PathBuf> {
    if !uri.as_str().starts_with("file:") {
        return None;
    }
    uri.to_file_path().map(|path| leoctl_core::stack::files::normalize(&path)).filter(|path| path != Path::new(""))
}

/// A document that is no file.
fn no_file(uri: &Uri) -> Error {
    Error::invalid_params(format!("{} is no file", uri.as_str()))
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::FULL),
            save: Some(TextDocumentSyncSaveOptions::SaveOptions(SaveOptions { include_text: Some(false) })),
            ..TextDocumentSyncOptions::default()
        })),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(TRIGGERS.map(str::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions::default())),
        document_formatting_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions { prepare_provider: Some(true), work_done_progress_options: Default::default() })),
        inlay_hint_provider: Some(OneOf::Left(true)),
        ..ServerCapabilities::default()
    }
}

impl LanguageServer for Server {
    async fn initialize(&self, _: InitializeParams) -> Result<InitializeResult> {
        let server_info = ServerInfo { name: "leoctl".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) };
        Ok(InitializeResult { capabilities: capabilities(), server_info: Some(server_info), ..InitializeResult::default() })
    }

    async fn initialized(&self, _: InitializedParams) {
        let watchers = WATCHED.map(|glob| FileSystemWatcher { glob_pattern: GlobPattern::String(glob.to_owned()), kind: None }).to_vec();
        let options = serde_json::to_value(DidChangeWatchedFilesRegistrationOptions { watchers }).ok();
        let method = "workspace/didChangeWatchedFiles".to_owned();
        let registration = Registration { id: "files".to_owned(), method, register_options: options };
        let client = self.client.clone();
        // An editor that cannot watch files says so: what is saved in it counts all the same.
        tokio::spawn(async move { drop(client.register_capability(vec![registration]).await) });
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        let Some(path) = path(&document.uri) else { return };
        self.documents.opened(path.clone(), document.version, &document.text);
        self.check(path, Some(document.version));
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let version = params.text_document.version;
        // Whole texts are sent, of which the last counts.
        let Some((path, change)) = path(&params.text_document.uri).zip(params.content_changes.last()) else { return };
        self.documents.changed(path.clone(), version, &change.text);
        self.check(path, Some(version));
    }

    async fn did_save(&self, _: DidSaveTextDocumentParams) {
        self.check_all();
    }

    async fn did_change_watched_files(&self, _: DidChangeWatchedFilesParams) {
        self.check_all();
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        let Some(path) = path(&params.text_document.uri) else { return };
        self.documents.closed(&path);
        self.check(path, None);
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let (path, at) = place(params.text_document_position)?;
        self.ask(move |desk| desk.complete(&path, at)).await
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let (path, at) = place(params.text_document_position_params)?;
        self.ask(move |desk| desk.hover(&path, at)).await
    }

    async fn goto_definition(&self, params: GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>> {
        let (path, at) = place(params.text_document_position_params)?;
        let found = self.ask(move |desk| desk.definition(&path, at)).await?;
        Ok(found.filter(|found| !found.is_empty()).map(GotoDefinitionResponse::Array))
    }

    async fn references(&self, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
        let with_declaration = params.context.include_declaration;
        let (path, at) = place(params.text_document_position)?;
        self.ask(move |desk| desk.references(&path, at, with_declaration)).await
    }

    async fn document_symbol(&self, params: DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>> {
        let path = file(&params.text_document.uri)?;
        Ok(self.ask(move |desk| desk.symbols(&path)).await?.map(DocumentSymbolResponse::Nested))
    }

    async fn prepare_rename(&self, params: TextDocumentPositionParams) -> Result<Option<PrepareRenameResponse>> {
        let (path, at) = place(params)?;
        Ok(self.ask(move |desk| desk.renamable(&path, at)).await?.map(PrepareRenameResponse::Range))
    }

    async fn rename(&self, params: RenameParams) -> Result<Option<WorkspaceEdit>> {
        let (path, at) = place(params.text_document_position)?;
        self.ask(move |desk| desk.rename(&path, at, &params.new_name)).await?.map_err(Error::invalid_params)
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let path = file(&params.text_document.uri)?;
        self.ask(move |desk| desk.actions(&path, params.range)).await
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        let path = file(&params.text_document.uri)?;
        self.ask(move |desk| desk.hints(&path, params.range)).await
    }

    async fn formatting(&self, params: DocumentFormattingParams) -> Result<Option<Vec<TextEdit>>> {
        let path = file(&params.text_document.uri)?;
        self.ask(move |desk| desk.format(&path)).await
    }
}

fn file(uri: &Uri) -> Result<PathBuf> {
    path(uri).ok_or_else(|| no_file(uri))
}

fn place(params: TextDocumentPositionParams) -> Result<(PathBuf, tower_lsp_server::ls_types::Position)> {
    Ok((file(&params.text_document.uri)?, params.position))
}
