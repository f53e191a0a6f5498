//! What the agent's CDK app makes, read with the SDK past leoctl's own reading.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{ComparisonOperator, MetricAlarm, Statistic};
use aws_sdk_ec2::types::Filter;
use aws_sdk_ecs::types::{AssignPublicIp, Compatibility, EfsAuthorizationConfigIam, EfsTransitEncryption, LaunchType, NetworkMode};
use aws_sdk_efs::types::{PerformanceMode, ThroughputMode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::Form;
use crate::support::live::{Live, sorted};

const ACCOUNT: &str = "123456789012";

pub async fn holds(live: &Live, form: &Form) {
    images_key_and_logs_hold(live, form).await;
    firewalls_hold(live).await;
    file_system_holds(live, form).await;
    backups_hold(live, form).await;
    roles_hold(live, form).await;
    cluster_and_task_hold(live, form).await;
    service_holds(live, form).await;
    alarms_hold(live, form).await;
    outputs_hold(live, form);
    everything_is_tagged(live, form).await;
}

async fn images_key_and_logs_hold(live: &Live, form: &Form) {
    let found = live.ecr.describe_repositories().send().await.unwrap();
    let [repository] = found.repositories() else { panic!("{found:?}") };
    assert_eq!(repository.repository_name(), Some(form.name().as_str()));
    let found = live.secrets.list_secrets().send().await.unwrap();
    let [secret] = found.secret_list() else { panic!("{found:?}") };
    assert_eq!(secret.name(), Some(format!("{}-anthropic-api-key", form.name()).as_str()));
    assert_eq!(secret.description(), Some("Anthropic API key"));
    let found = live.logs.describe_log_groups().send().await.unwrap();
    let [group] = found.log_groups() else { panic!("{found:?}") };
    assert_eq!(group.log_group_name(), Some(format!("/ecs/{}", form.name()).as_str()));
    assert_eq!(group.retention_in_days(), Some(form.log_retention_days));
}

async fn rules(live: &Live, address: &str, egress: bool) -> Vec<(String, Option<i32>, Option<i32>, String, String)> {
    let filter = Filter::builder().name("group-id").values(live.id(address)).build();
    let found = live.ec2.describe_security_group_rules().filters(filter).send().await.unwrap();
    let rules = found.security_group_rules().iter().filter(|rule| rule.is_egress() == Some(egress));
    let rules = rules.map(|rule| {
        let group = rule.referenced_group_info().and_then(|group| group.group_id());
        let peer = rule.cidr_ipv4().or(group).unwrap().to_owned();
        (rule.ip_protocol().unwrap().to_owned(), rule.from_port(), rule.to_port(), peer, rule.description().unwrap().to_owned())
    });
    sorted(rules)
}

async fn firewalls_hold(live: &Live) {
    let vpc = default_network(live).await.0;
    for (address, description) in [("security_group.efs", "EFS mount targets"), ("security_group.service", "ECS tasks")] {
        let found = live.ec2.describe_security_groups().group_ids(live.id(address)).send().await.unwrap();
        assert_eq!(found.security_groups()[0].description(), Some(description));
        assert_eq!(found.security_groups()[0].vpc_id(), Some(vpc.as_str()));
    }
    let text = str::to_owned;
    let none = (text("icmp"), Some(252), Some(86), text("255.255.255.255/32"), text("Disallow all traffic"));
    assert_eq!(rules(live, "security_group.efs", true).await, [none]);
    let nfs = (text("tcp"), Some(2049), Some(2049), text(live.id("security_group.service")), text("NFS from ECS tasks"));
    assert_eq!(rules(live, "security_group.efs", false).await, [nfs]);
    let [(protocol, _, _, peer, why)] = &rules(live, "security_group.service", true).await[..] else { panic!("not one rule") };
    assert_eq!((protocol.as_str(), peer.as_str(), why.as_str()), ("-1", "0.0.0.0/0", "Allow all outbound traffic by default"));
    assert_eq!(rules(live, "security_group.service", false).await, []);
}

/// The default VPC and its subnets.
async fn default_network(live: &Live) -> (String, Vec<String>) {
    let found = live.ec2.describe_vpcs().filters(Filter::builder().name("is-default").values("true").build()).send().await.unwrap();
    let vpc = found.vpcs()[0].vpc_id().unwrap().to_owned();
    let found = live.ec2.describe_subnets().filters(Filter::builder().name("vpc-id").values(&vpc).build()).send().await.unwrap();
    let subnets = sorted(found.subnets().iter().map(|subnet| subnet.subnet_id().unwrap().to_owned()));
    assert!(!subnets.is_empty());
    (vpc, subnets)
}

async fn file_system_holds(live: &Live, form: &Form) {
    let id = live.id("efs_file_system.workspace");
    let found = live.efs.describe_file_systems().send().await.unwrap();
    let [system] = found.file_systems() else { panic!("{found:?}") };
    assert_eq!(system.file_system_id(), id);
    assert_eq!((system.encrypted(), system.performance_mode()), (Some(true), &PerformanceMode::GeneralPurpose));
    assert_eq!(system.throughput_mode(), Some(&ThroughputMode::Bursting));
    let tags: BTreeMap<&str, &str> = system.tags().iter().map(|tag| (tag.key(), tag.value())).collect();
    assert_eq!(tags["Name"], form.name());
    let found = live.efs.describe_file_system_policy().file_system_id(id).send().await.unwrap();
    let policy: Value = serde_json::from_str(found.policy().unwrap()).unwrap();
    let statement = &policy["Statement"][0];
    assert_eq!(statement["Action"], json!(["elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite"]));
    assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Allow"), &json!({ "AWS": "*" })));
    assert_eq!(statement["Condition"], json!({ "Bool": { "elasticfilesystem:AccessedViaMountTarget": "true" } }));
    let found = live.efs.describe_mount_targets().file_system_id(id).send().await.unwrap();
    let subnets = sorted(found.mount_targets().iter().map(|target| target.subnet_id().to_owned()));
    assert_eq!(subnets, default_network(live).await.1, "a mount target in each subnet");
    for target in found.mount_targets() {
        let groups = live.efs.describe_mount_target_security_groups().mount_target_id(target.mount_target_id()).send().await.unwrap();
        assert_eq!(groups.security_groups(), [live.id("security_group.efs")]);
    }
}

async fn backups_hold(live: &Live, form: &Form) {
    let vault = format!("{}-vault", form.name());
    let found = live.backup.list_backup_vaults().send().await.unwrap();
    assert!(found.backup_vault_list().iter().any(|one| one.backup_vault_name() == Some(vault.as_str())), "{found:?}");
    let found = live.backup.list_backup_plans().send().await.unwrap();
    let [plan] = found.backup_plans_list() else { panic!("{found:?}") };
    let id = plan.backup_plan_id().unwrap();
    let found = live.backup.get_backup_plan().backup_plan_id(id).send().await.unwrap();
    let plan = found.backup_plan().unwrap();
    assert_eq!(plan.backup_plan_name(), "BackupPlan");
    let [rule] = plan.rules() else { panic!("{plan:?}") };
    assert_eq!((rule.rule_name(), rule.target_backup_vault_name()), ("Daily", vault.as_str()));
    assert_eq!(rule.schedule_expression(), Some("cron(0 5 * * ? *)"));
    assert_eq!(rule.lifecycle().unwrap().delete_after_days(), Some(35));
    let found = live.backup.list_backup_selections().backup_plan_id(id).send().await.unwrap();
    let [selection] = found.backup_selections_list() else { panic!("{found:?}") };
    let selection = selection.selection_id().unwrap();
    let found = live.backup.get_backup_selection().backup_plan_id(id).selection_id(selection).send().await.unwrap();
    let selection = found.backup_selection().unwrap();
    assert_eq!(selection.selection_name(), "EfsSelection");
    assert_eq!(selection.iam_role_arn(), role_arn(form, "backup"));
    assert_eq!(selection.resources(), [file_system_arn(live)]);
}

fn file_system_arn(live: &Live) -> String {
    format!("arn:aws:elasticfilesystem:us-east-1:{ACCOUNT}:file-system/{}", live.id("efs_file_system.workspace"))
}

fn role_arn(form: &Form, role: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{}-{role}", form.name())
}

fn policy(text: &str) -> Value {
    let mut document: Value = serde_json::from_str(&percent_decode_str(text).decode_utf8().unwrap()).unwrap();
    for statement in document["Statement"].as_array_mut().unwrap() {
        for key in ["Action", "Resource"] {
            if statement[key].is_string() {
                statement[key] = json!([statement[key]]);
            }
        }
    }
    document
}

async fn roles_hold(live: &Live, form: &Form) {
    let service = "arn:aws:iam::aws:policy/service-role";
    let expected = [
        ("backup", "backup.amazonaws.com", vec![format!("{service}/AWSBackupServiceRolePolicyForBackup")]),
        ("execution", "ecs-tasks.amazonaws.com", vec![format!("{service}/AmazonECSTaskExecutionRolePolicy")]),
        ("task", "ecs-tasks.amazonaws.com", Vec::new()),
    ];
    for (role, principal, managed) in expected {
        let name = format!("{}-{role}", form.name());
        let found = live.iam.get_role().role_name(&name).send().await.unwrap();
        let trust = policy(found.role().unwrap().assume_role_policy_document().unwrap());
        assert_eq!(trust["Statement"][0]["Principal"], json!({ "Service": principal }));
        assert_eq!(trust["Statement"][0]["Action"], json!(["sts:AssumeRole"]));
        let found = live.iam.list_attached_role_policies().role_name(&name).send().await.unwrap();
        assert_eq!(sorted(found.attached_policies().iter().map(|one| one.policy_arn().unwrap().to_owned())), managed);
    }
    let logs = format!("arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/ecs/{}:*", form.name());
    let secret = live.id("secretsmanager_secret.api_key");
    let repository = format!("arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{}", form.name());
    let write = json!({ "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": [logs] });
    let execution = json!([
        { "Effect": "Allow", "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], "Resource": [secret] },
        { "Effect": "Allow", "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "Resource": [repository] },
        { "Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"] },
        write,
    ]);
    let task = json!([
        write,
        { "Effect": "Allow", "Action": ["cloudwatch:PutMetricData"], "Resource": ["*"], "Condition": { "StringEquals": { "cloudwatch:namespace": "ClaudeCodeAgent" } } },
        { "Effect": "Allow", "Action": ["elasticfilesystem:Client*"], "Resource": [file_system_arn(live)] },
    ]);
    for (role, allowed) in [("execution", execution), ("task", task)] {
        let name = format!("{}-{role}", form.name());
        let found = live.iam.get_role_policy().role_name(name).policy_name("default").send().await.unwrap();
        assert_eq!(policy(found.policy_document())["Statement"], allowed, "{role}");
    }
}

async fn cluster_and_task_hold(live: &Live, form: &Form) {
    use aws_sdk_ecs::types::ClusterField::Settings;
    let found = live.ecs.describe_clusters().clusters(form.name()).include(Settings).send().await.unwrap();
    let [cluster] = found.clusters() else { panic!("{found:?}") };
    assert_eq!(cluster.settings()[0].value(), Some("enabled"));
    let spot: &[&str] = if form.spot { &["FARGATE", "FARGATE_SPOT"] } else { &[] };
    assert_eq!(sorted(cluster.capacity_providers().iter().map(String::as_str)), spot);
    assert_eq!(cluster.default_capacity_provider_strategy(), []);
    let found = live.ecs.describe_task_definition().task_definition(form.name()).send().await.unwrap();
    let task = found.task_definition().unwrap();
    assert_eq!((task.cpu(), task.memory()), (Some(form.cpu), Some(form.memory)));
    assert_eq!((task.network_mode(), task.requires_compatibilities()), (Some(&NetworkMode::Awsvpc), &[Compatibility::Fargate][..]));
    assert_eq!(task.execution_role_arn(), Some(role_arn(form, "execution").as_str()));
    assert_eq!(task.task_role_arn(), Some(role_arn(form, "task").as_str()));
    let [volume] = task.volumes() else { panic!("{task:?}") };
    let efs = volume.efs_volume_configuration().unwrap();
    assert_eq!((volume.name(), efs.file_system_id()), (Some("workspace"), live.id("efs_file_system.workspace")));
    assert_eq!(efs.transit_encryption(), Some(&EfsTransitEncryption::Enabled));
    assert_eq!(efs.authorization_config().unwrap().iam(), Some(&EfsAuthorizationConfigIam::Enabled));
    let [container] = task.container_definitions() else { panic!("{task:?}") };
    assert_eq!((container.name(), container.essential()), (Some("agent"), Some(true)));
    let environment: BTreeMap<_, _> = container.environment().iter().map(|pair| (pair.name().unwrap(), pair.value().unwrap())).collect();
    assert_eq!(environment, BTreeMap::from([("AWS_REGION", "us-east-1"), ("ENVIRONMENT", form.environment)]));
    let [secret] = container.secrets() else { panic!("{container:?}") };
    assert_eq!((secret.name(), secret.value_from()), ("ANTHROPIC_API_KEY", live.id("secretsmanager_secret.api_key")));
    let [mount] = container.mount_points() else { panic!("{container:?}") };
    assert_eq!((mount.source_volume(), mount.container_path()), (Some("workspace"), Some("/workspace")));
    assert_ne!(mount.read_only(), Some(true));
    let logs = container.log_configuration().unwrap().options().unwrap();
    let group = format!("/ecs/{}", form.name());
    let expected = [("awslogs-group", group.as_str()), ("awslogs-stream-prefix", "agent"), ("awslogs-region", "us-east-1")];
    assert_eq!(logs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<BTreeMap<_, _>>(), BTreeMap::from(expected));
    assert!(container.image().unwrap().ends_with(&format!("/{}:latest", form.name())), "{container:?}");
}

async fn service_holds(live: &Live, form: &Form) {
    let found = live.ecs.describe_services().cluster(form.name()).services(form.name()).send().await.unwrap();
    let [service] = found.services() else { panic!("{found:?}") };
    assert_eq!(service.desired_count(), 1);
    let strategy: Vec<(&str, i32)> =
        service.capacity_provider_strategy().iter().map(|one| (one.capacity_provider(), one.weight())).collect();
    if form.spot {
        assert_eq!(strategy, [("FARGATE_SPOT", 1)]);
    } else {
        assert_eq!((service.launch_type(), strategy.len()), (Some(&LaunchType::Fargate), 0));
    }
    let deployment = service.deployment_configuration().unwrap();
    assert_eq!((deployment.minimum_healthy_percent(), deployment.maximum_percent()), (Some(50), Some(200)));
    assert_eq!(service.load_balancers(), []);
    assert!(!service.enable_ecs_managed_tags());
    let network = service.network_configuration().unwrap().awsvpc_configuration().unwrap();
    assert_eq!(network.assign_public_ip(), Some(&AssignPublicIp::Enabled));
    assert_eq!(network.security_groups(), [live.id("security_group.service")]);
    assert_eq!(sorted(network.subnets().iter().cloned()), default_network(live).await.1);
}

async fn alarms_hold(live: &Live, form: &Form) {
    let topic = format!("arn:aws:sns:us-east-1:{ACCOUNT}:{}-alerts", form.name());
    for (suffix, description, metric) in
        [("high-cpu", "CPU > 90% for 2 periods", "CPUUtilization"), ("high-memory", "Memory > 90% for 2 periods", "MemoryUtilization")]
    {
        let name = format!("{}-{suffix}", form.name());
        let found = live.alarms.describe_alarms().alarm_names(&name).send().await.unwrap();
        let [alarm] = found.metric_alarms() else { panic!("{name}: {found:?}") };
        watches(alarm, form, description, metric);
        assert_eq!(alarm.alarm_actions(), if form.spot { vec![topic.clone()] } else { Vec::new() });
    }
    let topics = live.sns.list_topics().send().await.unwrap();
    let topics: Vec<&str> = topics.topics().iter().map(|one| one.topic_arn().unwrap()).collect();
    if form.spot {
        assert_eq!(topics, [topic.as_str()]);
        let found = live.sns.list_subscriptions_by_topic().topic_arn(&topic).send().await.unwrap();
        let [subscription] = found.subscriptions() else { panic!("{found:?}") };
        assert_eq!((subscription.protocol(), subscription.endpoint()), (Some("email"), Some("ops@example.com")));
    } else {
        assert_eq!(topics, [""; 0]);
    }
}

fn watches(alarm: &MetricAlarm, form: &Form, description: &str, metric: &str) {
    assert_eq!(alarm.alarm_description(), Some(description));
    assert_eq!((alarm.namespace(), alarm.metric_name()), (Some("AWS/ECS"), Some(metric)));
    assert_eq!((alarm.statistic(), alarm.period()), (Some(&Statistic::Average), Some(300)));
    assert_eq!((alarm.evaluation_periods(), alarm.threshold()), (Some(2), Some(90.0)));
    assert_eq!(alarm.comparison_operator(), Some(&ComparisonOperator::GreaterThanThreshold));
    let dimensions: BTreeMap<_, _> = alarm.dimensions().iter().map(|one| (one.name().unwrap(), one.value().unwrap())).collect();
    let name = form.name();
    assert_eq!(dimensions, BTreeMap::from([("ClusterName", name.as_str()), ("ServiceName", name.as_str())]));
}

fn outputs_hold(live: &Live, form: &Form) {
    let outputs = &live.outputs;
    assert_eq!(outputs.as_object().unwrap().len(), 6, "{outputs:#}");
    let name = form.name();
    assert!(outputs["ecr_repository_uri"].as_str().unwrap().ends_with(&format!("/{name}")));
    assert_eq!((&outputs["ecs_cluster_name"], &outputs["ecs_service_name"]), (&json!(name), &json!(name)));
    assert_eq!(outputs["efs_file_system_id"], live.id("efs_file_system.workspace"));
    assert_eq!(outputs["log_group_name"], format!("/ecs/{name}"));
    assert_eq!(outputs["anthropic_api_key_secret_arn"], live.id("secretsmanager_secret.api_key"));
}

/// The tags of what the app tags, of each kind one.
async fn everything_is_tagged(live: &Live, form: &Form) {
    let expected =
        BTreeMap::from([("Environment".to_owned(), form.environment.to_owned()), ("Project".to_owned(), "claude-code".to_owned())]);
    let ours = |tags: Vec<(String, String)>| -> BTreeMap<String, String> {
        tags.into_iter().filter(|(key, _)| expected.contains_key(key)).collect()
    };
    let vault = live.backup.describe_backup_vault().backup_vault_name(format!("{}-vault", form.name())).send().await.unwrap();
    let tags = live.backup.list_tags().resource_arn(vault.backup_vault_arn().unwrap()).send().await.unwrap();
    assert_eq!(ours(tags.tags().unwrap().clone().into_iter().collect()), expected, "vault");
    let found = live.efs.describe_file_systems().send().await.unwrap();
    let tags = found.file_systems()[0].tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned()));
    assert_eq!(ours(tags.collect()), expected, "file system");
    let groups = live.ec2.describe_security_groups().group_ids(live.id("security_group.efs")).send().await.unwrap();
    let tags = groups.security_groups()[0].tags().iter().map(|tag| (tag.key().unwrap().to_owned(), tag.value().unwrap().to_owned()));
    assert_eq!(ours(tags.collect()), expected, "group");
    let role = live.iam.list_role_tags().role_name(format!("{}-task", form.name())).send().await.unwrap();
    let tags = role.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned()));
    assert_eq!(ours(tags.collect()), expected, "role");
    let found = live.alarms.describe_alarms().alarm_names(format!("{}-high-cpu", form.name())).send().await.unwrap();
    let tags = live.alarms.list_tags_for_resource().resource_arn(found.metric_alarms()[0].alarm_arn().unwrap()).send().await.unwrap();
    let tags = tags.tags().iter().map(|tag| (tag.key().unwrap().to_owned(), tag.value().unwrap().to_owned()));
    assert_eq!(ours(tags.collect()), expected, "alarm");
}

pub async fn only_what_is_kept_is_left(live: &Live) {
    assert_eq!(live.ecr.describe_repositories().send().await.unwrap().repositories().len(), 1);
    assert_eq!(live.efs.describe_file_systems().send().await.unwrap().file_systems().len(), 1);
    let vaults = live.backup.list_backup_vaults().send().await.unwrap();
    assert!(vaults.backup_vault_list().iter().any(|one| one.backup_vault_name() == Some("claude-code-prod-vault")));
    assert_eq!(live.backup.list_backup_plans().send().await.unwrap().backup_plans_list(), []);
    assert_eq!(live.ecs.list_clusters().send().await.unwrap().cluster_arns(), [""; 0]);
    assert_eq!(live.logs.describe_log_groups().send().await.unwrap().log_groups(), []);
    assert_eq!(live.secrets.list_secrets().send().await.unwrap().secret_list(), []);
    assert_eq!(live.sns.list_topics().send().await.unwrap().topics(), []);
    assert_eq!(live.alarms.describe_alarms().send().await.unwrap().metric_alarms(), []);
    let id = live.id("efs_file_system.workspace");
    let targets = live.efs.describe_mount_targets().file_system_id(id).send().await.unwrap();
    assert_eq!(targets.mount_targets(), []);
    for group in ["security_group.efs", "security_group.service"] {
        assert!(live.ec2.describe_security_groups().group_ids(live.id(group)).send().await.is_err(), "{group}");
    }
}
