//! The load balancer, what it listens on, and whom it takes for healthy.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, IpAddressType, Listener, LoadBalancer, LoadBalancerSchemeEnum, LoadBalancerTypeEnum, ProtocolEnum,
    RedirectActionStatusCodeEnum, TargetGroup, TargetTypeEnum,
};

use super::{CERTIFICATE, Form, network};
use crate::support::live::{Live, sorted};

pub async fn holds(live: &Live, form: &Form) {
    load_balancer_holds(live).await;
    let target = target_group(live).await;
    target_group_takes_tasks(live, &target);
    target_group_asks_for_health(&target);
    target_group_is_sticky(live).await;
    match form.https {
        true => listeners_lead_to_https(live).await,
        false => listener_serves_plain_http(live).await,
    }
}

/// The load balancer.
pub async fn load_balancer(live: &Live) -> LoadBalancer {
    let found = live.elb.describe_load_balancers().load_balancer_arns(live.id("lb.main")).send().await.unwrap();
    found.load_balancers()[0].clone()
}

async fn load_balancer_holds(live: &Live) {
    let found = load_balancer(live).await;
    assert_eq!(found.r#type(), Some(&LoadBalancerTypeEnum::Application));
    assert_eq!(found.scheme(), Some(&LoadBalancerSchemeEnum::InternetFacing));
    assert_eq!(found.ip_address_type(), Some(&IpAddressType::Dualstack));
    assert_eq!(found.security_groups(), [live.id("security_group.alb")]);
    let subnets = found.availability_zones().iter().map(|zone| zone.subnet_id().unwrap());
    assert_eq!(sorted(subnets), sorted(network::subnets(live)));
    let request = live.elb.describe_load_balancer_attributes().load_balancer_arn(live.id("lb.main"));
    let answer = request.send().await.unwrap();
    let attributes: BTreeMap<_, _> = answer.attributes().iter().map(|one| (one.key().unwrap(), one.value().unwrap())).collect();
    assert_eq!(attributes["deletion_protection.enabled"], "false");
}

async fn target_group(live: &Live) -> TargetGroup {
    let found = live.elb.describe_target_groups().target_group_arns(live.id("lb_target_group.app")).send().await.unwrap();
    found.target_groups()[0].clone()
}

/// Fargate tasks are known by their address.
fn target_group_takes_tasks(live: &Live, group: &TargetGroup) {
    assert_eq!(group.target_group_name(), Some("OrchestratorTargetGroup"));
    assert_eq!((group.protocol(), group.port()), (Some(&ProtocolEnum::Http), Some(5013)));
    assert_eq!(group.target_type(), Some(&TargetTypeEnum::Ip));
    assert_eq!(group.vpc_id(), Some(live.id("vpc.main")));
}

fn target_group_asks_for_health(group: &TargetGroup) {
    assert_eq!(group.health_check_path(), Some("/health"));
    assert_eq!(group.matcher().unwrap().http_code(), Some("200"));
    assert_eq!((group.health_check_interval_seconds(), group.health_check_timeout_seconds()), (Some(30), Some(5)));
    assert_eq!((group.healthy_threshold_count(), group.unhealthy_threshold_count()), (Some(2), Some(3)));
}

/// A browser stays with its orchestrator for a day.
async fn target_group_is_sticky(live: &Live) {
    let request = live.elb.describe_target_group_attributes().target_group_arn(live.id("lb_target_group.app"));
    let answer = request.send().await.unwrap();
    let attributes: BTreeMap<_, _> = answer.attributes().iter().map(|one| (one.key().unwrap(), one.value().unwrap())).collect();
    assert_eq!(attributes["stickiness.enabled"], "true");
    assert_eq!(attributes["stickiness.type"], "lb_cookie");
    assert_eq!(attributes["stickiness.lb_cookie.duration_seconds"], "86400");
}

/// The load balancer's listeners, by port.
async fn listeners(live: &Live) -> BTreeMap<i32, Listener> {
    let found = live.elb.describe_listeners().load_balancer_arn(live.id("lb.main")).send().await.unwrap();
    found.listeners().iter().map(|listener| (listener.port().unwrap(), listener.clone())).collect()
}

async fn listener_serves_plain_http(live: &Live) {
    let found = listeners(live).await;
    assert_eq!(found.keys().collect::<Vec<_>>(), [&80]);
    assert_eq!(found[&80].protocol(), Some(&ProtocolEnum::Http));
    forwards(live, &found[&80]);
}

async fn listeners_lead_to_https(live: &Live) {
    let found = listeners(live).await;
    assert_eq!(found.keys().collect::<Vec<_>>(), [&80, &443]);
    assert_eq!(found[&80].protocol(), Some(&ProtocolEnum::Http));
    redirects(&found[&80]);
    let https = &found[&443];
    assert_eq!(https.protocol(), Some(&ProtocolEnum::Https));
    assert_eq!(https.ssl_policy(), Some("ELBSecurityPolicy-TLS13-1-2-PQ-2025-09"));
    assert_eq!(https.certificates().iter().map(|one| one.certificate_arn()).collect::<Vec<_>>(), [Some(CERTIFICATE)]);
    forwards(live, https);
}

fn only_action(listener: &Listener) -> &Action {
    let [action] = listener.default_actions() else { panic!("not one action: {listener:?}") };
    action
}

fn forwards(live: &Live, listener: &Listener) {
    let action = only_action(listener);
    assert_eq!(action.r#type(), Some(&ActionTypeEnum::Forward));
    assert_eq!(action.target_group_arn(), Some(live.id("lb_target_group.app")));
}

/// The same page over HTTPS, for good.
fn redirects(listener: &Listener) {
    let action = only_action(listener);
    assert_eq!(action.r#type(), Some(&ActionTypeEnum::Redirect));
    let redirect = action.redirect_config().unwrap();
    assert_eq!((redirect.protocol(), redirect.port()), (Some("HTTPS"), Some("443")));
    assert_eq!(redirect.status_code(), Some(&RedirectActionStatusCodeEnum::Http301));
    assert_eq!((redirect.host(), redirect.path(), redirect.query()), (Some("#{host}"), Some("/#{path}"), Some("#{query}")));
}

pub async fn is_gone(live: &Live) {
    assert_eq!(live.elb.describe_load_balancers().send().await.unwrap().load_balancers(), []);
    assert_eq!(live.elb.describe_target_groups().send().await.unwrap().target_groups(), []);
}
