//! app-gen is in its plan what its documents say: every name, size, permission, secret, variable and output of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::emulator::Emulator;
use crate::support::program::Project;

const ACCOUNT: &str = "888888888888";
const READ: [&str; 3] = ["s3:GetBucket*", "s3:GetObject*", "s3:List*"];
const WRITE: [&str; 7] = [
    "s3:Abort*",
    "s3:DeleteObject*",
    "s3:PutObject",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionTagging",
];
const SECRETS: [&str; 6] =
    ["claude-oauth-token", "database-url", "github-bot-token", "supabase-anon-key", "supabase-service-role-key", "supabase-url"];

/// What the plan of a stack would create, by address, and its outputs.
struct Planned {
    after: BTreeMap<String, Value>,
    outputs: Value,
}

impl Planned {
    fn of(stack: &str, variables: &[&str]) -> Self {
        let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), ACCOUNT);
        let variables = variables.iter().flat_map(|variable| ["--var", variable]);
        let arguments: Vec<&str> = ["plan", "--json", stack].into_iter().chain(variables).collect();
        let plan = project.json(&arguments);
        let changes = plan["changes"].as_array().unwrap().iter();
        let after = changes.map(|change| (change["address"].as_str().unwrap().to_owned(), change["after"].clone())).collect();
        Self { after, outputs: plan["outputs"].clone() }
    }

    fn app_gen() -> Self {
        Self::of("stacks/app-gen.toml", &[])
    }

    /// What there is of a type, without the type's name.
    fn names(&self, type_name: &str) -> Vec<&str> {
        let prefix = format!("{type_name}.");
        self.after.keys().filter_map(|address| address.strip_prefix(&prefix)).collect()
    }

    /// The value at a JSON pointer in a resource's attributes.
    fn at(&self, address: &str, pointer: &str) -> &Value {
        let resource = self.after.get(address).unwrap_or_else(|| panic!("no {address} in {:?}", self.after.keys()));
        resource.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {resource:#}"))
    }

    /// The statements of a role's own policy.
    fn statements(&self, role: &str) -> &Vec<Value> {
        self.at(role, "/inline_policies/default/Statement").as_array().unwrap()
    }

    /// All that a role may do of one service, in order.
    fn allowed(&self, role: &str, service: &str) -> Vec<&str> {
        let actions = self.statements(role).iter().flat_map(|statement| match &statement["Action"] {
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect::<Vec<_>>(),
        });
        let mut actions: Vec<&str> = actions.filter(|action| action.starts_with(service)).collect();
        actions.sort_unstable();
        actions
    }
}

fn secret(name: &str) -> String {
    format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:app-gen-saas/{name}")
}

#[test]
fn app_gen_has_the_names_of_its_documents() {
    let plan = Planned::app_gen();
    let names = [
        ("ecr_repository.app", "app-gen-saas-app"),
        ("ecr_repository.generator", "app-gen-saas-generator"),
        ("cloudwatch_log_group.app", "/aws/ecs/app-gen-saas-app"),
        ("cloudwatch_log_group.generator", "/aws/ecs/app-generator"),
        ("ecs_cluster.main", "app-gen-saas-cluster"),
        ("ecs_service.app", "AppGenSaasService"),
        ("lb_target_group.app", "OrchestratorTargetGroup"),
    ];
    for (address, name) in names {
        assert_eq!(plan.at(address, "/name"), name);
    }
    assert_eq!(plan.at("ecs_task_definition.app", "/family"), "app-gen-saas-app");
    assert_eq!(plan.at("ecs_task_definition.generator", "/family"), "app-generator");
    let secrets: Vec<&str> = plan.names("secretsmanager_secret").iter().map(|name| secret_name(&plan, name)).collect();
    assert_eq!(secrets, SECRETS.map(|name| format!("app-gen-saas/{name}")), "there is no Fly token");
}

fn secret_name<'a>(plan: &'a Planned, name: &str) -> &'a str {
    plan.at(&format!("secretsmanager_secret.{name}"), "/name").as_str().unwrap()
}

#[test]
fn app_gen_is_open_to_everybody_at_the_load_balancer_alone() {
    let plan = Planned::app_gen();
    let networks: Vec<&Value> = plan.at("security_group.alb", "/ingress").as_array().unwrap().iter().collect();
    let open = |rule: &&Value| (rule["from_port"].clone(), rule["to_port"].clone(), rule["cidr_ipv4"].clone(), rule["cidr_ipv6"].clone());
    let expected = [(json!(80), json!(80), json!("0.0.0.0/0"), Value::Null), (json!(80), json!(80), Value::Null, json!("::/0"))];
    assert_eq!(networks.iter().map(open).collect::<Vec<_>>(), expected);
    for group in ["app", "generator"] {
        assert_eq!(plan.at(&format!("security_group.{group}"), "/ingress"), &json!([]));
    }
    // From the load balancer to the orchestrator, and from there to the generator; none back.
    assert_eq!(plan.names("security_group_rule"), ["alb_to_app", "app_to_generator"]);
    for end in ["from_port", "to_port"] {
        assert_eq!(plan.at("security_group_rule.alb_to_app", &format!("/{end}")), 5013);
    }
    assert_eq!(plan.at("security_group_rule.app_to_generator", "/ip_protocol"), "-1");
}

#[test]
fn app_gen_with_a_certificate_serves_everybody_https_and_redirects_the_rest() {
    let certificate = format!("certificate_arn=arn:aws:acm:us-east-1:{ACCOUNT}:certificate/11111111-2222-3333-4444-555555555555");
    let plan = Planned::of("stacks/app-gen.toml", &[&certificate]);
    let rules = plan.at("security_group.alb", "/ingress").as_array().unwrap().iter();
    let mut open: Vec<(u64, String)> = rules
        .map(|rule| (rule["to_port"].as_u64().unwrap(), rule["cidr_ipv4"].as_str().or(rule["cidr_ipv6"].as_str()).unwrap().to_owned()))
        .collect();
    open.sort_unstable();
    let expected = [(80, "0.0.0.0/0"), (80, "::/0"), (443, "0.0.0.0/0"), (443, "::/0")];
    assert_eq!(open, expected.map(|(port, network)| (port, network.to_owned())));
    assert_eq!(plan.names("lb_listener"), ["http", "https"]);
    assert_eq!(plan.at("lb_listener.http", "/default_actions/0/type"), "redirect");
    assert_eq!(plan.at("lb_listener.https", "/port"), 443);
}

#[test]
fn app_gen_runs_what_its_documents_say_in_the_sizes_they_say() {
    let plan = Planned::app_gen();
    for (name, cpu, memory) in [("app", 1024, 2048), ("generator", 4096, 8192)] {
        let address = format!("ecs_task_definition.{name}");
        assert_eq!((plan.at(&address, "/cpu"), plan.at(&address, "/memory")), (&json!(cpu), &json!(memory)), "{address}");
        assert_eq!(plan.at(&address, "/requires_compatibilities"), &json!(["FARGATE"]));
        assert_eq!(plan.at(&format!("cloudwatch_log_group.{name}"), "/retention_in_days"), 7);
    }
    // One orchestrator always, with a public address; generators are started by it, not by a service.
    assert_eq!(plan.names("ecs_service"), ["app"]);
    assert_eq!(plan.at("ecs_service.app", "/desired_count"), 1);
    assert_eq!(plan.at("ecs_service.app", "/network_configuration/assign_public_ip"), "ENABLED");
    assert_eq!(plan.at("ecs_service.app", "/load_balancers/0/container_port"), 5013);
    let health = [
        ("/health_check_path", json!("/health")),
        ("/health_check_interval_seconds", json!(30)),
        ("/health_check_timeout_seconds", json!(5)),
        ("/healthy_threshold_count", json!(2)),
        ("/unhealthy_threshold_count", json!(3)),
        ("/matcher/http_code", json!("200")),
    ];
    for (pointer, expected) in health {
        assert_eq!(plan.at("lb_target_group.app", pointer), &expected, "{pointer}");
    }
    // Two zones, IPv4 and IPv6, no NAT gateway.
    assert_eq!((plan.names("subnet").len(), plan.names("nat_gateway").len()), (2, 0));
    assert_eq!(plan.at("lb.main", "/ip_address_type"), "dualstack");
    assert_eq!(plan.at("s3_bucket.apps", "/lifecycle_rules/0/expiration_in_days"), 30);
    assert_eq!(plan.at("s3_bucket.apps", "/empty_on_delete"), true);
}

#[test]
fn app_gen_gives_its_containers_the_variables_and_secrets_of_its_documents() {
    let plan = Planned::app_gen();
    let keys = |address: &str, pointer: &str| plan.at(address, pointer).as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let environment = "/container_definitions/0/environment";
    assert_eq!(
        keys("ecs_task_definition.app", environment),
        ["APP_GENERATOR_TASK_DEF", "AWS_REGION", "ECS_CLUSTER", "NODE_ENV", "PORT", "S3_BUCKET", "TASK_SECURITY_GROUP", "TASK_SUBNETS"]
    );
    assert_eq!(keys("ecs_task_definition.generator", environment), ["AWS_REGION", "S3_BUCKET"]);
    let secrets = json!({
        "CLAUDE_CODE_OAUTH_TOKEN": secret("claude-oauth-token"),
        "DATABASE_URL": secret("database-url"),
        "GITHUB_BOT_TOKEN": secret("github-bot-token"),
        "SUPABASE_ANON_KEY": secret("supabase-anon-key"),
        "SUPABASE_SERVICE_ROLE_KEY": secret("supabase-service-role-key"),
        "SUPABASE_URL": secret("supabase-url"),
    });
    assert_eq!(plan.at("ecs_task_definition.app", "/container_definitions/0/secrets"), &secrets);
    let one = json!({ "CLAUDE_CODE_OAUTH_TOKEN": secret("claude-oauth-token") });
    assert_eq!(plan.at("ecs_task_definition.generator", "/container_definitions/0/secrets"), &one);
}

#[test]
fn app_gen_lets_both_tasks_read_and_write_the_bucket_and_only_the_orchestrator_run_tasks() {
    let plan = Planned::app_gen();
    let mut both = [&READ[..], &WRITE[..]].concat();
    both.sort_unstable();
    for role in ["iam_role.app", "iam_role.generator"] {
        assert_eq!(plan.allowed(role, "s3:"), both, "{role}");
        assert_eq!(plan.allowed(role, "secretsmanager:"), ["secretsmanager:GetSecretValue"], "{role}");
    }
    assert_eq!(plan.allowed("iam_role.app", "ecs:"), ["ecs:DescribeTasks", "ecs:RunTask", "ecs:StopTask"]);
    assert!(plan.statements("iam_role.app")[0]["Condition"]["ArnEquals"].get("ecs:cluster").is_some());
    assert_eq!(plan.allowed("iam_role.app", "iam:"), ["iam:PassRole"]);
    assert_eq!(plan.statements("iam_role.generator").len(), 2, "the bucket and its secret, no more");
    assert_eq!(plan.statements("iam_role.app").last().unwrap()["Resource"], secret("*"));
    let readable = &plan.statements("iam_role.execution").last().unwrap()["Resource"];
    assert_eq!(readable, &json!(SECRETS.map(|name| format!("{}-??????", secret(name)))));
}

#[test]
fn app_gen_puts_out_what_its_scripts_read() {
    let outputs = Planned::app_gen().outputs;
    let mut names: Vec<&str> = outputs.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "alb_dns_name",
            "app_repository_uri",
            "generator_repository_uri",
            "generator_task_def_arn",
            "s3_bucket_name",
            "task_security_group_id",
            "task_subnet_ids",
            "url"
        ]
    );
}

#[test]
fn leo_in_production_keeps_its_own_names_and_its_own_limits() {
    let plan = Planned::of("stacks/prod.toml", &[]);
    assert_eq!(plan.at("ecr_repository.generator", "/name"), "leo");
    assert_eq!(plan.names("secretsmanager_secret").len(), 7);
    assert_eq!(plan.allowed("iam_role.generator", "s3:"), WRITE);
    assert_eq!(plan.names("security_group_rule"), ["alb_to_app", "app_to_generator", "generator_to_app"]);
    assert_eq!(plan.at("security_group.alb", "/ingress/0/cidr_ipv4"), "187.223.16.15/32");
}
