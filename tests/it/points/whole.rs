//! Whole stacks as subjects: Leo, and one in which everything is called `x`.

use super::subject::{Phase, Subject};
use crate::support::emulator::Emulator;

/// Everything that can be called `x` and needs little else; but for what fakecloud forgets: the public
/// keys of key pairs, the tags of dashboards.
const EQUAL: &str = r#"
[resource.iam_role.x]
name = "x"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
[resource.iam_instance_profile.x]
name = "x"
role = "${iam_role.x.name}"
[resource.iam_policy.x]
name = "x"
policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }] }
[resource.s3_bucket.x]
bucket = "xxx"
[resource.cloudwatch_log_group.x]
name = "x"
retention_in_days = 7
[resource.ecs_cluster.x]
name = "x"
[resource.ecr_repository.x]
name = "xx"
[resource.secretsmanager_secret.x]
name = "x"
recovery_window_in_days = 0
[resource.ssm_parameter.x]
name = "x"
type = "String"
value = "x"
[resource.sns_topic.x]
name = "x"
[resource.backup_vault.x]
name = "xx"
[resource.kms_key.x]
description = "x"
deletion_window_in_days = 7
[resource.kms_alias.x]
name = "alias/x"
target_key_id = "${kms_key.x.id}"
[resource.vpc.x]
cidr_block = "10.3.0.0/16"
[resource.security_group.x]
name = "x"
description = "x"
vpc_id = "${vpc.x.id}"
[resource.ecs_task_definition.x]
family = "x"
cpu = 256
memory = 512
execution_role_arn = "${iam_role.x.arn}"
container_definitions = [{ name = "x", image = "x" }]
"#;

/// The stack in which all names are equal, with every name but the ids changed to `y` as its change.
pub fn equal_names() -> Subject {
    let renamed = |name: &str, with: &str| (format!("{name}.x"), format!("{name}.{with}"));
    let second = EQUAL
        .replace("name = \"x\"", "name = \"y\"")
        .replace("family = \"x\"", "family = \"y\"")
        .replace("\"xx", "\"yy")
        .replace("alias/x", "alias/y")
        .replace("retention_in_days = 7", "retention_in_days = 30");
    let edited = EQUAL.replace("retention_in_days = 7", "retention_in_days = 14").replace("value = \"x\"", "value = \"z\"");
    whole(
        "equal names",
        vec![renamed("iam_role", "renamed"), renamed("ecs_cluster", "renamed"), renamed("vpc", "renamed")],
        EQUAL,
        &second,
        &edited,
    )
}

/// `stacks/prod.toml`, without the containers that no emulator here runs.
pub fn leo() -> Subject {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks/base/leo.toml");
    let text = std::fs::read_to_string(file).unwrap();
    // The world has a `[stack]` of its own, in which the text goes on.
    let text = text.split_once("[stack]").unwrap().1;
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with("name   =") && !line.starts_with("region ="))
        .map(|line| format!("{line}\n"))
        .collect();
    let with = |name: &str, from: &str, to: &str| {
        let at = text.find(&format!("[vars.{name}]")).unwrap_or_else(|| panic!("there is no variable {name}"));
        let (head, tail) = text.split_at(at);
        format!("{head}{}", tail.replacen(&format!("default     = {from}"), &format!("default     = {to}"), 1))
    };
    let first = with("rollout", "\"wait\"", "\"none\"");
    // Another stack cannot have a name of a secret that is scheduled for deletion, and so could not do its deed.
    let first = first.replace("recovery_window_in_days = 7", "recovery_window_in_days = 0");
    let names = [("\"leo-saas-cluster\"", "\"second\""), ("\"OrchestratorTargetGroup\"", "\"second\""), ("\"leo-saas\"", "\"second\"")];
    let second = names.iter().fold(first.clone(), |text, (from, to)| text.replacen(&format!("= {from}"), &format!("= {to}"), 1));
    let edited = first.replacen("retention_in_days = 7", "retention_in_days = 30", 1);
    let renamed = ["ecs_cluster.main", "lb_target_group.app", "s3_bucket.apps"].map(|name| (name.to_owned(), format!("{name}2")));
    whole("leo", renamed.to_vec(), &first, &second, &edited)
}

fn whole(label: &str, renamed: Vec<(String, String)>, first: &str, second: &str, edited: &str) -> Subject {
    let phase = |label: &str, from: Option<&str>, to: Option<&str>| Phase {
        label: label.to_owned(),
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
        edited: edited.to_owned(),
    };
    Subject {
        label: label.to_owned(),
        type_name: None,
        renamed,
        emulator: Emulator::Fakecloud,
        scaffold: String::new(),
        movable: false,
        phases: vec![phase("create", None, Some(first)), phase("change", Some(first), Some(second)), phase("delete", Some(first), None)],
    }
}
