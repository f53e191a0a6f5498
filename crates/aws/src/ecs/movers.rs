//! Services of a whole region, to find out whose deployments have moved the requests of a listener or a rule: the service may be
//! another stack's.

use std::collections::BTreeMap;

use aws_sdk_ecs::types as api;
use futures_util::future::try_join_all;

use super::controller;
use super::service::EcsService;
use crate::client::Aws;
use crate::error::OrFail;
use leoctl_core::engine::ports::{FailureKind, Outcome};
use leoctl_core::model::value::Value;
use leoctl_core::plan::desired::Governor;

/// What finding them out takes of IAM.
pub const ASKED: &[&str] = &["ecs:DescribeServices", "ecs:ListClusters", "ecs:ListServices"];

/// Services that one call describes (ECS API Reference, DescribeServices).
const DESCRIBED: usize = 10;

/// Whose deployments move the requests of these listeners or rules, where it may be asked.
///
/// # Errors
/// When AWS fails to answer.
pub async fn of(aws: &Aws, type_name: &str, ids: &[String]) -> Outcome<BTreeMap<String, Vec<Governor>>> {
    let services = match services(aws).await {
        Err(failure) if failure.kind == FailureKind::Denied => return Ok(BTreeMap::new()),
        services => services?,
    };
    Ok(named(&services, type_name, ids))
}

fn named(services: &[api::Service], type_name: &str, ids: &[String]) -> BTreeMap<String, Vec<Governor>> {
    let mut named: BTreeMap<String, Vec<Governor>> = BTreeMap::new();
    for (arn, service) in services.iter().map(EcsService::from_api) {
        let live = serde_json::to_value(service).map(Value::from).unwrap_or(Value::Null);
        for governs in controller::governs(&live).into_iter().filter(|governs| governs.type_name == type_name) {
            if let Some(id) = governs.id.filter(|id| ids.contains(id)) {
                named.entry(id).or_default().push(Governor { among: governs.among, by: format!("{} for {arn}", governs.by) });
            }
        }
    }
    named
}

async fn services(aws: &Aws) -> Outcome<Vec<api::Service>> {
    let mut pages = aws.ecs().list_clusters().into_paginator().send();
    let mut clusters = Vec::new();
    while let Some(page) = pages.next().await {
        clusters.extend(page.or_fail("ecs:ListClusters")?.cluster_arns.unwrap_or_default());
    }
    let found = try_join_all(clusters.iter().map(|cluster| services_of(aws, cluster))).await?;
    Ok(found.into_iter().flatten().collect())
}

async fn services_of(aws: &Aws, cluster: &str) -> Outcome<Vec<api::Service>> {
    let mut pages = aws.ecs().list_services().cluster(cluster).max_results(100).into_paginator().send();
    let mut arns = Vec::new();
    while let Some(page) = pages.next().await {
        arns.extend(page.or_fail("ecs:ListServices")?.service_arns.unwrap_or_default());
    }
    let described = arns.chunks(DESCRIBED).map(async |some| {
        let call = aws.ecs().describe_services().cluster(cluster).set_services(Some(some.to_vec()));
        Ok(call.send().await.or_fail("ecs:DescribeServices")?.services.unwrap_or_default())
    });
    Ok(try_join_all(described).await?.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_of_another_stack_moves_the_requests_of_the_rule_it_names() {
        let rule = "arn:aws:elasticloadbalancing:r:1:listener-rule/app/lb/1/2/3";
        let advanced = api::AdvancedConfiguration::builder().alternate_target_group_arn("green").production_listener_rule(rule);
        let balancer = api::LoadBalancer::builder().target_group_arn("blue").advanced_configuration(advanced.build()).build();
        let service = api::Service::builder().service_arn("arn:aws:ecs:r:1:service/c/web").load_balancers(balancer).build();
        let found = named(std::slice::from_ref(&service), "lb_listener_rule", &[rule.to_owned()]);
        assert_eq!(
            found[rule],
            [Governor { among: vec!["blue".to_owned(), "green".to_owned()], by: "ECS for arn:aws:ecs:r:1:service/c/web".to_owned() }]
        );
        assert!(named(&[service], "lb_listener_rule", &["arn:other".to_owned()]).is_empty());
    }
}
