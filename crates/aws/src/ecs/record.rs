//! ECS's records of a service's deployments, which have their verdicts.

use aws_sdk_ecs::types as api;

use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::{Failure, FailureKind, Outcome};

/// What a deployment's id and the ARN of a service's revision end with.
pub(super) fn number(id: &str) -> Option<&str> {
    id.rsplit_once('/').map(|(_, number)| number).filter(|number| number.chars().all(|c| c.is_ascii_digit()))
}

/// Most pages of records that are looked through for that of one deployment.
const PAGES: usize = 5;

/// ECS's record of the deployment of a service's revision, which has its verdict; of the newest one where the revision is not
/// known or none of its records says one. There is none of a service whose deployments ECS does not control; without the
/// permission to read it the service's own account has to do.
pub(super) async fn record(aws: &Aws, cluster: &str, service: &str, revision: Option<&str>) -> Outcome<Option<api::ServiceDeployment>> {
    let (mut listed, mut page) = (Vec::new(), None);
    for _ in 0..PAGES {
        let list = aws.ecs().list_service_deployments().cluster(cluster).service(service).set_next_token(page).send().await;
        let Some(found) = list.or_fail("ecs:ListServiceDeployments").or_absent().or_else(allowed)? else { break };
        listed.extend(found.service_deployments.unwrap_or_default());
        page = found.next_token.filter(|_| revision.is_some_and(|revision| !listed.iter().any(|brief| is_of(brief, revision))));
        if page.is_none() {
            break;
        }
    }
    let Some(arn) = picked(listed, revision) else { return Ok(None) };
    let described = aws.ecs().describe_service_deployments().service_deployment_arns(&arn).send().await;
    let described = described.or_fail("ecs:DescribeServiceDeployments").or_absent().or_else(allowed)?;
    Ok(described
        .and_then(|described| described.service_deployments)
        .and_then(|all| all.into_iter().find(|one| one.service_deployment_arn() == Some(&arn))))
}

fn is_of(brief: &api::ServiceDeploymentBrief, revision: &str) -> bool {
    brief.target_service_revision_arn().and_then(number) == Some(revision)
}

/// Which of these records is the one of a revision: the newest, where there are several.
fn picked(listed: Vec<api::ServiceDeploymentBrief>, revision: Option<&str>) -> Option<String> {
    let newest = |all: Vec<api::ServiceDeploymentBrief>| {
        all.into_iter().max_by_key(|brief| brief.created_at().map(aws_smithy_types::DateTime::secs))
    };
    let (ours, others): (Vec<_>, Vec<_>) = listed.into_iter().partition(|brief| revision.is_some_and(|revision| is_of(brief, revision)));
    newest(ours).or_else(|| newest(others))?.service_deployment_arn
}

/// Nothing instead of what may not be read.
fn allowed<T>(failure: Failure) -> Outcome<Option<T>> {
    if failure.kind == FailureKind::Denied { Ok(None) } else { Err(failure) }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::DateTime;

    use super::*;

    #[test]
    fn the_record_of_a_deployment_is_the_one_of_its_revision_and_not_just_the_newest() {
        let brief = |number: u32, at: i64| {
            let brief = api::ServiceDeploymentBrief::builder().service_deployment_arn(format!("arn:{number}:{at}"));
            brief
                .target_service_revision_arn(format!("arn:aws:ecs:r:1:service-revision/c/s/{number}"))
                .created_at(DateTime::from_secs(at))
                .build()
        };
        let all = || vec![brief(7, 10), brief(8, 30), brief(7, 20)];
        assert_eq!(picked(all(), Some("7")).as_deref(), Some("arn:7:20"));
        assert_eq!(picked(all(), None).as_deref(), Some("arn:8:30"));
        assert_eq!(picked(Vec::new(), Some("7")), None);
    }
}
