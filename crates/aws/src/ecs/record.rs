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
/// Most records that are described in one call (ECS API Reference, DescribeServiceDeployments).
const AT_ONCE: usize = 20;

/// Where ECS's record of a deployment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordArn {
    /// Its ARN.
    pub arn: String,
    /// Whether it says that it is of the revision that was asked for.
    pub exact: bool,
}

/// Where ECS's record of the deployment of a service's revision is, which has its verdict; that of the newest one where the
/// revision is not known or none of its records says one. There is none of a service whose deployments ECS does not control;
/// without the permission to read it the service's own account has to do.
///
/// # Errors
/// When AWS fails otherwise.
pub async fn arn_of(aws: &Aws, cluster: &str, service: &str, revision: Option<&str>) -> Outcome<Option<RecordArn>> {
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
    Ok(picked(listed, revision))
}

/// ECS's records with these ARNs, as many as there are and may be read.
///
/// # Errors
/// When AWS fails otherwise.
pub async fn described(aws: &Aws, arns: &[String]) -> Outcome<Vec<api::ServiceDeployment>> {
    let mut records = Vec::new();
    for some in arns.chunks(AT_ONCE) {
        let described = aws.ecs().describe_service_deployments().set_service_deployment_arns(Some(some.to_vec())).send().await;
        let described = described.or_fail("ecs:DescribeServiceDeployments").or_absent().or_else(allowed)?;
        records.extend(described.and_then(|described| described.service_deployments).unwrap_or_default());
    }
    Ok(records)
}

/// ECS's record of the deployment of a service's revision: see [`arn_of`].
pub(super) async fn record(aws: &Aws, cluster: &str, service: &str, revision: Option<&str>) -> Outcome<Option<api::ServiceDeployment>> {
    let Some(RecordArn { arn, .. }) = arn_of(aws, cluster, service, revision).await? else { return Ok(None) };
    let found = described(aws, std::slice::from_ref(&arn)).await?;
    Ok(found.into_iter().find(|one| one.service_deployment_arn() == Some(&arn)))
}

fn is_of(brief: &api::ServiceDeploymentBrief, revision: &str) -> bool {
    brief.target_service_revision_arn().and_then(number) == Some(revision)
}

/// Which of these records is the one of a revision: the newest, where there are several.
fn picked(listed: Vec<api::ServiceDeploymentBrief>, revision: Option<&str>) -> Option<RecordArn> {
    let newest = |all: Vec<api::ServiceDeploymentBrief>| {
        all.into_iter().max_by_key(|brief| brief.created_at().map(aws_smithy_types::DateTime::secs))
    };
    let (ours, others): (Vec<_>, Vec<_>) = listed.into_iter().partition(|brief| revision.is_some_and(|revision| is_of(brief, revision)));
    let exact = newest(ours).map(|brief| (brief, true));
    let (brief, exact) = exact.or_else(|| newest(others).map(|brief| (brief, false)))?;
    Some(RecordArn { arn: brief.service_deployment_arn?, exact })
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
        let is = |arn: &str, exact: bool| Some(RecordArn { arn: arn.to_owned(), exact });
        assert_eq!(picked(all(), Some("7")), is("arn:7:20", true));
        assert_eq!(picked(all(), None), is("arn:8:30", false));
        assert_eq!(picked(Vec::new(), Some("7")), None);
    }
}
