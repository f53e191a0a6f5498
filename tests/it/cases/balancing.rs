//! Load balancers and what belongs to them.

use super::Case;

const BALANCER: &str = r#"
[resource.lb.n]
name = "NAME-n"
subnets = ["${subnet.a.id}", "${subnet.b.id}"]
security_groups = ["${security_group.n.id}"]
[resource.lb_target_group.n]
name = "NAME-n"
target_type = "ip"
port = 80
protocol = "HTTP"
vpc_id = "${vpc.n.id}"
[resource.lb_target_group.m]
name = "NAME-m"
target_type = "ip"
port = 81
protocol = "HTTP"
vpc_id = "${vpc.n.id}"
"#;

/// A network load balancer.
const NETWORK_BALANCER: &str = r#"
[resource.lb.n]
name = "NAME-n"
type = "network"
subnets = ["${subnet.a.id}", "${subnet.b.id}"]
[resource.lb_target_group.n]
name = "NAME-n"
target_type = "ip"
port = 80
protocol = "TCP"
vpc_id = "${vpc.n.id}"
"#;

const LISTENER: &str = r#"
[resource.lb_listener.n]
load_balancer_arn = "${lb.n.arn}"
port = 80
protocol = "HTTP"
default_actions = [{ type = "forward", target_group_arn = "${lb_target_group.n.arn}" }]
"#;

const HTTPS_LISTENER: &str = r#"
[resource.lb_listener.n]
load_balancer_arn = "${lb.n.arn}"
port = 443
protocol = "HTTPS"
certificates = [{ certificate_arn = "arn:aws:iam::123456789012:server-certificate/a" }]
default_actions = [{ type = "forward", target_group_arn = "${lb_target_group.n.arn}" }]
"#;

pub const NEEDS: &[(&str, &str)] =
    &[("balancer", BALANCER), ("network-balancer", NETWORK_BALANCER), ("listener", LISTENER), ("https-listener", HTTPS_LISTENER)];

pub const CASES: &[Case] = &[
    Case {
        type_name: "lb",
        needs: "network+subnet",
        least: "name = \"NAME-x\"\nsubnets = [\"${subnet.a.id}\", \"${subnet.b.id}\"]\nsecurity_groups = [\"${security_group.n.id}\"]",
        optional: &[
            "ip_address_type = \"dualstack\"",
            "scheme = \"internal\"",
            "ipam_pools = { ipv4_ipam_pool_id = \"ipam-pool-0123456789abcdef0\" }",
            "minimum_load_balancer_capacity = { capacity_units = 200 }",
            "attributes = { \"idle_timeout.timeout_seconds\" = \"120\", \"routing.http.drop_invalid_header_fields.enabled\" = \"true\", \"access_logs.s3.prefix\" = \"p\" }",
            "tags = { a = \"b\" }",
        ],
        changed: &[
            ("security_groups = [\"${security_group.n.id}\"]", "security_groups = [\"${security_group.m.id}\"]"),
            ("\"${subnet.a.id}\", \"${subnet.b.id}\"", "\"${subnet.b.id}\", \"${subnet.c.id}\""),
        ],
    },
    Case {
        type_name: "lb",
        needs: "network+subnet",
        least: "name = \"NAME-x\"\ntype = \"network\"\nscheme = \"internal\"\nsubnet_mappings = [{ subnet_id = \"${subnet.a.id}\", private_ipv4_address = \"10.9.0.10\" }, { subnet_id = \"${subnet.b.id}\" }]",
        optional: &["attributes = { \"zonal_shift.config.enabled\" = \"true\" }"],
        changed: &[
            ("{ subnet_id = \"${subnet.b.id}\" }", "{ subnet_id = \"${subnet.b.id}\" }, { subnet_id = \"${subnet.c.id}\" }"),
            ("\"10.9.0.10\"", "\"10.9.0.11\""),
        ],
    },
    Case {
        type_name: "lb",
        needs: "network+subnet",
        least: "name = \"NAME-x\"\ntype = \"network\"\nscheme = \"internal\"\nsubnets = [\"${subnet.a.id}\"]\nsecurity_groups = [\"${security_group.n.id}\"]\nenforce_security_group_inbound_rules_on_private_link_traffic = \"on\"",
        optional: &[],
        changed: &[("_traffic = \"on\"", "_traffic = \"off\"")],
    },
    Case {
        type_name: "lb_target_group",
        needs: "network",
        least: "name = \"NAME-x\"\ntarget_type = \"ip\"\nport = 80\nprotocol = \"HTTP\"\nvpc_id = \"${vpc.n.id}\"",
        optional: &[
            "health_check_interval_seconds = 15",
            "healthy_threshold_count = 3",
            "unhealthy_threshold_count = 4",
            "health_check_port = \"81\"",
            "attributes = { \"stickiness.enabled\" = \"true\", \"deregistration_delay.timeout_seconds\" = \"30\" }",
            "attributes = { \"stickiness.enabled\" = \"true\", \"stickiness.type\" = \"app_cookie\", \"stickiness.app_cookie.cookie_name\" = \"c\" }",
            "target_control_port = 3000",
            "targets = [{ id = \"10.9.0.20\" }, { id = \"10.9.0.21\", port = 8080 }]",
            "tags = { a = \"b\" }",
        ],
        changed: &[
            ("port = 80", "port = 82"),
            ("protocol = \"HTTP\"", "protocol = \"HTTPS\""),
            ("target_type = \"ip\"", "target_type = \"instance\""),
        ],
    },
    Case {
        type_name: "lb_target_group",
        needs: "network",
        least: "name = \"NAME-x\"\ntarget_type = \"ip\"\nport = 80\nprotocol = \"HTTP\"\nvpc_id = \"${vpc.n.id}\"\nhealth_check_path = \"/\"\nhealth_check_protocol = \"HTTP\"\nhealth_check_timeout_seconds = 5\nmatcher = { http_code = \"200\" }",
        optional: &[],
        changed: &[
            ("health_check_path = \"/\"", "health_check_path = \"/health\""),
            ("health_check_protocol = \"HTTP\"", "health_check_protocol = \"HTTPS\""),
            ("health_check_timeout_seconds = 5", "health_check_timeout_seconds = 7"),
            ("http_code = \"200\"", "http_code = \"200-299\""),
        ],
    },
    Case {
        type_name: "lb_target_group",
        needs: "network",
        least: "name = \"NAME-x\"\ntarget_type = \"ip\"\nport = 80\nprotocol = \"HTTP\"\nvpc_id = \"${vpc.n.id}\"\nprotocol_version = \"HTTP1\"\nmatcher = { http_code = \"200\" }",
        optional: &[],
        changed: &[
            ("HTTP1", "HTTP2"),
            (
                "protocol_version = \"HTTP1\"\nmatcher = { http_code = \"200\" }",
                "protocol_version = \"GRPC\"\nmatcher = { grpc_code = \"0\" }",
            ),
        ],
    },
    Case {
        type_name: "lb_target_group",
        needs: "network",
        least: "name = \"NAME-x\"\ntarget_type = \"ip\"\nport = 80\nprotocol = \"TCP\"\nvpc_id = \"${vpc.n.id}\"\nattributes = { \"preserve_client_ip.enabled\" = \"false\" }",
        optional: &[],
        changed: &[
            (
                "\"preserve_client_ip.enabled\" = \"false\"",
                "\"preserve_client_ip.enabled\" = \"true\", \"proxy_protocol_v2.enabled\" = \"true\", \"stickiness.enabled\" = \"true\"",
            ),
            ("protocol = \"TCP\"", "protocol = \"TLS\""),
        ],
    },
    Case {
        type_name: "lb_listener",
        needs: "network+balancer",
        least: "load_balancer_arn = \"${lb.n.arn}\"\nport = 80\nprotocol = \"HTTP\"\ndefault_actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.n.arn}\" }]",
        optional: &[
            "attributes = { \"routing.http.response.server.enabled\" = \"false\", \"routing.http.response.strict_transport_security.header_value\" = \"max-age=60\" }",
            "tags = { a = \"b\" }",
        ],
        changed: &[
            ("port = 80", "port = 8080"),
            (
                "protocol = \"HTTP\"",
                "protocol = \"HTTPS\"\ncertificates = [{ certificate_arn = \"arn:aws:iam::123456789012:server-certificate/a\" }]",
            ),
            (
                "default_actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.n.arn}\" }]",
                "default_actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
            ),
            (
                "default_actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.n.arn}\" }]",
                "default_actions = [{ type = \"forward\", forward_config = { target_groups = [{ target_group_arn = \"${lb_target_group.n.arn}\", weight = 3 }, { target_group_arn = \"${lb_target_group.m.arn}\" }], target_group_stickiness = { enabled = true, duration_seconds = 60 } } }]",
            ),
            (
                "default_actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.n.arn}\" }]",
                "default_actions = [{ type = \"fixed-response\", fixed_response_config = { status_code = \"503\", content_type = \"text/plain\", message_body = \"later\" } }]",
            ),
            (
                "default_actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.n.arn}\" }]",
                "default_actions = [{ type = \"redirect\", redirect_config = { status_code = \"HTTP_301\", protocol = \"HTTPS\", port = \"443\" } }]",
            ),
        ],
    },
    Case {
        type_name: "lb_listener",
        needs: "network+balancer",
        least: "load_balancer_arn = \"${lb.n.arn}\"\nport = 443\nprotocol = \"HTTPS\"\nssl_policy = \"ELBSecurityPolicy-2016-08\"\ncertificates = [{ certificate_arn = \"arn:aws:iam::123456789012:server-certificate/a\" }, { certificate_arn = \"arn:aws:iam::123456789012:server-certificate/b\" }]\ndefault_actions = [{ type = \"fixed-response\", fixed_response_config = { status_code = \"503\", content_type = \"text/plain\", message_body = \"later\" } }]",
        optional: &[
            "mutual_authentication = { mode = \"passthrough\" }",
            "mutual_authentication = { mode = \"verify\", trust_store_arn = \"arn:aws:elasticloadbalancing:us-east-1:123456789012:truststore/t/0123456789abcdef\", ignore_client_certificate_expiry = true, advertise_trust_store_ca_names = \"on\" }",
            "attributes = { \"routing.http.request.x_amzn_tls_version.header_name\" = \"X-Tls\" }",
        ],
        changed: &[
            ("ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS13-1-2-2021-06"),
            (
                "certificates = [{ certificate_arn = \"arn:aws:iam::123456789012:server-certificate/a\" }, { certificate_arn = \"arn:aws:iam::123456789012:server-certificate/b\" }]",
                "certificates = [{ certificate_arn = \"arn:aws:iam::123456789012:server-certificate/a\" }]",
            ),
            (
                "certificates = [{ certificate_arn = \"arn:aws:iam::123456789012:server-certificate/a\" }, { certificate_arn = \"arn:aws:iam::123456789012:server-certificate/b\" }]",
                "certificates = [{ certificate_arn = \"arn:aws:iam::123456789012:server-certificate/b\" }, { certificate_arn = \"arn:aws:iam::123456789012:server-certificate/c\" }]",
            ),
            (
                "certificates = [{ certificate_arn = \"arn:aws:iam::123456789012:server-certificate/a\" }, { certificate_arn = \"arn:aws:iam::123456789012:server-certificate/b\" }]",
                "certificates = [{ certificate_arn = \"arn:aws:iam::123456789012:server-certificate/a\" }, { certificate_arn = \"arn:aws:iam::123456789012:server-certificate/b\" }, { certificate_arn = \"arn:aws:iam::123456789012:server-certificate/c\" }]",
            ),
            (
                "default_actions = [{ type = \"fixed-response\", fixed_response_config = { status_code = \"503\", content_type = \"text/plain\", message_body = \"later\" } }]",
                "default_actions = [{ type = \"authenticate-oidc\", authenticate_oidc_config = { issuer = \"https://i.example\", authorization_endpoint = \"https://i.example/a\", token_endpoint = \"https://i.example/t\", user_info_endpoint = \"https://i.example/u\", client_id = \"c\", client_secret = \"s3cret\", session_cookie_name = \"n\", scope = \"openid email\", session_timeout = 60, authentication_request_extra_params = { a = \"b\" }, on_unauthenticated_request = \"deny\" } }, { type = \"fixed-response\", fixed_response_config = { status_code = \"503\", content_type = \"text/plain\", message_body = \"later\" } }]",
            ),
            (
                "default_actions = [{ type = \"fixed-response\", fixed_response_config = { status_code = \"503\", content_type = \"text/plain\", message_body = \"later\" } }]",
                "default_actions = [{ type = \"authenticate-cognito\", authenticate_cognito_config = { user_pool_arn = \"arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_a\", user_pool_client_id = \"c\", user_pool_domain = \"d\", session_cookie_name = \"n\", scope = \"openid email\", session_timeout = 60, authentication_request_extra_params = { a = \"b\" }, on_unauthenticated_request = \"deny\" } }, { type = \"forward\", target_group_arn = \"${lb_target_group.n.arn}\" }]",
            ),
            (
                "default_actions = [{ type = \"fixed-response\", fixed_response_config = { status_code = \"503\", content_type = \"text/plain\", message_body = \"later\" } }]",
                "default_actions = [{ type = \"jwt-validation\", jwt_validation_config = { jwks_endpoint = \"https://i.example/k\", issuer = \"i\", additional_claims = [{ name = \"scope\", format = \"space-separated-values\", values = [\"a\", \"b\"] }] } }, { type = \"fixed-response\", fixed_response_config = { status_code = \"503\", content_type = \"text/plain\", message_body = \"later\" } }]",
            ),
        ],
    },
    Case {
        type_name: "lb_listener",
        needs: "network+balancer",
        least: "load_balancer_arn = \"${lb.n.arn}\"\nport = 443\nprotocol = \"HTTPS\"\ncertificates = [{ certificate_arn = \"arn:aws:iam::123456789012:server-certificate/a\" }]\ndefault_actions = [{ type = \"authenticate-oidc\", authenticate_oidc_config = { issuer = \"https://i.example\", authorization_endpoint = \"https://i.example/a\", token_endpoint = \"https://i.example/t\", user_info_endpoint = \"https://i.example/u\", client_id = \"c\", client_secret = \"s3cret\" } }, { type = \"fixed-response\", fixed_response_config = { status_code = \"503\", content_type = \"text/plain\", message_body = \"later\" } }]",
        optional: &[],
        changed: &[
            ("client_secret = \"s3cret\"", "client_secret = \"another\""),
            ("client_id = \"c\"", "client_id = \"d\""),
            ("port = 443", "port = 8443"),
        ],
    },
    Case {
        type_name: "lb_listener",
        needs: "network+network-balancer",
        least: "load_balancer_arn = \"${lb.n.arn}\"\nport = 443\nprotocol = \"TLS\"\ncertificates = [{ certificate_arn = \"arn:aws:iam::123456789012:server-certificate/a\" }]\ndefault_actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.n.arn}\" }]",
        optional: &["alpn_policy = \"HTTP2Preferred\"", "attributes = { \"tcp.idle_timeout.seconds\" = \"600\" }"],
        changed: &[(
            "protocol = \"TLS\"\ncertificates = [{ certificate_arn = \"arn:aws:iam::123456789012:server-certificate/a\" }]",
            "protocol = \"TCP\"",
        )],
    },
    Case {
        type_name: "lb_listener_rule",
        needs: "network+balancer+listener",
        least: "listener_arn = \"${lb_listener.n.arn}\"\npriority = 10\nconditions = [{ field = \"path-pattern\", values = [\"/a\"] }]\nactions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
        optional: &[
            "transforms = [{ type = \"host-header-rewrite\", host_header_rewrite_config = { rewrites = [{ regex = \"^a\", replace = \"b\" }] } }, { type = \"url-rewrite\", url_rewrite_config = { rewrites = [{ regex = \"^/a/(.*)$\", replace = \"/$1\" }] } }]",
            "tags = { a = \"b\" }",
        ],
        changed: &[
            ("priority = 10", "priority = 11"),
            ("{ field = \"path-pattern\", values = [\"/a\"] }", "{ field = \"host-header\", values = [\"a.example\", \"b.example\"] }"),
            (
                "{ field = \"path-pattern\", values = [\"/a\"] }",
                "{ field = \"http-header\", http_header_name = \"X-A\", values = [\"1\"] }, { field = \"http-request-method\", values = [\"GET\"] }",
            ),
            (
                "{ field = \"path-pattern\", values = [\"/a\"] }",
                "{ field = \"query-string\", query_strings = [{ key = \"k\", value = \"v\" }, { value = \"w\" }] }",
            ),
            ("{ field = \"path-pattern\", values = [\"/a\"] }", "{ field = \"source-ip\", values = [\"10.0.0.0/8\"] }"),
            (
                "{ field = \"path-pattern\", values = [\"/a\"] }",
                "{ field = \"path-pattern\", regex_values = [\"^/a[0-9]$\"] }, { field = \"http-header\", http_header_name = \"X-A\", regex_values = [\"^1\"] }",
            ),
            (
                "actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
                "actions = [{ type = \"forward\", forward_config = { target_groups = [{ target_group_arn = \"${lb_target_group.n.arn}\", weight = 3 }, { target_group_arn = \"${lb_target_group.m.arn}\" }], target_group_stickiness = { enabled = true, duration_seconds = 60 } } }]",
            ),
            (
                "actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
                "actions = [{ type = \"fixed-response\", fixed_response_config = { status_code = \"503\", content_type = \"text/plain\", message_body = \"later\" } }]",
            ),
            (
                "actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
                "actions = [{ type = \"redirect\", redirect_config = { status_code = \"HTTP_301\", protocol = \"HTTPS\", port = \"443\" } }]",
            ),
        ],
    },
    Case {
        type_name: "lb_listener_rule",
        needs: "network+balancer+https-listener",
        least: "listener_arn = \"${lb_listener.n.arn}\"\npriority = 10\nconditions = [{ field = \"path-pattern\", values = [\"/a\"] }]\nactions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
        optional: &[],
        changed: &[
            (
                "actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
                "actions = [{ type = \"authenticate-oidc\", authenticate_oidc_config = { issuer = \"https://i.example\", authorization_endpoint = \"https://i.example/a\", token_endpoint = \"https://i.example/t\", user_info_endpoint = \"https://i.example/u\", client_id = \"c\", client_secret = \"s3cret\", session_cookie_name = \"n\", scope = \"openid email\", session_timeout = 60, authentication_request_extra_params = { a = \"b\" }, on_unauthenticated_request = \"deny\" } }, { type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
            ),
            (
                "actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
                "actions = [{ type = \"authenticate-cognito\", authenticate_cognito_config = { user_pool_arn = \"arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_a\", user_pool_client_id = \"c\", user_pool_domain = \"d\", session_cookie_name = \"n\", scope = \"openid email\", session_timeout = 60, authentication_request_extra_params = { a = \"b\" }, on_unauthenticated_request = \"deny\" } }, { type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
            ),
            (
                "actions = [{ type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
                "actions = [{ type = \"jwt-validation\", jwt_validation_config = { jwks_endpoint = \"https://i.example/k\", issuer = \"i\", additional_claims = [{ name = \"scope\", format = \"space-separated-values\", values = [\"a\", \"b\"] }] } }, { type = \"forward\", target_group_arn = \"${lb_target_group.m.arn}\" }]",
            ),
        ],
    },
];
