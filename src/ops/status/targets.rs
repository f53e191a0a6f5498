//! Target groups: which targets load balancers find healthy, and why not the others.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types as api;
use futures_util::future::try_join_all;
use serde::Serialize;
use serde_json::Value as Json;

use crate::ops::Deployed;
use crate::ops::kind::Kind;
use leoctl_aws::client::Aws;
use leoctl_aws::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::address::Address;
use leoctl_core::model::place::Site;

/// A target group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetGroup {
    /// Its address; none when it is not the stack's.
    pub address: Option<Address>,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The services whose tasks are its targets.
    pub services: Vec<Address>,
    /// Its targets.
    pub targets: Vec<Target>,
}

/// A target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Target {
    /// An address or an instance's id.
    pub id: String,
    /// Its port.
    pub port: Option<i32>,
    /// `healthy`, `unhealthy`, `initial`, `draining`, `unused` or `unavailable`.
    pub state: String,
    /// AWS's code for why it is not healthy.
    pub code: Option<String>,
    /// The same in words.
    pub reason: Option<String>,
}

/// A target group to ask about.
struct Asked {
    site: Site,
    address: Option<Address>,
    services: Vec<Address>,
}

/// The health of the stack's target groups, and of those its services register tasks in.
///
/// # Errors
/// When AWS refuses.
pub async fn read(deployed: &Deployed<'_>) -> Outcome<Vec<TargetGroup>> {
    health_of(deployed, &asked(deployed)).await
}

/// The health of the target groups that these services register tasks in.
///
/// # Errors
/// When AWS refuses.
pub async fn of(deployed: &Deployed<'_>, services: &[&Address]) -> Outcome<Vec<TargetGroup>> {
    let mut groups = asked(deployed);
    groups.retain(|_, asked| asked.services.iter().any(|service| services.contains(&service)));
    health_of(deployed, &groups).await
}

async fn health_of(deployed: &Deployed<'_>, groups: &BTreeMap<String, Asked>) -> Outcome<Vec<TargetGroup>> {
    let groups = groups.iter().map(async |(arn, asked)| {
        let targets = health(deployed.provider.at(&asked.site)?.as_ref(), arn).await?;
        let (address, services) = (asked.address.clone(), asked.services.clone());
        Ok(TargetGroup { address, name: name(arn).to_owned(), arn: arn.clone(), services, targets })
    });
    try_join_all(groups).await
}

fn asked(deployed: &Deployed<'_>) -> BTreeMap<String, Asked> {
    let own = deployed.current(Kind::TargetGroup).map(|(address, group)| {
        (group.place.id.clone(), Asked { site: group.place.site(), address: Some(address.clone()), services: Vec::new() })
    });
    let mut groups: BTreeMap<String, Asked> = own.collect();
    for (address, service) in deployed.current(Kind::Service) {
        let balancers = service.attributes.get("load_balancers").and_then(Json::as_array).into_iter().flatten();
        for arn in balancers.filter_map(|balancer| balancer.get("target_group_arn")?.as_str()) {
            let new = || Asked { site: service.place.site(), address: None, services: Vec::new() };
            groups.entry(arn.to_owned()).or_insert_with(new).services.push(address.clone());
        }
    }
    groups
}

/// `arn:…:targetgroup/NAME/ID`.
fn name(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or(arn)
}

/// The targets of a group; none when it is gone.
async fn health(aws: &Aws, arn: &str) -> Outcome<Vec<Target>> {
    let call = aws.elb().describe_target_health().target_group_arn(arn);
    let found = call.send().await.or_fail("elasticloadbalancing:DescribeTargetHealth").or_absent()?;
    let found = found.and_then(|found| found.target_health_descriptions).unwrap_or_default();
    Ok(found.iter().map(from_api).collect())
}

fn from_api(found: &api::TargetHealthDescription) -> Target {
    let health = found.target_health();
    let code = health.and_then(|health| health.reason()).map(|reason| reason.as_str().to_owned());
    let description = health.and_then(|health| health.description());
    let reason = match (code.as_deref().and_then(words), description) {
        // What AWS adds to the code has the number that was answered.
        (Some(words), Some(said)) if code.as_deref() == Some("Target.ResponseCodeMismatch") => Some(format!("{words} ({said})")),
        (Some(words), _) => Some(words.to_owned()),
        (None, said) => said.map(str::to_owned).or_else(|| code.clone()),
    };
    Target {
        id: found.target().and_then(|target| target.id()).unwrap_or_default().to_owned(),
        port: found.target().and_then(|target| target.port()),
        state: health.and_then(|health| health.state()).map_or("unavailable", api::TargetHealthStateEnum::as_str).to_owned(),
        code,
        reason,
    }
}

/// What a reason code says (ELBv2 API Reference, TargetHealth).
fn words(code: &str) -> Option<&'static str> {
    Some(match code {
        "Elb.RegistrationInProgress" => "it is being registered",
        "Elb.InitialHealthChecking" => "its first health checks are under way",
        "Elb.InternalError" => "the load balancer has an error of its own",
        "Target.ResponseCodeMismatch" => "the health check is answered with another code than the expected one",
        "Target.Timeout" => "the health check is not answered in time: is the port right, and does the security group let it in?",
        "Target.FailedHealthChecks" => "no connection to it, or an answer that cannot be read: does the container listen on this port?",
        "Target.NotRegistered" => "it is not registered",
        "Target.NotInUse" => "no listener uses the target group, or the load balancer is not in the target's zone",
        "Target.InvalidState" => "the instance is stopped or terminated",
        "Target.IpUnusable" => "a load balancer has this address",
        "Target.DeregistrationInProgress" => "it is leaving, and finishes what it is at",
        "Target.HealthCheckDisabled" => "the target group has no health checks",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(state: &str, code: Option<&str>, said: Option<&str>) -> Target {
        let health = api::TargetHealth::builder().state(api::TargetHealthStateEnum::from(state));
        let health = health.set_reason(code.map(api::TargetHealthReasonEnum::from)).set_description(said.map(str::to_owned)).build();
        let target = api::TargetDescription::builder().id("10.0.0.1").port(80).build();
        from_api(&api::TargetHealthDescription::builder().target(target).target_health(health).build())
    }

    #[test]
    fn reasons_are_words_and_a_new_code_is_shown_as_it_is() {
        let wrong = target("unhealthy", Some("Target.ResponseCodeMismatch"), Some("Health checks failed with these codes: [502]"));
        assert!(wrong.reason.unwrap().ends_with("the expected one (Health checks failed with these codes: [502])"));
        assert_eq!(target("unhealthy", Some("Target.Novel"), None).reason.as_deref(), Some("Target.Novel"));
        assert_eq!(target("healthy", None, None).reason, None);
        assert_eq!(name("arn:aws:elasticloadbalancing:r:1:targetgroup/web/0123"), "web");
    }
}
