//! Permissions, by IAM's policy simulator.

use aws_sdk_iam::types::{EvaluationResult, PolicyEvaluationDecisionType};
use futures_util::future::try_join_all;

use crate::client::Aws;
use crate::error::OrFail;
use crate::registry::AwsProvider;
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};
use leoctl_core::model::place::Site;
use leoctl_core::plan::preflight::permission::{Denied, Needed};

/// How many results one answer may have (IAM API Reference, SimulatePrincipalPolicy).
const PAGE: usize = 1000;

/// What of some actions we may not do in an account. The account itself may everything.
pub async fn denied(provider: &AwsProvider, account: &str, needed: &[Needed]) -> Outcome<Denied> {
    let caller = provider.caller(account).ok_or_else(|| Failure::new(FailureKind::Other, "AWS has not said who we are"))?;
    if caller.ends_with(":root") {
        return Ok(Denied::default());
    }
    // IAM is the same in all regions.
    let aws = provider.at(&Site { account: account.to_owned(), region: provider.home().unwrap_or("us-east-1").to_owned() })?;
    let principal = principal(&aws, &caller).await?;
    let asked = needed.iter().flat_map(|one| one.resources.chunks((PAGE / one.actions.len().max(1)).max(1)).map(move |some| (one, some)));
    let answers = asked.map(|(one, some)| {
        let call = aws.iam().simulate_principal_policy().policy_source_arn(&principal);
        let call = call.set_action_names(Some(one.actions.iter().map(|action| (*action).to_owned()).collect()));
        let call = call.set_resource_arns(Some(some.iter().map(|(_, arn)| arn.clone()).collect())).max_items(1000);
        async move { call.send().await.or_fail("iam:SimulatePrincipalPolicy") }
    });
    let answers = try_join_all(answers).await?;
    let actions = answers.iter().flat_map(|answer| answer.evaluation_results()).flat_map(refused).collect();
    Ok(Denied { principal, actions })
}

/// The user or role whose policies count. The ARN of a session does not tell the role's path (IAM User Guide, "IAM
/// identifiers").
async fn principal(aws: &Aws, caller: &str) -> Outcome<String> {
    match caller.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next()) {
        Some(role) => {
            let found = aws.iam().get_role().role_name(role).send().await.or_fail("iam:GetRole")?;
            Ok(found.role().map(|role| role.arn().to_owned()).unwrap_or_default())
        }
        None if caller.contains(":iam:") && caller.contains(":user/") => Ok(caller.to_owned()),
        None => Err(Failure::new(FailureKind::Other, format!("IAM does not simulate the policies of {caller}"))),
    }
}

/// The action and resources of a result that is a denial. One that hangs on a condition nobody can know before is none.
fn refused(result: &EvaluationResult) -> Vec<(String, String)> {
    let is_denied = |decision: &PolicyEvaluationDecisionType| *decision != PolicyEvaluationDecisionType::Allowed;
    let action = result.eval_action_name().to_owned();
    let each = result.resource_specific_results();
    if each.is_empty() {
        let denied = is_denied(result.eval_decision()) && result.missing_context_values().is_empty();
        return result.eval_resource_name().filter(|_| denied).map(|on| (action, on.to_owned())).into_iter().collect();
    }
    let denied = each.iter().filter(|one| is_denied(one.eval_resource_decision()) && one.missing_context_values().is_empty());
    denied.map(|one| (action.clone(), one.eval_resource_name().to_owned())).collect()
}
