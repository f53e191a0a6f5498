//! The attributes of load balancers and target groups: maps in which AWS fills in a value for every key.

use std::collections::BTreeMap;

/// A set of attributes by AWS's own keys.
pub type Attributes = BTreeMap<String, String>;

/// What each attribute has to be set to, to make one set into another: a removed one goes back to AWS's default.
pub fn changes(from: &Attributes, to: &Attributes, defaults: &serde_json::Value) -> Vec<(String, String)> {
    let set = to.iter().filter(|(key, value)| from.get(*key) != Some(*value)).map(|(key, value)| (key.clone(), value.clone()));
    let removed = from.keys().filter(|key| !to.contains_key(*key));
    let reset = removed.filter_map(|key| Some((key.clone(), defaults.get(key)?.as_str()?.to_owned())));
    set.chain(reset).collect()
}

/// AWS's defaults for load balancers (ELBv2 API Reference, LoadBalancerAttribute). Those that depend on the type
/// or the scheme are left out: AWS's own choice of them is kept.
pub fn load_balancer_defaults() -> serde_json::Value {
    serde_json::json!({
        "deletion_protection.enabled": "false",
        "access_logs.s3.enabled": "false",
        "access_logs.s3.bucket": "",
        "access_logs.s3.prefix": "",
        "idle_timeout.timeout_seconds": "60",
        "client_keep_alive.seconds": "3600",
        "connection_logs.s3.enabled": "false",
        "connection_logs.s3.bucket": "",
        "connection_logs.s3.prefix": "",
        "routing.http.desync_mitigation_mode": "defensive",
        "routing.http.drop_invalid_header_fields.enabled": "false",
        "routing.http.preserve_host_header.enabled": "false",
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
        "routing.http.xff_client_port.enabled": "false",
        "routing.http.xff_header_processing.mode": "append",
        "routing.http2.enabled": "true",
        "waf.fail_open.enabled": "false",
        "zonal_shift.config.enabled": "false",
        "health_check_logs.s3.enabled": "false",
        "health_check_logs.s3.bucket": "",
        "health_check_logs.s3.prefix": ""
    })
}

/// AWS's defaults for target groups (ELBv2 API Reference, TargetGroupAttribute).
pub fn target_group_defaults() -> serde_json::Value {
    serde_json::json!({
        "deregistration_delay.timeout_seconds": "300",
        "stickiness.enabled": "false",
        "stickiness.type": "lb_cookie",
        "stickiness.lb_cookie.duration_seconds": "86400",
        "stickiness.app_cookie.cookie_name": "",
        "stickiness.app_cookie.duration_seconds": "86400",
        "load_balancing.algorithm.type": "round_robin",
        "load_balancing.algorithm.anomaly_mitigation": "off",
        "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
        "slow_start.duration_seconds": "0",
        "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
        "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off"
    })
}
