//! `leoctl iam-policy`: the least that the role needs that plans, the one that applies, and the one that operates.

use serde_json::json;

use super::args::IamPolicyCommand;
use super::session::Session;
use super::{CliError, Context, Exit, elsewhere, project};
use crate::ops::iam_policy::{self, ATTACHED, Asked, Role};
use crate::ui;
use leoctl_core::plan::select::Options;
use leoctl_core::stack::backend;

/// Prints a role's policy; as a list of policies when one would be too long.
pub async fn run(context: &Context, command: IamPolicyCommand) -> Result<Exit, CliError> {
    let (role, args) = match command {
        IamPolicyCommand::Plan(args) => (Role::Plan, args),
        IamPolicyCommand::Apply(args) => (Role::Apply, args),
        IamPolicyCommand::Operate(args) => (Role::Operate, args),
    };
    let path = project::stack_file(args.stack.as_deref(), context)?;
    let session = Session::open(context, &path).await?;
    // The names are all it takes: what they stand for is not looked at.
    let plan = session.plan(&Options::default(), false).await?.plan;
    let sources = || session.stack.sources.clone();
    let account = args.role.as_deref().and_then(|role| role.strip_prefix("arn:")?.split(':').nth(3));
    if account.is_some_and(|account| account != plan.identity.account_id) {
        let message = format!("the role is of another account than the stack's, {}", plan.identity.account_id);
        return Err(CliError::usage(&message, "name a role of this account, or use the credentials of the other"));
    }
    let backend = backend::location(&session.stack).map_err(|diagnostics| CliError::Diagnostics { diagnostics, sources: sources() })?;
    let others = elsewhere::backends(&session.stack, &path);
    let objects = elsewhere::objects(&session.stack);
    let documents = iam_policy::documents(
        &plan,
        Asked { backend: backend.as_ref(), others: &others, objects: &objects, role, principal: args.role.as_deref() },
    );
    if args.role.is_none() {
        ui::note("Preflight may not check permissions with this: `--role NAME` lets the role ask about itself, and nobody else.");
    }
    project::remember(&path);
    match documents.as_slice() {
        [only] => ui::out(format!("{only:#}")),
        several => {
            ui::out(format!("{:#}", json!(several)));
            ui::note(format!(
                "These are {} policies in a list, as IAM takes no more than {} characters in one.",
                several.len(),
                iam_policy::LIMIT
            ));
            if several.len() > ATTACHED {
                ui::note(format!("A role takes {ATTACHED} policies, unless its quota has been raised: split the stack, or raise it."));
            }
        }
    }
    Ok(Exit::Done)
}
