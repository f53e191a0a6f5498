//! `leoctl iam-policy`: the least that the role needs that plans, the one that applies, and the one that operates.

use serde_json::{Map, Value as Json, json};

use super::args::IamPolicyCommand;
use super::session::Session;
use super::{CliError, Context, Exit, elsewhere, encryption, project};
use crate::ops::iam_policy::{self, ATTACHED, Asked, Role, trust};
use crate::ui;
use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::Plan;
use leoctl_core::stack::accounts::{self, Accounts};
use leoctl_core::stack::backend;

/// Prints a role's policy; as a list of policies when one would be too long, and as a table where there are several accounts.
pub async fn run(context: &Context, command: IamPolicyCommand) -> Result<Exit, CliError> {
    let (role, args) = match command {
        IamPolicyCommand::Plan(args) => (Role::Plan, args),
        IamPolicyCommand::Apply(args) => (Role::Apply, args),
        IamPolicyCommand::Operate(args) => (Role::Operate, args),
    };
    let path = project::stack_file(args.stack.as_deref(), context)?;
    let session = Session::open(context, &path).await?;
    session.provider.accounts().believe_arns();
    // The names are all it takes: what they stand for is not looked at.
    let plan = session.plan(&Options::default(), false).await?.plan;
    let wrong = |diagnostics| CliError::Diagnostics { diagnostics, sources: session.stack.sources.clone() };
    let accounts = accounts::accounts(&session.stack).map_err(wrong)?;
    let own = match accounts.own.role_arn {
        None => plan.identity.account_id.clone(),
        Some(_) => session.provider.accounts().configured().await.map_err(|failure| CliError::aws("asking AWS who we are", failure))?,
    };
    let account = args.role.as_deref().and_then(|role| role.strip_prefix("arn:")?.split(':').nth(3));
    if account.is_some_and(|account| account != own) {
        let message = format!("the role is of another account than that of who starts leoctl, {own}");
        return Err(CliError::usage(&message, "name a role of this account, or use the credentials of the other"));
    }
    let backend = backend::location(&session.stack).map_err(wrong)?;
    let encryption = encryption::written(&session.stack)?;
    let others = elsewhere::backends(&session.stack, &path);
    let other_keys = elsewhere::kms_keys(&session.stack, &path);
    let objects = elsewhere::objects(&session.stack);
    let asked = Asked {
        account: &own,
        roles: &[],
        only_roles: false,
        backend: backend.as_ref(),
        encryption: encryption.as_ref(),
        others: &others,
        other_keys: &other_keys,
        objects: &objects,
        role,
        principal: args.role.as_deref(),
    };
    if args.role.is_none() {
        ui::note("Preflight may not check permissions with this: `--role NAME` lets the role ask about itself, and nobody else.");
    }
    project::remember(&path);
    if accounts.own.role_arn.is_some() || !plan.identity.accounts.is_empty() {
        ui::out(format!("{:#}", of_accounts(&plan, &accounts, asked)));
        return Ok(Exit::Done);
    }
    match iam_policy::documents(&plan, asked).as_slice() {
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

/// The policies of each account that is needed, and of who starts leoctl.
fn of_accounts(plan: &Plan, accounts: &Accounts, asked: Asked<'_>) -> Json {
    let identity = plan.identity.within(asked.account);
    let principal = match asked.principal {
        Some(named) => iam_policy::principal_arn(named, &identity),
        None => format!("arn:{}:iam::{}:root", identity.partition, identity.account_id),
    };
    let needed: Vec<&str> = plan.identity.accounts.keys().map(String::as_str).collect();
    let roles = trust::assumed_by_principal(accounts, &needed);
    let only_roles = accounts.own.role_arn.is_some();
    let mut all = Map::new();
    let own = iam_policy::documents(plan, Asked { roles: &roles, only_roles, ..asked });
    all.insert("principal".to_owned(), json!({ "account": asked.account, "arn": asked.principal.map(|_| &principal), "policies": own }));
    // What is beside AWS, such as the state, is read by who starts leoctl.
    let inside =
        Asked { backend: None, encryption: None, others: &[], other_keys: &[], objects: &[], principal: None, only_roles: false, ..asked };
    if accounts.own.role_arn.is_some() {
        let account = plan.identity.account_id.as_str();
        let policies = iam_policy::documents(plan, Asked { account, principal: accounts.own.role_arn.as_deref(), ..inside });
        let trust = trust::trust(accounts, &accounts.own, &principal);
        let role = &accounts.own.role_arn;
        all.insert("stack".to_owned(), json!({ "account": account, "role_arn": role, "policies": policies, "trust_policy": trust }));
    }
    let named = accounts.named.iter().filter(|(name, _)| trust::is_needed(accounts, &needed, name));
    let named = named.map(|(name, access)| {
        let site = plan.identity.accounts.get(name);
        let by_role = || accounts::account_of_role(access.role_arn.as_deref()?);
        let account = site.map(|site| site.account.as_str()).or_else(by_role).unwrap_or_default();
        let roles = trust::assumed_from(accounts, &needed, name);
        // One that only leads to others takes nothing itself.
        let policies = iam_policy::documents(
            plan,
            Asked { account, roles: &roles, principal: access.role_arn.as_deref(), only_roles: site.is_none(), ..inside },
        );
        let trust = trust::trust(accounts, access, &principal);
        (name.clone(), json!({ "account": account, "role_arn": access.role_arn, "policies": policies, "trust_policy": trust }))
    });
    all.insert("accounts".to_owned(), Json::Object(named.collect()));
    Json::Object(all)
}
