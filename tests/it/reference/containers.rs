//! The cluster, the orchestrator's service, and the two kinds of task.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{
    AssignPublicIp, Compatibility, ContainerDefinition, LaunchType, LogDriver, NetworkMode, Service, TaskDefinition, TransportProtocol,
};

use super::network::subnets;
use super::{roles, storage};
use crate::support::live::{Live, sorted};

const CLUSTER: &str = "arn:aws:ecs:us-east-1:123456789012:cluster/leo-saas-cluster";
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:leo-saas";

pub async fn holds(live: &Live) {
    cluster_holds(live).await;
    orchestrator_holds(live).await;
    generator_holds(live).await;
    let service = service(live).await;
    service_is_one_task_on_fargate(live, &service).await;
    service_is_deployed_with_care(&service);
    service_is_reached_through_the_load_balancer(live, &service);
    service_is_on_the_public_subnets(live, &service);
}

async fn cluster_holds(live: &Live) {
    let found = live.ecs.describe_clusters().clusters("leo-saas-cluster").send().await.unwrap();
    let [cluster] = found.clusters() else { panic!("{found:?}") };
    assert_eq!(cluster.cluster_name(), Some("leo-saas-cluster"));
    assert_eq!((cluster.cluster_arn(), cluster.status()), (Some(CLUSTER), Some("ACTIVE")));
}

/// The active revision of a family.
pub async fn task_definition(live: &Live, family: &str) -> TaskDefinition {
    let found = live.ecs.describe_task_definition().task_definition(family).send().await.unwrap();
    found.task_definition().unwrap().clone()
}

async fn orchestrator_holds(live: &Live) {
    let task = task_definition(live, "leo-saas-app").await;
    runs_on_fargate(&task, "1024", "2048", "leo-orchestrator-task");
    let container = only_container(&task, "leo-saas-app");
    assert_eq!(container.image(), Some(format!("{}:latest", storage::repository_uri(live, "leo-saas-app").await).as_str()));
    let [port] = container.port_mappings() else { panic!("not one port: {container:?}") };
    assert_eq!((port.container_port(), port.protocol()), (Some(5013), Some(&TransportProtocol::Tcp)));
    logs_to(container, "/ecs/leo-saas-app", "app");
    let generator = task_definition(live, "leo").await;
    let subnets = subnets(live).join(",");
    let expected = [
        ("NODE_ENV", "production"),
        ("PORT", "5013"),
        ("AWS_REGION", "us-east-1"),
        ("S3_BUCKET", storage::BUCKET),
        ("ECS_CLUSTER", "leo-saas-cluster"),
        ("APP_GENERATOR_TASK_DEF", generator.task_definition_arn().unwrap()),
        ("TASK_SECURITY_GROUP", live.id("security_group.generator")),
        ("TASK_SUBNETS", &subnets),
    ];
    assert_eq!(environment(container), BTreeMap::from(expected));
    let expected = [
        ("SUPABASE_URL", "supabase-url"),
        ("SUPABASE_ANON_KEY", "supabase-anon-key"),
        ("SUPABASE_SERVICE_ROLE_KEY", "supabase-service-role-key"),
        ("DATABASE_URL", "database-url"),
        ("GITHUB_BOT_TOKEN", "github-bot-token"),
        ("FLY_API_TOKEN", "fly-api-token"),
        ("CLAUDE_CODE_OAUTH_TOKEN", "claude-oauth-token"),
    ];
    has_secrets(container, &expected);
}

async fn generator_holds(live: &Live) {
    let task = task_definition(live, "leo").await;
    runs_on_fargate(&task, "4096", "8192", "leo-generator-task");
    let container = only_container(&task, "leo");
    assert_eq!(container.image(), Some(format!("{}:latest", storage::repository_uri(live, "leo").await).as_str()));
    assert_eq!(container.port_mappings(), [], "nobody connects to a generator by a port of its own");
    logs_to(container, "/ecs/leo", "generator");
    assert_eq!(environment(container), BTreeMap::from([("S3_BUCKET", storage::BUCKET), ("AWS_REGION", "us-east-1")]));
    has_secrets(container, &[("CLAUDE_CODE_OAUTH_TOKEN", "claude-oauth-token")]);
}

fn runs_on_fargate(task: &TaskDefinition, cpu: &str, memory: &str, role: &str) {
    assert_eq!((task.cpu(), task.memory()), (Some(cpu), Some(memory)));
    assert_eq!(task.network_mode(), Some(&NetworkMode::Awsvpc));
    assert_eq!(task.requires_compatibilities(), [Compatibility::Fargate]);
    assert_eq!(task.task_role_arn(), Some(roles::arn(role).as_str()));
    assert_eq!(task.execution_role_arn(), Some(roles::arn("leo-task-execution").as_str()));
}

/// The task's one container, which bears the family's name and cannot be missed.
fn only_container<'a>(task: &'a TaskDefinition, name: &str) -> &'a ContainerDefinition {
    let [container] = task.container_definitions() else { panic!("not one container: {task:?}") };
    assert_eq!((task.family(), container.name(), container.essential()), (Some(name), Some(name), Some(true)));
    container
}

fn logs_to(container: &ContainerDefinition, group: &str, prefix: &str) {
    let logs = container.log_configuration().unwrap();
    assert_eq!(logs.log_driver(), &LogDriver::Awslogs);
    let options = logs.options().unwrap().iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let expected = [("awslogs-group", group), ("awslogs-stream-prefix", prefix), ("awslogs-region", "us-east-1")];
    assert_eq!(options.collect::<BTreeMap<_, _>>(), BTreeMap::from(expected));
}

fn environment(container: &ContainerDefinition) -> BTreeMap<&str, &str> {
    container.environment().iter().map(|pair| (pair.name().unwrap(), pair.value().unwrap())).collect()
}

/// Secrets come into the environment by reference, each from the stack's own.
fn has_secrets(container: &ContainerDefinition, expected: &[(&str, &str)]) {
    let found: BTreeMap<&str, String> = container.secrets().iter().map(|one| (one.name(), one.value_from().to_owned())).collect();
    assert_eq!(found, expected.iter().map(|(name, secret)| (*name, format!("{SECRET}/{secret}"))).collect());
}

async fn service(live: &Live) -> Service {
    let found = live.ecs.describe_services().cluster(CLUSTER).services("LeoSaasService").send().await.unwrap();
    found.services()[0].clone()
}

async fn service_is_one_task_on_fargate(live: &Live, service: &Service) {
    assert_eq!(service.service_name(), Some("LeoSaasService"));
    assert_eq!(service.cluster_arn(), Some(CLUSTER));
    assert_eq!(service.desired_count(), 1);
    assert_eq!(service.launch_type(), Some(&LaunchType::Fargate));
    assert_eq!(service.task_definition(), task_definition(live, "leo-saas-app").await.task_definition_arn());
    assert!(!service.enable_ecs_managed_tags());
}

/// A deployment keeps half of the tasks and may double them; unlike the CDK app's, one whose tasks fail is taken back.
fn service_is_deployed_with_care(service: &Service) {
    let deployment = service.deployment_configuration().unwrap();
    assert_eq!((deployment.minimum_healthy_percent(), deployment.maximum_percent()), (Some(50), Some(200)));
    let breaker = deployment.deployment_circuit_breaker().unwrap();
    assert!(breaker.enable() && breaker.rollback(), "{breaker:?}");
}

fn service_is_reached_through_the_load_balancer(live: &Live, service: &Service) {
    let [target] = service.load_balancers() else { panic!("not one target: {service:?}") };
    assert_eq!(target.target_group_arn(), Some(live.id("lb_target_group.app")));
    assert_eq!((target.container_name(), target.container_port()), (Some("leo-saas-app"), Some(5013)));
    assert_eq!(service.health_check_grace_period_seconds(), Some(60));
}

/// Without NAT gateways, a task needs an address of its own to get its image.
fn service_is_on_the_public_subnets(live: &Live, service: &Service) {
    let network = service.network_configuration().unwrap().awsvpc_configuration().unwrap();
    assert_eq!(network.assign_public_ip(), Some(&AssignPublicIp::Enabled));
    assert_eq!(network.security_groups(), [live.id("security_group.app")]);
    assert_eq!(sorted(network.subnets().iter().map(String::as_str)), sorted(subnets(live)));
}

pub async fn are_gone(live: &Live) {
    let clusters = live.ecs.list_clusters().send().await.unwrap();
    assert_eq!(clusters.cluster_arns(), [""; 0]);
    let active = live.ecs.list_task_definitions().send().await.unwrap();
    assert_eq!(active.task_definition_arns(), [""; 0]);
}
