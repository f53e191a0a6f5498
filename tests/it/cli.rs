//! The command line itself.

use crate::support::program::Project;

#[test]
fn help_is_what_the_documentation_says() {
    let project = Project::new("", "test");
    let mut shown = String::new();
    for command in [
        "",
        "init",
        "validate",
        "plan",
        "apply",
        "destroy",
        "output",
        "show",
        "state",
        "secrets",
        "redeploy",
        "scale",
        "push",
        "docker-login",
        "cost",
        "status",
        "stats",
        "logs",
        "exec",
        "run",
        "tasks",
        "iam-policy",
        "sandbox",
        "demo",
    ] {
        let arguments: Vec<&str> = [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        shown.push_str(&format!("$ leoctl {}\n{}\n", arguments.join(" "), project.expect(0, &arguments).stdout));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn without_a_stack_the_choice_is_listed() {
    let project = Project::new("", "test");
    let ran = project.expect(1, &["validate"]);
    assert!(ran.stderr.contains("stacks/agent-dev.toml, stacks/agent-prod.toml, stacks/agent-staging.toml, stacks/app-gen.toml, stacks/dev.toml, stacks/devbox.toml, stacks/prod.toml"), "{}", ran.stderr);
    let mut command = project.command(&["validate"]);
    let ran = crate::support::program::ran(command.env("LEOCTL_STACK", "stacks/dev.toml").output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("Stack stacks/dev.toml"));
}

/// What the shell gets when the last word is to be completed.
fn completed(project: &Project, words: &[&str]) -> Vec<String> {
    let mut command = project.command(&[&["--", "leoctl"], words].concat());
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string()).env("_CLAP_IFS", "\n");
    let ran = crate::support::program::ran(command.env("LEOCTL_STACK", "stacks/prod.toml").output().unwrap());
    ran.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn the_shell_completes_commands_and_the_names_of_the_stack() {
    let project = Project::new("", "test");
    let script = project.expect(0, &["completions", "bash"]).stdout;
    assert!(script.contains("complete") && script.contains("leoctl"), "{script}");
    assert!(project.expect(1, &["completions", "ksh"]).stderr.contains("zsh"));
    assert_eq!(completed(&project, &["rede"]), ["redeploy"]);
    assert_eq!(completed(&project, &["redeploy", ""])[0], "app");
    assert_eq!(completed(&project, &["validate", "stacks/p"]), ["stacks/prod.toml"]);
    assert!(completed(&project, &["plan", "--target", "ecs_"]).contains(&"ecs_service.app".to_owned()));
}

#[test]
fn an_unreachable_aws_is_said_in_words() {
    let project = Project::new("http://127.0.0.1:9", "test");
    let ran = project.expect(1, &["plan", "stacks/prod.toml"]);
    assert!(ran.stderr.contains("asking AWS who we are"), "{}", ran.stderr);
    assert!(ran.stderr.contains("sts:GetCallerIdentity"), "{}", ran.stderr);
}

#[test]
fn what_may_exist_is_seen_moved_and_forgotten() {
    let project = Project::new("", "test");
    project.write("stacks/s.toml", "[stack]\nname = \"s\"\nregion = \"eu-west-1\"\n");
    let intent = serde_json::json!({
        "address": "vpc.v", "account": "111111111111", "region": "me-south-1", "token": "t", "attributes": {}, "depends_on": [],
        "guard": { "prevent_destroy": false, "retain": false },
    });
    let state = serde_json::json!({
        "format_version": 2, "leoctl_version": "0", "stack": "s", "account_id": "111111111111", "region": "eu-west-1",
        "lineage": "l", "serial": 1, "salt": "x", "resources": {}, "outputs": {}, "open": [intent],
    });
    project.write("state/s.json", &state.to_string());
    let stack = "stacks/s.toml";
    let seen = |arguments: &[&str]| project.expect(0, &[arguments, &[stack]].concat()).stdout;
    for shown in [seen(&["state", "list"]), seen(&["show"]), seen(&["state", "show", "vpc.v"])] {
        assert!(shown.contains("vpc.v") && shown.contains("may exist in me-south-1"), "{shown}");
    }
    let listed = project.json(&["state", "list", "--json", stack]);
    assert_eq!(listed[0]["may_exist"], true);
    project.expect(0, &["state", "mv", "vpc.v", "vpc.w", stack]);
    assert!(project.expect(1, &["state", "rm", "vpc.v", stack]).stderr.contains("no vpc.v in the state"));
    let ran = project.expect(0, &["state", "rm", "vpc.w", stack]);
    assert!((ran.stdout + &ran.stderr).contains("me-south-1"), "what may be left behind is said");
    assert_eq!(seen(&["state", "list"]), "");
}
