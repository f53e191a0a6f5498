//! The agent platform through the real binary, on emulators that behave as AWS is documented to: in AWS what its CDK app makes, in both of its forms; each variable changes
//! exactly what it is about; production keeps exactly what is to be kept.

mod made;

use serde_json::Value;

use crate::support::emulator::Emulator;
use crate::support::live::Live;
use crate::support::program::Project;
use crate::support::proxy::Proxy;

/// One form of the platform.
struct Form {
    stack: &'static str,
    environment: &'static str,
    cpu: &'static str,
    memory: &'static str,
    log_retention_days: i32,
    spot: bool,
    /// What the variables are given as.
    variables: &'static [&'static str],
}

const DEV: Form = Form {
    stack: "stacks/agent-dev.toml",
    environment: "dev",
    cpu: "2048",
    memory: "8192",
    log_retention_days: 7,
    spot: false,
    variables: &["--var", "rollout=none"],
};

const PROD: Form = Form {
    stack: "stacks/agent-prod.toml",
    environment: "prod",
    cpu: "4096",
    memory: "16384",
    log_retention_days: 30,
    spot: true,
    variables: &["--var", "rollout=none", "--var", "use_fargate_spot=true", "--var", "alert_email=ops@example.com"],
};

impl Form {
    fn name(&self) -> String {
        format!("claude-code-{}", self.environment)
    }

    fn expect(&self, project: &Project, code: i32, command: &[&str], more: &[&str]) -> String {
        project.expect(code, &[command, &[self.stack], self.variables, more].concat()).stdout
    }

    fn plan(&self, project: &Project, more: &[&str]) -> Value {
        serde_json::from_str(&self.expect(project, 0, &["plan", "--json"], more)).unwrap()
    }
}

/// What a plan does, as `action address: attributes`, in order of addresses.
fn effects(plan: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let changes = plan["changes"].as_array().unwrap().iter().filter(|change| change["action"] != "no_op");
    let mut effects: Vec<String> = changes
        .map(|change| {
            let paths: Vec<String> = change["attributes"].as_array().unwrap().iter().map(|one| text(&one["path"])).collect();
            let made_or_gone = matches!(change["action"].as_str(), Some("create" | "delete"));
            let paths = if made_or_gone { String::new() } else { format!(": {}", paths.join(", ")) };
            format!("{} {}{paths}", text(&change["action"]), text(&change["address"]))
        })
        .collect();
    effects.sort();
    effects
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_in_dev_is_in_aws_what_its_cdk_app_makes() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let aws = Proxy::strict(&emulator.endpoint, Emulator::Fakecloud);
    let project = Project::new(&aws.endpoint, "test");
    DEV.expect(&project, 0, &["apply", "-y"], &[]);
    assert_eq!(effects(&DEV.plan(&project, &[])), [""; 0]);
    made::holds(&Live::new(&emulator.endpoint, &project, DEV.stack), &DEV).await;
    DEV.expect(&project, 0, &["destroy", "-y"], &[]);
    assert_eq!(project.json(&["state", "list", "--json", DEV.stack]), serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_in_production_is_in_aws_what_its_cdk_app_makes_and_keeps_what_is_to_be_kept() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let aws = Proxy::strict(&emulator.endpoint, Emulator::Fakecloud);
    let project = Project::new(&aws.endpoint, "test");
    PROD.expect(&project, 0, &["apply", "-y"], &[]);
    assert_eq!(effects(&PROD.plan(&project, &[])), [""; 0]);
    let live = Live::new(&emulator.endpoint, &project, PROD.stack);
    made::holds(&live, &PROD).await;
    let plan = PROD.expect(&project, 0, &["plan", "--destroy"], &[]);
    for kept in ["ecr_repository.agent", "efs_file_system.workspace", "backup_vault.main"] {
        assert!(plan.lines().any(|line| line.contains(kept) && line.contains("stays in AWS")), "{kept}: {plan}");
    }
    PROD.expect(&project, 0, &["destroy", "-y"], &[]);
    made::only_what_is_kept_is_left(&live).await;
}

#[test]
fn each_variable_changes_exactly_what_it_is_about() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    DEV.expect(&project, 0, &["apply", "-y"], &[]);
    let changed = |variable: &str| effects(&DEV.plan(&project, &["--var", variable]));
    let size = ["replace ecs_task_definition.agent: ", "update ecs_service.agent: task_definition"];
    assert_eq!(changed("cpu=4096"), [format!("{}cpu", size[0]), size[1].to_owned()]);
    assert_eq!(changed("memory=16384"), [format!("{}memory", size[0]), size[1].to_owned()]);
    assert_eq!(changed("log_retention_days=3"), ["update cloudwatch_log_group.agent: retention_in_days"]);
    assert_eq!(
        changed("use_fargate_spot=true"),
        [
            r#"update ecs_cluster.main: capacity_providers["FARGATE"], capacity_providers["FARGATE_SPOT"]"#,
            r#"update ecs_service.agent: capacity_provider_strategy["FARGATE_SPOT"]"#,
        ]
    );
    assert_eq!(
        changed("alert_email=ops@example.com"),
        [
            "create sns_topic.alerts",
            "create sns_topic_subscription.alerts",
            "update cloudwatch_metric_alarm.high_cpu: alarm_actions[unknown 1]",
            "update cloudwatch_metric_alarm.high_memory: alarm_actions[unknown 1]",
        ]
    );
    // Every name begins with these two, so that nothing keeps its own.
    for variable in ["project_name=other", "environment=staging"] {
        let plan = DEV.plan(&project, &["--var", variable]);
        let kept: Vec<&Value> = plan["changes"].as_array().unwrap().iter().filter(|change| change["action"] == "no_op").collect();
        assert!(kept.is_empty(), "{variable}: {kept:#?}");
    }
}

/// MiniStack does not return alarms whole, and Moto has no backup selections: `cases` has the evidence.
#[test]
fn the_agent_lives_on_the_other_emulators_without_what_they_lack() {
    let alarms = ["--exclude", "cloudwatch_metric_alarm.high_cpu", "--exclude", "cloudwatch_metric_alarm.high_memory"];
    let backups = ["--exclude", "backup_vault.main", "--exclude", "backup_plan.daily", "--exclude", "backup_selection.workspace"];
    // What Moto drops of what the ECS and EC2 API References return as it was given.
    let dropped = [
        "update ecs_service.agent: deployment_configuration.minimum_healthy_percent, deployment_configuration.deployment_circuit_breaker.enable, deployment_configuration.deployment_circuit_breaker.rollback",
        "update security_group_rule.nfs: description",
    ];
    for (emulator, account, without, left) in
        [(Emulator::MiniStack, "777777777777", &alarms[..], &[][..]), (Emulator::Moto, "test", &backups[..], &dropped)]
    {
        let aws = Proxy::strict(emulator.endpoint().unwrap(), emulator);
        let project = Project::new(&aws.endpoint, account);
        DEV.expect(&project, 0, &["apply", "-y"], without);
        assert_eq!(effects(&DEV.plan(&project, without)), left, "{emulator:?}");
        DEV.expect(&project, 0, &["destroy", "-y"], &[]);
    }
}
