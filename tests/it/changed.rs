//! Both systems on emulators that behave as AWS is documented to: made, changed in every kind of thing at once and back, each
//! time found as wanted, deleted, and nothing left that leoctl did not find there.

use crate::support::emulator::Emulator;
use crate::support::inventory::Inventory;
use crate::support::program::Project;
use crate::support::proxy::Proxy;

/// A system, and lines of the tables `[vars]` and `[resource]` of a stack that extends its file.
struct System {
    base: &'static str,
    vars: &'static [&'static str],
    changed_vars: &'static [&'static str],
    resource: &'static [&'static str],
    changed: &'static [&'static str],
}

const LEO: System = System {
    base: "leo.toml",
    vars: &["rollout.default = \"none\""],
    changed_vars: &["allowed_cidrs.default = [\"198.51.100.0/24\", \"2001:db8::/32\"]", "project.default = \"changed\""],
    resource: &["secretsmanager_secret.app.recovery_window_in_days = 0"],
    changed: &[
        "vpc.main.enable_dns_hostnames = false",
        "subnet.public.map_public_ip_on_launch = false",
        "cloudwatch_log_group.app.retention_in_days = 14",
        "ecr_repository.app.image_tag_mutability = \"IMMUTABLE\"",
        "s3_bucket.apps.versioning = \"Enabled\"",
        "s3_bucket.apps.lifecycle_rules = [{ id = \"DeleteAfter30Days\", expiration_in_days = 60, noncurrent_version_expiration_in_days = 7 }]",
        "secretsmanager_secret.app.description = \"changed\"",
        "iam_role.app.max_session_duration = 7200",
        "ecs_task_definition.app.cpu = 512",
        "ecs_task_definition.app.memory = 1024",
        "lb.main.attributes = { \"idle_timeout.timeout_seconds\" = \"120\" }",
        "lb_target_group.app.health_check_interval_seconds = 15",
        "ecs_service.app.deployment_configuration = { maximum_percent = 150, minimum_healthy_percent = 50 }",
        "security_group.generator.description = \"Generator tasks, once more\"",
    ],
};

const AGENT: System = System {
    base: "agent.toml",
    vars: &["project_name.default = \"changing\"", "rollout.default = \"none\""],
    changed_vars: &["alert_email.default = \"nobody@example.com\"", "use_fargate_spot.default = true"],
    resource: &["secretsmanager_secret.api_key.recovery_window_in_days = 0", "backup_vault.main.force_delete = true"],
    changed: &[
        "efs_file_system.workspace.lifecycle_policies = { transition_to_ia = \"AFTER_30_DAYS\" }",
        "backup_plan.daily.rules = [{ rule_name = \"Daily\", target_backup_vault_name = \"${backup_vault.main.name}\", schedule_expression = \"cron(0 6 * * ? *)\", lifecycle = { delete_after_days = 14 } }]",
        "cloudwatch_metric_alarm.high_cpu.threshold = 80",
        "security_group_rule.nfs.description = \"NFS\"",
        "ecs_task_definition.agent.cpu = 4096",
        "ecs_task_definition.agent.memory = 16384",
        "cloudwatch_log_group.agent.retention_in_days = 3",
    ],
};

/// As its file says, changed, and as it was.
const THERE_AND_BACK: [bool; 3] = [false, true, false];

const STACK: &str = "stacks/changed.toml";

impl System {
    fn text(&self, is_changed: bool) -> String {
        let more = |lines: &'static [&'static str]| if is_changed { lines } else { &[] };
        let head = format!("[stack]\nname = \"changed\"\nregion = \"us-east-1\"\nextends = [\"base/{}\"]\n", self.base);
        let vars = [self.vars, more(self.changed_vars)].concat().join("\n");
        let resource = [self.resource, more(self.changed)].concat().join("\n");
        format!("{head}\n[vars]\n{vars}\n\n[resource]\n{resource}\n")
    }

    async fn lives(&self, emulator: Emulator, account: &str, without: &[&str], ways: &[bool]) {
        let Some(alone) = emulator.alone() else { return };
        let left = async || {
            let lines = Inventory::new(&alone.endpoint, account).await.lines().await;
            // fakecloud keeps what a VPC has by itself when the VPC goes: AWS deletes it with it (EC2 API Reference, DeleteVpc).
            let by_itself = |line: &String| line.starts_with("route table not ours") || line.starts_with("security group not ours default");
            lines.into_iter().filter(|line| emulator != Emulator::Fakecloud || !by_itself(line)).collect::<Vec<_>>()
        };
        let before = left().await;
        tokio::task::block_in_place(|| {
            let aws = Proxy::strict(&alone.endpoint, emulator);
            let project = Project::new(&aws.endpoint, account);
            let run = |command: &[&str]| project.expect(0, &[command, &[STACK], without].concat());
            for is_changed in ways.iter().copied() {
                project.write(STACK, &self.text(is_changed));
                let did = run(&["apply", "-y"]);
                let plan = project.run(&[&["plan", "--detailed-exitcode", STACK], without].concat());
                assert_eq!(plan.code, 0, "changed: {is_changed}\n{}\n{}\n{}", did.stdout, plan.stdout, plan.stderr);
            }
            run(&["destroy", "-y"]);
        });
        assert_eq!(left().await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leo_is_changed_on_fakecloud() {
    LEO.lives(Emulator::Fakecloud, "test", &[], &THERE_AND_BACK).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leo_is_changed_on_ministack() {
    // MiniStack has no IPv6: AssociateVpcCidrBlock answers InvalidAction.
    LEO.lives(Emulator::MiniStack, "310000000041", &["--var", "ipv6=false"], &THERE_AND_BACK).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_is_changed_on_fakecloud() {
    AGENT.lives(Emulator::Fakecloud, "test", &[], &THERE_AND_BACK).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agent_is_changed_on_ministack() {
    // MiniStack does not return alarms whole: `cases` has the evidence. And it gives a service that leaves its capacity provider
    // strategy the launch type EC2, whichever it was made with, so that there is no way back.
    let alarms = ["--exclude", "cloudwatch_metric_alarm.high_cpu", "--exclude", "cloudwatch_metric_alarm.high_memory"];
    AGENT.lives(Emulator::MiniStack, "310000000042", &alarms, &[false, true]).await;
}
