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
        "explain",
        "fmt",
        "schema",
        "console",
        "mcp",
        "approve",
        "plan",
        "apply",
        "destroy",
        "output",
        "show",
        "graph",
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
        "version",
    ] {
        let arguments: Vec<&str> = [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        shown.push_str(&format!("$ leoctl {}\n{}\n", arguments.join(" "), project.expect(0, &arguments).stdout));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn following_logs_is_said_to_be_billed() {
    let help = Project::new("", "test").expect(0, &["logs", "--help"]).stdout;
    let follow: Vec<&str> = help.lines().skip_while(|line| !line.contains("--follow")).take(2).collect();
    assert!(follow.join(" ").contains("AWS bills by the minute"), "{help}");
}

#[test]
fn without_a_stack_the_choice_is_listed() {
    let project = Project::new("", "test");
    let ran = project.expect(1, &["validate"]);
    assert!(ran.stderr.contains("stacks/agent-dev.toml, stacks/agent-prod.toml, stacks/agent-staging.toml, stacks/app-gen.toml, stacks/dev.toml, stacks/devbox.toml, stacks/prod.toml, stacks/shop.toml"), "{}", ran.stderr);
    let mut command = project.command(&["validate"]);
    let ran = crate::support::program::ran(command.env("LEOCTL_STACK", "stacks/dev.toml").output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("Stack stacks/dev.toml"));
}

#[test]
fn what_changes_something_and_asks_nobody_wants_its_stack_named() {
    let project = Project::new("http://127.0.0.1:9", "test");
    project.write("state/.last", "stacks/prod.toml");
    for arguments in [
        &["destroy", "-y"][..],
        &["apply", "-y"],
        &["destroy"],
        &["scale", "down", "-y"],
        &["redeploy", "-y"],
        &["secrets", "push", "-y"],
        &["state", "rm", "vpc.v"],
        &["state", "unlock"],
    ] {
        let ran = project.expect(1, arguments);
        assert!(ran.stderr.contains("which stack?") && ran.stderr.contains("stacks/prod.toml"), "{arguments:?}: {}", ran.stderr);
    }
    // What only looks goes by the last one.
    assert!(project.expect(1, &["status"]).stderr.starts_with("Stack stacks/prod.toml"));
    let two = project.expect(1, &["plan", "stacks/prod.toml", "--sandbox", "--endpoint-url", "http://127.0.0.1:9"]);
    assert!(two.stderr.contains("name two places"), "{}", two.stderr);
}

/// What the shell gets when the last word is to be completed.
fn completed(project: &Project, words: &[&str]) -> Vec<String> {
    completed_for(project, "stacks/prod.toml", words)
}

fn completed_for(project: &Project, stack: &str, words: &[&str]) -> Vec<String> {
    let mut command = project.command(&[&["--", "leoctl"], words].concat());
    command.env("LEOCTL_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string()).env("_CLAP_IFS", "\n");
    let ran = crate::support::program::ran(command.env("LEOCTL_STACK", stack).output().unwrap());
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
    assert_eq!(
        completed(&project, &["explain", "awscc_sqs_q"]),
        ["awscc_sqs_queue", "awscc_sqs_queue_inline_policy", "awscc_sqs_queue_policy"]
    );
}

#[test]
fn the_shell_completes_what_is_in_modules_and_modules_as_a_whole() {
    let project = Project::new("", "test");
    let completed = |words: &[&str]| completed_for(&project, "stacks/shop.toml", words);
    assert_eq!(completed(&["redeploy", ""])[..3], ["billing", "orders", "mail"].map(str::to_owned));
    let targets = completed(&["plan", "--target", "module.web"]);
    for address in ["module.web[\"orders\"]", "module.web[\"orders\"].ecs_service.main"] {
        assert!(targets.iter().any(|target| target.replace('\\', "") == address), "{targets:?}");
    }
}

/// What a real bash puts on the line for the last of these words.
fn inserted(project: &Project, words: &[&str]) -> Vec<String> {
    let script = project.expect(0, &["completions", "bash"]).stdout.replace("\"leoctl\" --", "\"$LEOCTL\" --");
    let script = format!(
        "{script}\nCOMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _clap_complete_leoctl leoctl \"${{!#}}\" leoctl\n\
         [ ${{#COMPREPLY[@]}} -eq 0 ] || printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
    );
    let leoctl = project.command(&[]);
    let mut bash = std::process::Command::new("bash");
    bash.args(["--norc", "-c", &script, "bash", "leoctl"]).args(words).env("LEOCTL", leoctl.get_program());
    bash.current_dir(leoctl.get_current_dir().unwrap());
    let ran = crate::support::program::ran(bash.output().unwrap());
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    ran.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn what_the_shell_inserts_is_a_word_and_no_command() {
    let project = Project::new("", "test");
    project.write("stacks/$(touch ran).toml", "");
    project.write("stacks/a b;id.toml", "");
    project.write("`id`/it's.toml", "");
    assert_eq!(inserted(&project, &["validate", "stacks/$"]), [r"stacks/\$\(touch\ ran\).toml"]);
    assert_eq!(inserted(&project, &["validate", "stacks/a "]), [r"stacks/a\ b\;id.toml"]);
    assert_eq!(inserted(&project, &["plan", "--var-file", "`"]), [r"\`id\`/"]);
    assert_eq!(inserted(&project, &["apply", "--plan", "`id`/"]), [r"\`id\`/it\'s.toml"]);
    assert_eq!(inserted(&project, &["rede"]), ["redeploy"]);
    // As the shell reads them back, they are the names.
    for word in inserted(&project, &["plan", "--var-file", "stacks/"]) {
        let mut bash = std::process::Command::new("bash");
        bash.args(["-c", &format!("[ -e {word} ]")]).current_dir(project.command(&[]).get_current_dir().unwrap());
        assert!(bash.status().unwrap().success(), "{word}");
    }
    assert!(!project.path().join("stacks/ran").exists() && !project.path().join("ran").exists());
}

#[test]
fn a_variable_that_something_else_has_set_takes_no_command_over() {
    let project = Project::new("", "test");
    for (name, value) in [("COMPLETE", "bash"), ("COMPLETE", "1"), ("_CLAP_COMPLETE_INDEX", "1")] {
        let mut command = project.command(&["validate", "stacks/dev.toml"]);
        let ran = crate::support::program::ran(command.env(name, value).output().unwrap());
        assert!(ran.code == 0 && ran.stdout.contains("is valid"), "{name}: {}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn wrong_usage_is_an_error_and_not_a_change() {
    let project = Project::new("", "test");
    for words in [&["plann"][..], &["plan", "--detailed-exitcode", "--nonsense"], &["scale"]] {
        assert!(project.expect(1, words).stderr.contains("error:"), "{words:?}");
    }
    project.expect(0, &["plan", "--help"]);
}

#[test]
fn a_saved_plan_that_is_not_there_is_said_to_be() {
    let ran = Project::new("", "test").expect(1, &["apply", "--plan", "nope"]);
    assert!(ran.stderr.contains("there is no plan nope") && ran.stderr.contains("leoctl plan --out"), "{}", ran.stderr);
}

#[test]
fn an_unreachable_aws_is_said_in_words() {
    let project = Project::new("http://127.0.0.1:9", "test");
    let ran = project.expect(1, &["plan", "stacks/prod.toml"]);
    for said in [
        "asking AWS who we are\n  AWS could not be reached: http://127.0.0.1:9 refuses connections\n",
        "sts:GetCallerIdentity",
        "AWS_ENDPOINT_URL",
    ] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("finds out"), "nothing was done: {}", ran.stderr);
    let project = Project::new("http://no.such.host.invalid", "test");
    let ran = project.expect(1, &["plan", "stacks/prod.toml"]);
    assert!(ran.stderr.contains("no.such.host.invalid does not resolve\n"), "{}", ran.stderr);
}

#[test]
fn missing_credentials_are_said_in_words_with_what_to_do() {
    let project = Project::new("", "test");
    let backend =
        "[stack]\nname = \"s\"\nregion = \"us-east-1\"\n[stack.backend.s3]\nbucket = \"b\"\nkey = \"k\"\nregion = \"us-east-1\"\n";
    project.write("s.toml", backend);
    for (stack, at) in [("stacks/prod.toml", "asking AWS who we are"), ("s.toml", "cannot read s3://b/")] {
        let mut command = project.command(&["plan", stack]);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_EC2_METADATA_DISABLED", "true");
        let ran = crate::support::program::ran(command.output().unwrap());
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        for said in [at, "no AWS credentials were found\n", "AWS_PROFILE", "aws sso login"] {
            assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
        }
    }
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

#[test]
fn the_shell_completes_what_operates_a_stack() {
    let project = Project::new("", "test");
    for (words, has) in [
        (&["logs", ""][..], "app"),
        (&["run", ""], "app"),
        (&["tasks", "list", ""], "app"),
        (&["run", "x", "--like", ""], "app"),
        (&["scale", ""], "down"),
        (&["scale", ""], "app"),
        (&["scale", "down", ""], "app"),
        (&["secrets", "set", ""], "secretsmanager_secret."),
        (&["secrets", "push", "--only", ""], "secretsmanager_secret."),
        (&["state", "mv", "vpc.a", ""], "ecs_service.app"),
    ] {
        let found = completed(&project, words);
        assert!(found.iter().any(|one| one.starts_with(has)), "{words:?}: {found:?}");
    }
    assert!(!completed(&project, &["push", "image", "app", "--tag", ""]).contains(&"ecs_service.app".to_owned()));
}

#[test]
fn a_stack_file_that_is_none_is_met_with_what_was_meant() {
    let project = Project::new("", "test");
    project.write("my.plan", r#"{ "format_version": 1, "plan": {} }"#);
    for (arguments, meant) in [
        (&["plan", "stacks/dve.toml"][..], "did you mean `stacks/dev.toml`?"),
        (&["validate", "dev"], "did you mean `stacks/dev.toml`?"),
        (&["status", "prod.toml"], "did you mean `stacks/prod.toml`?"),
        (&["plan", "nothing-like-it"], "there is no stack file nothing-like-it"),
        (&["apply", "my.plan"], "`leoctl apply --plan my.plan` carries it out"),
    ] {
        let ran = project.expect(1, arguments);
        let said = (ran.stdout + &ran.stderr).replace('\n', " ");
        assert!(said.contains(meant), "{arguments:?}: {said}");
    }
}

#[test]
fn a_profile_or_region_that_there_is_none_of_ends_a_command_before_aws_is_asked() {
    let project = Project::new("http://127.0.0.1:9", "test");
    project.write("aws", "[profile shop]\nregion = eu-west-1\n");
    let with = |arguments: &[&str], profile: Option<&str>| {
        let mut command = project.command(arguments);
        command.env("AWS_CONFIG_FILE", project.path().join("aws")).env_remove("AWS_PROFILE");
        crate::support::program::ran(command.envs(profile.map(|profile| ("AWS_PROFILE", profile))).output().unwrap())
    };
    for (arguments, profile) in
        [(&["plan", "stacks/dev.toml", "--profile", "shpo"][..], None), (&["plan", "stacks/dev.toml"], Some("shpo"))]
    {
        let ran = with(arguments, profile);
        assert!(ran.code == 1 && ran.stderr.contains("has the profile `shpo`"), "{}", ran.stderr);
        assert!(ran.stderr.contains("did you mean `shop`?"), "{}", ran.stderr);
    }
    let known = with(&["plan", "stacks/dev.toml"], Some("shop"));
    assert!(known.stderr.contains("could not be reached"), "{}", known.stderr);
    let region = with(&["plan", "stacks/dev.toml", "--region", "mars-1"], None);
    assert!(region.code == 1 && region.stderr.contains("such as us-east-1"), "{}", region.stderr);
}

#[test]
fn a_policy_is_for_a_role_by_its_name_or_arn() {
    let project = Project::new("http://127.0.0.1:9", "test");
    for (role, is_one) in [
        ("deploy", true),
        ("/ci/deploy", true),
        ("arn:aws:iam::111111111111:role/ci/deploy", true),
        ("arn:aws:iam::111111111111:user/me", true),
        ("arn:aws:sts::111111111111:assumed-role/deploy/session", false),
        ("arn:aws:iam::1:role/deploy", false),
        ("a role", false),
        ("*", false),
        ("", false),
    ] {
        let ran = project.expect(1, &["iam-policy", "apply", "--role", role, "stacks/dev.toml"]);
        assert_eq!(ran.stderr.contains("expected the name of a role"), !is_one, "{role}: {}", ran.stderr);
    }
}

#[test]
fn a_login_session_has_credentials_until_it_ends() {
    let project = Project::new("http://127.0.0.1:9", "test");
    project.write("aws", "[profile dev]\nlogin_session = arn:aws:iam::0123456789012:user/Admin\nregion = us-east-1\n");
    let plan = || {
        let mut command = project.command(&["plan", "stacks/dev.toml", "--profile", "dev"]);
        command.env("AWS_CONFIG_FILE", project.path().join("aws")).env("AWS_LOGIN_CACHE_DIRECTORY", project.path());
        crate::support::program::ran(command.output().unwrap()).stderr
    };
    let without = plan();
    assert!(without.contains("the AWS credentials could not be loaded") && without.contains("`aws login`"), "{without}");
    // As the AWS CLI keeps it, in a file that is named after the session's hash.
    let token = serde_json::json!({
        "accessToken": {
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": "secret", "sessionToken": "token", "accountId": "012345678901",
            "expiresAt": "2999-12-25T21:30:00Z",
        },
        "tokenType": "aws_sigv4", "refreshToken": "refresh", "idToken": "identity", "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": "-----BEGIN EC PRIVATE KEY-----\ntest\n-----END EC PRIVATE KEY-----\n",
    });
    project.write("36db1d138ff460920374e4c3d8e01f53f9f73537e89c88d639f68393df0e2726.json", &token.to_string());
    let with = plan();
    assert!(with.contains("AWS could not be reached: http://127.0.0.1:9 refuses connections"), "{with}");
}
