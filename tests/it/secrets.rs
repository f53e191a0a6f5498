//! The values of a stack's secrets: compared with env files, pushed, set, and never shown.

mod generated;
mod joined;
mod pushed;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::sdk;

const STACK: &str = "stacks/shop.toml";

const BODY: &str = r#"
[stack]
name = "shop"
region = "us-east-1"
[resource.secretsmanager_secret.token]
name = "shop/api-token"
[resource.secretsmanager_secret.database]
name = "shop/database"
[resource.secretsmanager_secret.spare]
name = "shop/spare-key"
[resource.iam_role.execution]
name = "shop-execution"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
[resource.ecs_cluster.main]
name = "shop"
[resource.ecs_task_definition.web]
family = "shop-web"
cpu = 256
memory = 512
execution_role_arn = "${iam_role.execution.arn}"
[[resource.ecs_task_definition.web.container_definitions]]
name = "web"
image = "nginx"
secrets = { API_TOKEN = "${secretsmanager_secret.token.arn}", DB_USER = "${secretsmanager_secret.database.arn}:user::", DB_PASSWORD = "${secretsmanager_secret.database.arn}:password::" }
[resource.ecs_service.web]
name = "shop-web"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${ecs_task_definition.web.arn}"
desired_count = 0
rollout = "none"
"#;

const VALUES: [&str; 4] = ["hunter2-token", "hunter2-password", "hunter2-other", "hunter2-typed"];

/// A file only its owner reads.
fn private(project: &Project, name: &str, text: &str) {
    project.write(name, text);
    std::fs::set_permissions(project.path().join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn standings(project: &Project) -> Vec<(String, String)> {
    let status = project.json(&["secrets", "status", "--json", STACK]);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    status["secrets"].as_array().unwrap().iter().map(|one| (text(&one["variable"]), text(&one["standing"]))).collect()
}

/// What is typed to a command, which then ends.
fn typed(project: &Project, arguments: &[&str], text: &str) -> Ran {
    let mut command = project.command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that reads nothing may have ended already.
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes());
    ran(child.wait_with_output().unwrap())
}

/// A secret's value, read past leoctl.
async fn value(endpoint: &str, name: &str) -> String {
    let found =
        aws_sdk_secretsmanager::Client::new(&sdk::config(endpoint, "test").await).get_secret_value().secret_id(name).send().await.unwrap();
    found.secret_string.unwrap()
}

/// Every file of the project but the env files, and what was printed: no value is in any of it.
fn nothing_is_shown(project: &Project, runs: &[Ran]) {
    let mut texts: Vec<String> = runs.iter().map(|ran| format!("{}{}", ran.stdout, ran.stderr)).collect();
    collect(project.path(), &mut texts);
    for value in VALUES {
        assert!(texts.iter().all(|text| !text.contains(value)), "{value} is shown or kept");
    }
}

fn collect(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, texts);
        } else if !path.file_name().unwrap().to_string_lossy().starts_with(".env") {
            texts.push(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
        }
    }
}

#[tokio::test]
async fn secrets_are_compared_pushed_and_set_without_being_shown() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, BODY);
    project.expect(0, &["apply", "-y", STACK]);
    let mut runs = Vec::new();

    let none = project.expect(1, &["secrets", "status", STACK]);
    assert!(none.stderr.contains("--from FILE") && none.stderr.contains("SAAS_ROOT"), "{}", none.stderr);
    private(&project, ".env", "API_TOKEN=hunter2-token\nDB_USER=shop\nDB_PASSWORD=hunter2-password\nELSEWHERE=hunter2-other\n");
    let pairs = |standings: [&str; 4]| {
        let names = ["DB_PASSWORD", "DB_USER", "shop/spare-key", "API_TOKEN"].map(str::to_owned);
        names.into_iter().zip(standings.map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(standings(&project), pairs(["unset", "unset", "nowhere", "unset"]));
    assert_eq!(project.json(&["secrets", "status", "--json", STACK])["not_in_the_stack"], json!(["ELSEWHERE"]));
    let missing = project.expect(0, &["secrets", "pull-names", STACK]);
    assert_eq!(missing.stdout, "# shop/spare-key\nshop/spare-key=\n");

    // Nobody is asked here, so nothing is done.
    runs.push(project.expect(1, &["secrets", "push", STACK]));
    assert_eq!(standings(&project), pairs(["unset", "unset", "nowhere", "unset"]));
    runs.push(project.expect(0, &["secrets", "push", "-y", "--only", "API_TOKEN", "-vv", STACK]));
    assert!(runs[1].stderr.contains("leoctl redeploy web"), "{}", runs[1].stderr);
    assert_eq!(standings(&project), pairs(["unset", "unset", "nowhere", "unchanged"]));
    runs.push(project.expect(0, &["secrets", "push", "-y", STACK]));
    assert_eq!(standings(&project), pairs(["unchanged", "unchanged", "nowhere", "unchanged"]));
    assert_eq!(value(&emulator.endpoint, "shop/api-token").await, "hunter2-token");
    let database: serde_json::Value = serde_json::from_str(&value(&emulator.endpoint, "shop/database").await).unwrap();
    assert_eq!(database, json!({ "user": "shop", "password": "hunter2-password" }));

    // Pushed once more nothing is sent; changed in the file it differs.
    let proxy = Proxy::recording(&emulator.endpoint);
    let mut again = project.command(&["secrets", "push", "-y", STACK]);
    runs.push(ran(again.env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap()));
    assert!(proxy.calls().iter().all(|call| call.operation != "PutSecretValue"));
    private(&project, ".env", "API_TOKEN=hunter2-other\nDB_USER=shop\n");
    assert_eq!(standings(&project), pairs(["not_in_files", "unchanged", "nowhere", "differs"]));

    // Set from stdin, without the end of the line.
    runs.push(typed(&project, &["secrets", "set", "shop/spare-key", STACK], "hunter2-typed\n"));
    assert_eq!(runs.last().unwrap().code, 0, "{}", runs.last().unwrap().stderr);
    assert_eq!(value(&emulator.endpoint, "shop/spare-key").await, "hunter2-typed");
    runs.push(project.expect(0, &["secrets", "status", STACK]));
    assert_eq!(standings(&project), pairs(["not_in_files", "unchanged", "not_in_files", "differs"]));
    nothing_is_shown(&project, &runs);
    // The plan has nothing to say of values.
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
}

#[tokio::test]
async fn mistakes_with_secrets_are_met_with_what_was_meant() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    project.write(STACK, BODY);
    assert!(project.expect(1, &["secrets", "status", STACK]).stderr.contains("leoctl apply"));
    project.expect(0, &["apply", "-y", STACK]);
    project.write("app/.env", "API_TOKEN=hunter2-token\n");
    let typo = project.expect(1, &["secrets", "push", "-y", "--only", "API_TOKN", "--from", "app/.env", STACK]);
    assert!(typo.stderr.contains("API_TOKEN"), "{}", typo.stderr);
    assert!(typo.stderr.contains("chmod 600"), "{}", typo.stderr);
    let absent = project.expect(1, &["secrets", "status", "--from", "app/.envv", STACK]);
    assert!(absent.stderr.contains("app/.envv"), "{}", absent.stderr);
    // The repository beside this one, as the environment says: who may commit a file does not choose.
    for (file, code) in [(".env.defaults", 1), (".env", 0)] {
        private(&project, file, "A=1\nSAAS_ROOT=app\n");
        let committed = project.expect(code, &["secrets", "push", "-y", STACK]);
        assert!(committed.stderr.contains(&format!("{file}:2 is not used")), "{}", committed.stderr);
        assert!(!committed.stderr.contains("API_TOKEN"), "{}", committed.stderr);
    }
    std::fs::remove_file(project.path().join(".env")).unwrap();
    let environment = project.command(&["secrets", "status", "--json", STACK]).env("SAAS_ROOT", "app").output().unwrap();
    let beside: serde_json::Value = serde_json::from_slice(&environment.stdout).unwrap();
    assert_eq!(beside["files"].as_array().unwrap().len(), 1);
    let beside = |arguments: &[&str]| ran(project.command(&[arguments, &[STACK]].concat()).env("SAAS_ROOT", "app").output().unwrap());
    private(&project, ".env", "DB_USER=\n");
    let both: serde_json::Value = serde_json::from_str(&beside(&["secrets", "status", "--json"]).stdout).unwrap();
    assert_eq!(both["files"].as_array().unwrap().len(), 2);
    assert!(both["secrets"].to_string().contains(r#""standing":"unset""#), "{both}");
    // An empty line hides what stands in the file before.
    private(&project, ".env", "# more\nAPI_TOKEN=\n");
    let hidden = beside(&["secrets", "push", "-y"]);
    assert!(hidden.stderr.contains("Note: `API_TOKEN` (.env:2) is empty, and hides the value in app/.env:1"), "{}", hidden.stderr);
    assert!(hidden.stderr.contains("Nothing to push"), "{}", hidden.stderr);
    let hides: serde_json::Value = serde_json::from_str(&beside(&["secrets", "status", "--json"]).stdout).unwrap();
    assert_eq!(hides["hidden"].as_array().unwrap().len(), 1);
    let other = beside(&["secrets", "push", "-y", "--only", "DB_USER"]);
    assert!(!other.stderr.contains("hides the value"), "{}", other.stderr);
    let service = project.expect(1, &["redeploy", "wbe", "--stack", STACK]);
    assert!(service.stderr.contains("web"), "{}", service.stderr);
}
