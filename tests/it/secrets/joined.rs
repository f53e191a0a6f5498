//! Which value is for which secret: what one line of an env file is for reaches nothing else.

use serde_json::json;

use super::{STACK, private, standings, typed, value};
use crate::support::emulator::{Emulator, Running};
use crate::support::program::Project;
use crate::support::sdk;

/// A stack with two services that get a `DATABASE_URL`, each from a secret of its own, a `MAIL_URL` that only `worker`
/// gets from a secret, and two secrets that no container gets and whose names end alike.
fn two_services() -> String {
    let service = |name: &str, secrets: &str, environment: &str| {
        format!(
            r#"
[resource.secretsmanager_secret.{name}]
name = "shop/{name}"
[resource.ecs_task_definition.{name}]
family = "shop-{name}"
cpu = 256
memory = 512
execution_role_arn = "${{iam_role.execution.arn}}"
[[resource.ecs_task_definition.{name}.container_definitions]]
name = "app"
image = "nginx"
secrets = {{ {secrets} }}
environment = {{ {environment} }}
[resource.ecs_service.{name}]
name = "shop-{name}"
cluster = "${{ecs_cluster.main.arn}}"
task_definition = "${{ecs_task_definition.{name}.arn}}"
desired_count = 0
rollout = "none"
"#
        )
    };
    let web = service(
        "web",
        r#"DATABASE_URL = "${secretsmanager_secret.web.arn}", PORT = "${secretsmanager_secret.database.arn}:port::", MODE = "${secretsmanager_secret.database.arn}:mode::""#,
        r#"MAIL_URL = "smtp://web", TOKEN = "x""#,
    );
    let parameter = "arn:aws:ssm:us-east-1:123456789012:parameter/shop/mode";
    let mail = "${secretsmanager_secret.database.arn}:mail::";
    let worker = service(
        "worker",
        &format!(r#"DATABASE_URL = "${{secretsmanager_secret.worker.arn}}", MAIL_URL = "{mail}", MODE = "{parameter}""#),
        "",
    );
    format!(
        r#"
[stack]
name = "shop"
region = "us-east-1"
[env]
files = ["../.env.defaults", "../.env.shop"]
[resource.secretsmanager_secret.database]
name = "shop/database"
[resource.secretsmanager_secret.one]
name = "one/token"
[resource.secretsmanager_secret.two]
name = "two/token"
[resource.iam_role.execution]
name = "shop-execution"
assume_role_policy = {{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = "ecs-tasks.amazonaws.com" }} }}] }}
[resource.ecs_cluster.main]
name = "shop"
{web}{worker}"#
    )
}

/// The stack, applied in an emulator of its own.
fn applied() -> Option<(Running, Project)> {
    let emulator = Emulator::Fakecloud.alone()?;
    let project = Project::new(&emulator.endpoint, "test");
    project.write(".env.defaults", "");
    project.write(STACK, &two_services());
    project.expect(0, &["apply", "-y", STACK]);
    Some((emulator, project))
}

/// How a name stands.
fn standing(project: &Project, name: &str) -> String {
    let found = standings(project).into_iter().find(|(variable, _)| variable == name);
    found.unwrap_or_else(|| panic!("{name} is not listed")).1
}

#[tokio::test]
async fn the_value_of_one_service_s_secret_never_gets_into_another_s() {
    let Some((emulator, project)) = applied() else { return };
    private(&project, ".env.shop", "# two of them\nDATABASE_URL=hunter2-web\n");
    let refused = project.expect(1, &["secrets", "push", "-y", "--from", ".env.shop", STACK]);
    for words in ["`DATABASE_URL`", ".env.shop:2", "web.DATABASE_URL, worker.DATABASE_URL"] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    let status = project.json(&["secrets", "status", "--json", STACK]);
    assert_eq!(status["problems"][0]["help"], "write which: web.DATABASE_URL, worker.DATABASE_URL");
    assert_eq!((standing(&project, "web.DATABASE_URL"), standing(&project, "worker.DATABASE_URL")), ("nowhere".into(), "nowhere".into()));

    private(&project, ".env.shop", "web.DATABASE_URL=hunter2-web\nshop-worker.DATABASE_URL=hunter2-worker\nweb.PROT=hunter2-port\n");
    let pushed = project.expect(0, &["secrets", "push", "-y", STACK]);
    assert!(pushed.stderr.contains(".env.shop:3 means no secret of the stack: did you mean `web.PORT`?"), "{}", pushed.stderr);
    assert_eq!(value(&emulator.endpoint, "shop/web").await, "hunter2-web");
    assert_eq!(value(&emulator.endpoint, "shop/worker").await, "hunter2-worker");

    let several = typed(&project, &["secrets", "set", "DATABASE_URL", STACK], "hunter2-typed");
    assert_eq!(several.code, 1);
    assert!(several.stderr.contains("worker.DATABASE_URL"), "{}", several.stderr);
    let set = typed(&project, &["secrets", "set", "worker.DATABASE_URL", STACK], "hunter2-typed");
    assert_eq!(set.code, 0, "{}", set.stderr);
    assert_eq!(value(&emulator.endpoint, "shop/web").await, "hunter2-web");
    assert_eq!(value(&emulator.endpoint, "shop/worker").await, "hunter2-typed");
}

#[tokio::test]
async fn a_variable_that_another_service_gets_from_a_parameter_is_not_taken_for_the_secret_s() {
    let Some((emulator, project)) = applied() else { return };
    private(&project, ".env.shop", "MODE=hunter2-worker\n");
    let refused = project.expect(1, &["secrets", "push", "-y", "--from", ".env.shop", STACK]);
    assert!(refused.stderr.contains("write which: web.MODE"), "{}", refused.stderr);
    let set = typed(&project, &["secrets", "set", "web.MODE", STACK], "hunter2-web");
    assert_eq!(set.code, 0, "{}", set.stderr);
    assert_eq!(value(&emulator.endpoint, "shop/database").await, r#"{"mode":"hunter2-web"}"#);
}

#[tokio::test]
async fn a_plain_variable_of_one_container_gets_into_no_secret_of_another() {
    let Some((emulator, project)) = applied() else { return };
    private(&project, ".env.shop", "MAIL_URL=hunter2-web\nTOKEN=hunter2-token\n");
    let refused = project.expect(1, &["secrets", "push", "-y", STACK]);
    for words in ["`MAIL_URL`", "ecs_service.web", "write which: worker.MAIL_URL"] {
        assert!(refused.stderr.contains(words), "{words}: {}", refused.stderr);
    }
    private(&project, ".env.shop", "worker.MAIL_URL=hunter2-worker\nMAIL_URL=hunter2-web\nTOKEN=hunter2-token\n");
    project.expect(0, &["secrets", "push", "-y", STACK]);
    assert_eq!(value(&emulator.endpoint, "shop/database").await, r#"{"mail":"hunter2-worker"}"#);
    assert_eq!((standing(&project, "one/token"), standing(&project, "two/token")), ("nowhere".into(), "nowhere".into()));
}

#[tokio::test]
async fn a_secret_that_no_container_gets_is_set_by_its_whole_name() {
    let Some((emulator, project)) = applied() else { return };
    private(&project, ".env.shop", "TOKN=hunter2-token\n");
    let nothing = project.expect(0, &["secrets", "push", "-y", "--from", ".env.shop", STACK]);
    assert!(nothing.stderr.contains("Nothing to push"), "{}", nothing.stderr);
    let lacking = project.expect(0, &["secrets", "pull-names", STACK]).stdout;
    assert!(lacking.contains("\none/token=\n") && lacking.contains("\ntwo/token=\n"), "{lacking}");
    private(&project, ".env.shop", "two/token=hunter2-token\n");
    project.expect(0, &["secrets", "push", "-y", STACK]);
    assert_eq!(value(&emulator.endpoint, "two/token").await, "hunter2-token");
    assert_eq!(standing(&project, "one/token"), "nowhere");
}

#[tokio::test]
async fn the_stack_s_own_env_files_are_read() {
    let Some((emulator, project)) = applied() else { return };
    // The project's own `.env` is another stack's, as this one names its files.
    private(&project, ".env", "PORT=2222\n");
    private(&project, ".env.shop", "PORT=3333\n");
    let status = project.json(&["secrets", "status", "--json", STACK]);
    assert_eq!(status["files"], json!([".env.shop"]));
    project.expect(0, &["secrets", "push", "-y", STACK]);
    assert_eq!(value(&emulator.endpoint, "shop/database").await, r#"{"port":"3333"}"#);
    project.expect(0, &["secrets", "push", "-y", "--from", ".env", STACK]);
    assert_eq!(value(&emulator.endpoint, "shop/database").await, r#"{"port":"2222"}"#);
}

#[tokio::test]
async fn values_of_a_committed_file_are_never_pushed() {
    let Some((emulator, project)) = applied() else { return };
    project.write(".env.defaults", "PORT=1111\n");
    private(&project, ".env.shop", "A=1\n");
    project.expect(0, &["secrets", "push", "-y", STACK]);
    let client = aws_sdk_secretsmanager::Client::new(&sdk::config(&emulator.endpoint, "test").await);
    let found = client.get_secret_value().secret_id("shop/database").send().await;
    assert!(found.unwrap_err().into_service_error().is_resource_not_found_exception());
    assert_eq!(standing(&project, "PORT"), "nowhere");
    let public = project.expect(1, &["secrets", "push", "-y", "--from", ".env.defaults", STACK]);
    assert!(public.stderr.contains("public values"), "{}", public.stderr);
}

#[tokio::test]
async fn a_value_is_pushed_as_it_is_written_whatever_the_environment_has() {
    let Some((emulator, project)) = applied() else { return };
    let cases = [
        ("PORT=p4ss$word1", "p4ss$word1"),
        ("PORT=a#b c", "a#b c"),
        ("PORT=it's", "it's"),
        ("PORT='x ${HOME}' # why", "x ${HOME}"),
        ("\u{feff}PORT=1", "1"),
    ];
    for (line, text) in cases {
        private(&project, ".env", &format!("{line}\r\n"));
        let mut push = project.command(&["secrets", "push", "-y", "--from", ".env", STACK]);
        let output = push.env("word1", "hunter2").output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        let pushed: serde_json::Value = serde_json::from_str(&value(&emulator.endpoint, "shop/database").await).unwrap();
        assert_eq!(pushed, json!({ "port": text }), "{line}");
    }
    private(&project, ".env.shop", "A=1\nB='hunter2\n");
    let unread = project.expect(1, &["secrets", "push", "-y", STACK]);
    assert!(unread.stderr.contains(".env.shop") && unread.stderr.contains("line 2, column 3"), "{}", unread.stderr);
    assert!(!unread.stderr.contains("hunter2"), "{}", unread.stderr);
}

#[test]
fn a_plan_takes_nothing_from_the_environment() {
    let project = Project::new("", "test");
    project.write(".env.defaults", "A=p4ss$word1\n");
    let stack = "[stack]\nname = 'x'\nregion = 'us-east-1'\n[env]\nfiles = ['../.env.defaults']\n[locals]\na = \"${env.A == 'p4ss$word1' ? 1 : 1 / 0}\"\n[outputs]\na = '${locals.a}'\n";
    project.write("stacks/env.toml", stack);
    for word in ["", "hunter2"] {
        let output = project.command(&["validate", "stacks/env.toml"]).env("word1", word).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
