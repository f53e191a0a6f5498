//! Plans and applies of small stacks on an emulator: exactly what is shown happens.

use std::path::PathBuf;

use leoctl_core::plan::select::Options;
use leoctl_core::plan::types::Action;

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::world::{World, shown};

const ROLE: &str = r#"
[resource.iam_role.r]
name = "NAME-r"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
"#;

#[tokio::test]
async fn a_replacement_takes_its_dependents_along_and_says_why() {
    let world = World::new(Emulator::MiniStack.endpoint().unwrap(), "p-replace").await;
    let stack = |cidr: &str| {
        format!(
            "[resource.vpc.v]\ncidr_block = \"{cidr}\"\n[resource.subnet.s]\nvpc_id = \"${{vpc.v.id}}\"\ncidr_block = \"${{cidrsubnet(vpc.v.cidr_block, 8, 1)}}\"\navailability_zone = \"us-east-1a\"\n"
        )
    };
    world.apply(&stack("10.1.0.0/16")).await.unwrap();
    let plan = world.plan(&stack("10.2.0.0/16")).await.unwrap();
    assert!(plan.changes.iter().all(|change| change.action == Action::Replace), "{}", shown(&plan));
    assert_eq!(plan.changes[0].replace_paths()[0].to_string(), "cidr_block");
    world.apply(&stack("10.2.0.0/16")).await.unwrap();
    assert!(!world.plan(&stack("10.2.0.0/16")).await.unwrap().has_changes());
    world.destroy(&stack("10.2.0.0/16")).await.unwrap();
}

#[test]
fn the_plan_of_a_whole_platform_reads_well() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "666666666666");
    insta::assert_snapshot!(project.expect(0, &["plan", "stacks/prod.toml"]).stdout);
}

#[tokio::test]
async fn what_is_guarded_is_not_deleted_even_without_its_block() {
    let world = World::new(Emulator::MiniStack.endpoint().unwrap(), "p-guard").await;
    let role = ROLE.replace("NAME", "p-guard");
    let guarded = format!("{role}\n[resource.iam_role.r.lifecycle]\nprevent_destroy = true\n");
    world.apply(&guarded).await.unwrap();
    assert!(world.plan("").await.unwrap_err().contains("prevent_destroy"));
    assert!(world.destroy(&guarded).await.unwrap_err().contains("prevent_destroy"));
    let retained = format!("{role}\n[resource.iam_role.r.lifecycle]\ndeletion_policy = \"retain\"\n");
    world.apply(&retained).await.unwrap();
    world.apply("").await.unwrap();
    assert!(world.exists("iam_role", "p-guard-r").await);
    world.delete("iam_role", "p-guard-r").await.unwrap();
}

#[tokio::test]
async fn a_name_that_exists_and_is_not_ours_is_an_error_with_the_way_out() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let (first, second) = (World::new(endpoint, "p-first").await, World::new(endpoint, "p-second").await);
    let role = ROLE.replace("NAME", "p-shared");
    first.apply(&role).await.unwrap();
    let refused = second.plan(&role).await.unwrap_err();
    assert!(refused.contains("it belongs to iam_role.r of stack p-first"), "{refused}");
    let imported = format!("{role}\n[[import]]\nto = \"iam_role.r\"\nid = \"p-shared-r\"\n");
    assert_eq!(second.plan(&imported).await.unwrap().summary().import, 1);
    first.destroy(&role).await.unwrap();
}

#[tokio::test]
async fn moved_and_removed_change_the_state_and_nothing_in_aws() {
    let world = World::new(Emulator::MiniStack.endpoint().unwrap(), "p-moved").await;
    let role = ROLE.replace("NAME", "p-moved");
    world.apply(&role).await.unwrap();
    let moved = format!("{}\n[[moved]]\nfrom = \"iam_role.r\"\nto = \"iam_role.s\"\n", role.replace("iam_role.r", "iam_role.s"));
    let plan = world.plan(&moved).await.unwrap();
    assert_eq!((plan.summary().create, plan.summary().delete), (0, 0), "{}", shown(&plan));
    world.apply(&moved).await.unwrap();
    assert_eq!(world.id("iam_role.s").await.as_deref(), Some("p-moved-r"));
    world.apply("[[removed]]\nfrom = \"iam_role.s\"\n").await.unwrap();
    assert_eq!(world.id("iam_role.s").await, None);
    world.delete("iam_role", "p-moved-r").await.unwrap();
}

#[tokio::test]
async fn drift_is_shown_apart_and_repaired() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let (world, other) = (World::new(endpoint, "p-drift").await, World::new(endpoint, "p-drift").await);
    let group = |days: u32| format!("[resource.cloudwatch_log_group.g]\nname = \"/p/drift\"\nretention_in_days = {days}\n");
    world.apply(&group(7)).await.unwrap();
    // Somebody else, with the same names and tags but another state, changes it.
    other.apply(&group(30)).await.unwrap();
    let plan = world.plan(&group(7)).await.unwrap();
    assert_eq!(plan.drift[0].attributes[0].path.to_string(), "retention_in_days");
    insta::assert_snapshot!(shown(&plan));
    world.apply(&group(7)).await.unwrap();
    let plan = world.plan(&group(7)).await.unwrap();
    assert!(!plan.has_changes() && plan.drift.is_empty(), "{}", shown(&plan));
    world.destroy(&group(7)).await.unwrap();
    let plan = other.plan(&group(7)).await.unwrap();
    assert!(plan.drift[0].loss.is_some());
    assert_eq!(plan.summary().create, 1);
}

#[tokio::test]
async fn targets_bring_what_they_need_and_excludes_take_what_needs_them() {
    let world = World::new(Emulator::MiniStack.endpoint().unwrap(), "p-target").await;
    let stack = "[resource.vpc.v]\ncidr_block = \"10.3.0.0/16\"\n[resource.internet_gateway.g]\nvpc_id = \"${vpc.v.id}\"\n[resource.cloudwatch_log_group.l]\nname = \"/p/target\"\n";
    let address = |text: &str| text.parse().unwrap();
    let only = Options { targets: vec![address("internet_gateway.g")], ..Options::default() };
    assert_eq!(world.planned(stack, &only).await.unwrap().plan.summary().create, 2);
    let without = Options { excludes: vec![address("vpc.v")], ..Options::default() };
    assert_eq!(world.planned(stack, &without).await.unwrap().plan.summary().create, 1);
    let wrong = Options { targets: vec![address("vpc.w")], ..Options::default() };
    assert!(world.planned(stack, &wrong).await.is_err());
}

#[test]
fn no_secret_value_is_written_or_shown() {
    const SECRET: &str = "hunter2-hunter2";
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, "222222222222");
    project.write(".env", &format!("TOKEN={SECRET}\n"));
    let stack = |more: &str| {
        format!(
            r#"
[stack]
name = "p-secret"
region = "us-east-1"
[env]
files = [".env"]
[vars.password]
sensitive = true
[resource.ecs_task_definition.t]
family = "p-secret"
cpu = 256
memory = 512
container_definitions = [{{ name = "a", image = "b{more}", environment = {{ TOKEN = "${{env.TOKEN}}", PASSWORD = "x${{vars.password}}" }} }}]
[outputs]
token = "${{env.TOKEN}}"
"#
        )
    };
    project.write("s.toml", &stack(""));
    let mut shown = String::new();
    let mut run = |arguments: &[&str]| {
        let variable = format!("password={SECRET}");
        let ran = project.expect(0, &[arguments, &["-vv", "--var", &variable, "s.toml"]].concat());
        shown.push_str(&ran.stdout);
        shown.push_str(&ran.stderr);
    };
    run(&["plan", "--out", "plan.json"]);
    run(&["plan", "--json"]);
    run(&["apply", "-y"]);
    run(&["plan", "--detailed-exitcode"]);
    project.write("s.toml", &stack("2"));
    run(&["plan", "--json"]);
    run(&["apply", "-y", "--json"]);
    run(&["show"]);
    run(&["output"]);
    run(&["destroy", "-y"]);
    assert!(!shown.contains(SECRET), "{shown}");
    let written = assert_not_written(&project, SECRET);
    assert!(written.iter().any(|path| path.ends_with("plan.json")));
}

/// The files of a project beside `.env`; none of them has the secret in it.
pub fn assert_not_written(project: &Project, secret: &str) -> Vec<PathBuf> {
    let mut written = Vec::new();
    let mut folders = vec![project.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false if entry.file_name() != ".env" => written.push(entry.path()),
                false => {}
            }
        }
    }
    for path in &written {
        let text = std::fs::read(path).unwrap();
        assert!(!text.windows(secret.len()).any(|part| part == secret.as_bytes()), "{}", path.display());
    }
    written
}

#[test]
fn a_secret_that_aws_never_returns_changes_when_the_file_says_so() {
    const STACK: &str = r#"
[stack]
name = "p-oidc"
region = "us-east-1"
[env]
files = [".env"]
[resource.vpc.n]
cidr_block = "10.9.0.0/16"
[resource.subnet.n]
for_each = { a = "0", b = "1" }
vpc_id = "${vpc.n.id}"
cidr_block = "10.9.${each.value}.0/24"
availability_zone = "us-east-1${each.key}"
[resource.lb.n]
name = "p-oidc"
subnets = ["${subnet.n['a'].id}", "${subnet.n['b'].id}"]
[resource.lb_listener.n]
load_balancer_arn = "${lb.n.arn}"
port = 80
protocol = "HTTP"
default_actions = [{ type = "fixed-response", fixed_response_config = { status_code = "404", content_type = "text/plain" } }]
[resource.lb_listener_rule.n]
listener_arn = "${lb_listener.n.arn}"
priority = 1
conditions = [{ field = "path-pattern", values = ["/a"] }]
actions = [
  { type = "authenticate-oidc", authenticate_oidc_config = { issuer = "https://i.example", authorization_endpoint = "https://i.example/a", token_endpoint = "https://i.example/t", user_info_endpoint = "https://i.example/u", client_id = "CLIENT", client_secret = "${env.TOKEN}" } },
  { type = "fixed-response", fixed_response_config = { status_code = "200", content_type = "text/plain" } },
]
"#;
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "777777777777");
    let mut shown = String::new();
    let mut run = |code: i32, arguments: &[&str]| {
        let ran = project.expect(code, &[arguments, &["-vv", "s.toml"]].concat());
        shown.push_str(&ran.stdout);
        shown.push_str(&ran.stderr);
        ran.stdout
    };
    // The second time the client's id is a secret too, which hides all actions together.
    for client in ["c", "${env.CLIENT}"] {
        project.write("s.toml", &STACK.replace("CLIENT", client));
        project.write(".env", "TOKEN=hunter2-first\nCLIENT=hunter2-client\n");
        run(0, &["apply", "-y"]);
        let plan: serde_json::Value = serde_json::from_str(&run(0, &["plan", "--detailed-exitcode", "--json"])).unwrap();
        assert_eq!(plan["drift"], serde_json::json!([]), "{plan:#}");
        run(0, &["plan", "--detailed-exitcode", "--refresh=false"]);
        project.write(".env", "TOKEN=hunter2-second\nCLIENT=hunter2-client\n");
        let plan: serde_json::Value = serde_json::from_str(&run(2, &["plan", "--detailed-exitcode", "--json"])).unwrap();
        let changes = plan["changes"].as_array().unwrap().iter().flat_map(|change| change["attributes"].as_array().unwrap());
        let changed: Vec<&str> = changes.map(|attribute| attribute["path"].as_str().unwrap()).collect();
        assert_eq!(changed, ["actions[0].authenticate_oidc_config.client_secret"]);
        run(0, &["apply", "-y"]);
        run(0, &["plan", "--detailed-exitcode"]);
    }
    run(0, &["show"]);
    run(0, &["destroy", "-y"]);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_not_written(&project, "hunter2");
}

#[test]
fn a_saved_plan_is_applied_once_and_refused_when_the_world_moved_on() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "333333333333");
    let stack = |days: u32| {
        format!(
            "[stack]\nname = \"p-saved\"\nregion = \"us-east-1\"\n[resource.cloudwatch_log_group.g]\nname = \"/p/saved\"\nretention_in_days = {days}\n"
        )
    };
    project.write("s.toml", &stack(7));
    project.expect(0, &["plan", "s.toml", "--out", "p.json"]);
    project.expect(0, &["apply", "--plan", "p.json"]);
    assert!(project.expect(1, &["apply", "--plan", "p.json"]).stderr.contains("stale"));
    project.write("s.toml", &stack(14));
    project.expect(0, &["plan", "s.toml", "--out", "p.json"]);
    project.write("s.toml", &stack(30));
    assert!(project.expect(1, &["apply", "--plan", "p.json"]).stderr.contains("the stack's files or variables"));
    project.expect(0, &["destroy", "-y", "s.toml"]);
}

#[test]
fn what_another_address_has_is_neither_imported_nor_made_beside_it() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "343434343434");
    let role = |block: &str| {
        let policy = "{ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = { Service = \"ecs-tasks.amazonaws.com\" } }] }";
        format!(
            "[stack]\nname = \"p-two\"\nregion = \"us-east-1\"\n[resource.iam_role.{block}]\nname = \"p-two\"\nassume_role_policy = {policy}\n"
        )
    };
    project.write("s.toml", &role("a"));
    project.expect(0, &["apply", "-y", "s.toml"]);
    let state = || std::fs::read_to_string(project.path().join("state/p-two.json")).unwrap();
    let before = state();
    project.write("s.toml", &role("b"));
    let import = project.expect(1, &["import", "iam_role.b", "p-two", "-y", "s.toml"]).stderr;
    assert!(import.contains("that is iam_role.a in the state") && import.contains("[[moved]]"), "{import}");
    let made = project.expect(1, &["apply", "-y", "--target", "iam_role.b", "s.toml"]).stderr;
    assert!(made.contains("iam_role.b cannot be made") && made.contains("add `--target 'iam_role.a'`"), "{made}");
    assert_eq!(state(), before);
    // What is said helps.
    project.write("s.toml", &format!("{}[[moved]]\nfrom = \"iam_role.a\"\nto = \"iam_role.b\"\n", role("b")));
    project.expect(0, &["apply", "-y", "s.toml"]);
    project.expect(0, &["plan", "--detailed-exitcode", "s.toml"]);
    project.expect(0, &["destroy", "-y", "s.toml"]);
}

#[test]
fn a_file_without_an_end_is_no_plan_and_no_state() {
    let project = Project::new("http://127.0.0.1:1", "test");
    for arguments in [&["apply", "--plan", "/dev/zero"][..], &["state", "push", "/dev/zero", "stacks/dev.toml"]] {
        let refused = project.expect(1, arguments).stderr;
        assert!(refused.contains("/dev/zero") && refused.contains("too large"), "{refused}");
    }
}

#[test]
fn five_thousand_resources_are_planned_without_a_call_each() {
    let mut text = String::from("[stack]\nname = \"p-many\"\nregion = \"us-east-1\"\n");
    for layer in 0..10 {
        for number in 0..500 {
            let name = match layer {
                0 => format!("/many/{layer}/{number}"),
                _ => format!("${{cloudwatch_log_group.g{}_{number}.name}}/{layer}", layer - 1),
            };
            text.push_str(&format!("[resource.cloudwatch_log_group.g{layer}_{number}]\nname = \"{name}\"\n"));
        }
    }
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "444444444444");
    project.write("s.toml", &text);
    let ran = project.expect(0, &["plan", "--json", "--refresh=false", "s.toml"]);
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(plan["summary"]["create"], 5000);
    assert_eq!(plan["api_calls"]["total"], 1);
}

#[tokio::test]
async fn data_sources_answer_and_wait_for_what_is_still_to_be_made() {
    let world = World::new(Emulator::MiniStack.endpoint().unwrap(), "p-data").await;
    let stack = r#"
[data.caller_identity.me]
[data.vpc.default]
default = true
[data.subnets.all]
vpc_id = "${data.vpc.default.id}"
[data.security_group.default]
name = "default"
vpc_id = "${data.vpc.default.id}"
[data.security_group.by_id]
group_id = "${data.security_group.default.id}"
[data.ecr_image.none]
repository_name = "p-data-none"
[resource.secretsmanager_secret.s]
name = "p-data"
recovery_window_in_days = 0
[data.secretsmanager_secret.s]
name = "${secretsmanager_secret.s.name}"
[outputs]
account = "${data.caller_identity.me.account_id == stack.account_id}"
network = "${data.vpc.default.cidr_block}"
subnets = "${data.subnets.all.ids.size() > 0 && data.subnets.all.ids[0].startsWith('subnet-')}"
group = "${data.security_group.default.id.startsWith('sg-') && data.security_group.by_id.id == data.security_group.default.id}"
image = "${data.ecr_image.none.exists}"
secret = "${data.secretsmanager_secret.s.arn == secretsmanager_secret.s.arn}"
"#;
    // The secret is made in the same apply, so it is looked up after that.
    let first = world.planned(stack, &Options::default()).await;
    let first = first.map(|planned| planned.plan.reads.len());
    assert_eq!(first, Ok(1));
    let report = world.apply(stack).await.unwrap();
    let shown = |name: &str| leoctl::ui::value::inline(&report.outputs[name]);
    assert_eq!(
        [shown("account"), shown("subnets"), shown("group"), shown("image"), shown("secret")],
        ["true", "true", "true", "false", "true"]
    );
    assert!(shown("network").ends_with("/16\""), "{}", shown("network"));
    assert!(!world.plan(stack).await.unwrap().has_changes());
    world.destroy(stack).await.unwrap();
    let wrong = "[data.acm_certificate.c]\ndomain = \"nowhere.example\"\n";
    assert!(world.plan(wrong).await.unwrap_err().contains("no certificate for nowhere.example"));
}
