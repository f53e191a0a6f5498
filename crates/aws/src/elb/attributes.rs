//! The attributes of load balancers, listeners and target groups: maps in which AWS fills in a value for every key.

use std::collections::BTreeMap;

/// A set of attributes by AWS's own keys.
pub type Attributes = BTreeMap<String, String>;

/// What each attribute has to be set to, to make one set into another: a removed one goes back to AWS's default.
pub fn changes(from: &Attributes, to: &Attributes, defaults: &serde_json::Value) -> Vec<(String, String)> {
    let set = to.iter().filter(|(key, value)| from.get(*key) != Some(*value)).map(|(key, value)| (key.clone(), value.clone()));
    let removed = from.keys().filter(|key| !to.contains_key(*key));
    let default = |key: &str| match defaults.get(key)? {
        serde_json::Value::Array(any) => any.first()?.as_str(),
        one => one.as_str(),
    };
    let reset = removed.filter_map(|key| Some((key.clone(), default(key)?.to_owned())));
    set.chain(reset).collect()
}

/// What AWS says of attributes, a pair for each.
pub fn read<'a>(pairs: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Attributes {
    pairs.filter_map(|(key, value)| Some((key?.to_owned(), value.unwrap_or_default().to_owned()))).collect()
}

/// AWS's defaults for load balancers (ELBv2 API Reference, LoadBalancerAttribute). Those that depend on the type
/// or the scheme are left out, and those that cannot be set back: a bucket for logs, a number of addresses. What AWS has of
/// them is kept; that logs are switched off is enough.
pub fn load_balancer_defaults() -> serde_json::Value {
    serde_json::json!({
        "deletion_protection.enabled": "false",
        "access_logs.s3.enabled": "false",
        "idle_timeout.timeout_seconds": "60",
        "client_keep_alive.seconds": "3600",
        "connection_logs.s3.enabled": "false",
        "routing.http.desync_mitigation_mode": "defensive",
        "routing.http.drop_invalid_header_fields.enabled": "false",
        "routing.http.preserve_host_header.enabled": "false",
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
        "routing.http.xff_client_port.enabled": "false",
        "routing.http.xff_header_processing.mode": "append",
        "routing.http2.enabled": "true",
        "waf.fail_open.enabled": "false",
        "zonal_shift.config.enabled": "false",
        "health_check_logs.s3.enabled": "false"
    })
}

/// AWS's defaults for listeners (ELBv2 API Reference, ListenerAttribute). Headers are neither added nor renamed
/// (Application Load Balancers guide, "Enable HTTP header modification"); one that is renamed to its own name is
/// not either.
pub fn listener_defaults() -> serde_json::Value {
    serde_json::json!({
        "tcp.idle_timeout.seconds": "350",
        "send_tcp_reset.on_idle_timeout.enabled": "false",
        "routing.http.request.x_amzn_mtls_clientcert.header_name": ["", "X-Amzn-Mtls-Clientcert"],
        "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name": ["", "X-Amzn-Mtls-Clientcert-Issuer"],
        "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name": ["", "X-Amzn-Mtls-Clientcert-Leaf"],
        "routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name": ["", "X-Amzn-Mtls-Clientcert-Serial-Number"],
        "routing.http.request.x_amzn_mtls_clientcert_subject.header_name": ["", "X-Amzn-Mtls-Clientcert-Subject"],
        "routing.http.request.x_amzn_mtls_clientcert_validity.header_name": ["", "X-Amzn-Mtls-Clientcert-Validity"],
        "routing.http.request.x_amzn_tls_cipher_suite.header_name": ["", "X-Amzn-Tls-Cipher-Suite"],
        "routing.http.request.x_amzn_tls_version.header_name": ["", "X-Amzn-Tls-Version"],
        "routing.http.response.server.enabled": "true",
        "routing.http.response.access_control_allow_credentials.header_value": "",
        "routing.http.response.access_control_allow_headers.header_value": "",
        "routing.http.response.access_control_allow_methods.header_value": "",
        "routing.http.response.access_control_allow_origin.header_value": "",
        "routing.http.response.access_control_expose_headers.header_value": "",
        "routing.http.response.access_control_max_age.header_value": "",
        "routing.http.response.content_security_policy.header_value": "",
        "routing.http.response.strict_transport_security.header_value": "",
        "routing.http.response.x_content_type_options.header_value": "",
        "routing.http.response.x_frame_options.header_value": ""
    })
}

/// AWS's defaults for target groups (ELBv2 API Reference, TargetGroupAttribute). A network load balancer's only
/// type of stickiness is `source_ip`. Those that depend on protocol and target type, such as
/// `preserve_client_ip.enabled`, are left out: AWS's own choice of them is kept. So is the name of a cookie, which cannot be
/// empty: that stickiness is switched off is enough.
pub fn target_group_defaults() -> serde_json::Value {
    serde_json::json!({
        "deregistration_delay.timeout_seconds": "300",
        "stickiness.enabled": "false",
        "stickiness.type": ["lb_cookie", "source_ip"],
        "stickiness.lb_cookie.duration_seconds": "86400",
        "stickiness.app_cookie.duration_seconds": "86400",
        "load_balancing.algorithm.type": "round_robin",
        "load_balancing.algorithm.anomaly_mitigation": "off",
        "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
        "slow_start.duration_seconds": "0",
        "lambda.multi_value_headers.enabled": "false",
        "proxy_protocol_v2.enabled": "false",
        "send_tcp_reset.on_deregistration.enabled": "false",
        "send_tcp_reset.on_unhealthy.enabled": "false",
        "target_failover.on_deregistration": "no_rebalance",
        "target_failover.on_unhealthy": "no_rebalance",
        "target_health_state.unhealthy.draining_interval_seconds": "0",
        "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
        "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(pairs: &[(&str, &str)]) -> Attributes {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn nothing_is_reset_to_what_aws_does_not_take() {
        let sticky = attributes(&[("stickiness.enabled", "true"), ("stickiness.app_cookie.cookie_name", "session")]);
        let off = changes(&sticky, &attributes(&[]), &target_group_defaults());
        assert_eq!(off, [("stickiness.enabled".to_owned(), "false".to_owned())]);
        let logged = attributes(&[
            ("access_logs.s3.enabled", "true"),
            ("access_logs.s3.bucket", "logs"),
            ("secondary_ips.auto_assigned.per_subnet", "3"),
        ]);
        let off = changes(&logged, &attributes(&[]), &load_balancer_defaults());
        assert_eq!(off, [("access_logs.s3.enabled".to_owned(), "false".to_owned())]);
        for defaults in [target_group_defaults(), load_balancer_defaults()] {
            let defaults = defaults.as_object().cloned().unwrap();
            assert!(defaults.values().all(|value| value.as_str() != Some("")), "{defaults:?}");
        }
    }
}
