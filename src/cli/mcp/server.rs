//! The server's side of the protocol: it reads calls and passes them on to the thread that carries them out.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, Implementation, ListToolsResult, PaginatedRequestParams, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::sync::{mpsc, oneshot};

use super::answer;
use super::tools::{self, Call};

/// A call that is to be carried out, and where its answer goes.
pub struct Job {
    /// The call.
    pub call: Call,
    /// Where its answer goes; closed when nobody wants it any more.
    pub reply: oneshot::Sender<CallToolResult>,
}

/// The server.
pub struct Server {
    jobs: mpsc::Sender<Job>,
    allow_apply: bool,
}

impl Server {
    /// One that passes calls on.
    pub fn new(jobs: mpsc::Sender<Job>, allow_apply: bool) -> Self {
        Self { jobs, allow_apply }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("leoctl", env!("CARGO_PKG_VERSION")))
            .with_instructions(tools::INSTRUCTIONS)
    }

    async fn list_tools(&self, _: Option<PaginatedRequestParams>, _: RequestContext<RoleServer>) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::all(self.allow_apply)))
    }

    async fn call_tool(&self, request: CallToolRequestParams, context: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        let call = match Call::read(&request.name, request.arguments, self.allow_apply) {
            Ok(call) => call,
            Err(error) => return Ok(CallToolResult::structured_error(answer::refused(&error)).into()),
        };
        let ends = || ErrorData::internal_error("leoctl ends", None);
        let (reply, answer) = oneshot::channel();
        self.jobs.send(Job { call, reply }).await.map_err(|_| ends())?;
        tokio::select! {
            answer = answer => Ok(answer.map_err(|_| ends())?.into()),
            () = context.ct.cancelled() => Err(ErrorData::internal_error("the call was cancelled", None)),
        }
    }
}
