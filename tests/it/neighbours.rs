//! Stacks that read what other stacks, and other tools, have put out.

use serde_json::{Value, json};

use crate::support::emulator::Emulator;
use crate::support::program::Project;

const NETWORK: &str = r#"
[stack]
name = "network-${vars.environment}"
region = "us-east-1"
[vars.environment]
[vars.token]
default = "hunter2"
sensitive = true
[vars.group]
default = "/network"
[resource.cloudwatch_log_group.main]
name = "${vars.group}"
[outputs]
group = "${cloudwatch_log_group.main.name}"
token = "${vars.token}"
"#;

const APP: &str = r#"
[stack]
name = "app"
region = "us-east-1"
[data.stack.network]
file = "network.toml"
vars = { environment = "prod" }
[resource.cloudwatch_log_group.app]
name = "${data.stack.network.outputs.group}/app"
[outputs]
network = "${data.stack.network.name}"
"#;

fn project(account: &str) -> Project {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), account);
    project.write("stacks/network.toml", NETWORK);
    project.write("stacks/app.toml", APP);
    project
}

const ENVIRONMENT: [&str; 2] = ["--var", "environment=prod"];

#[test]
fn a_stack_that_reads_another_one_is_applied_after_it() {
    let project = project("430000000101");
    let early = project.expect(1, &["plan", "stacks/app.toml"]);
    assert!(early.stderr.contains("network-prod (network.toml) has never been applied"), "{}", early.stderr);
    let both = ["stacks/app.toml", "stacks/network.toml"];
    let of_one = project.expect(1, &[&["apply", "-y", "--plan-id", &"f".repeat(32)], &both[..]].concat());
    assert!(of_one.stderr.contains("an id is of one plan"), "{}", of_one.stderr);
    let refused = project.expect(1, &[&["apply", "-y"], &both[..]].concat());
    assert!(
        refused.stderr.contains("Skipped stacks/app.toml: it reads the outputs of stacks/network.toml, which was not applied"),
        "{}",
        refused.stderr
    );
    // Only the one has the variable; the other has no use for it.
    project.write("stacks/network.toml", &NETWORK.replace("[vars.environment]", "[vars.environment]\ndefault = \"prod\""));
    project.expect(0, &[&["apply", "-y"], &both[..]].concat());
    let outputs: Value = serde_json::from_str(&project.expect(0, &["output", "stacks/app.toml", "--json"]).stdout).unwrap();
    assert_eq!(outputs, json!({ "network": "network-prod" }));
    let shown = project.expect(0, &["show", "stacks/app.toml", "--json"]).stdout;
    assert!(shown.contains("/network/app") && !shown.contains("hunter2"), "{shown}");
    // What changes there changes here with the next apply, and a plan says of when it is.
    let unchanged = project.expect(0, &["plan", "stacks/app.toml", "--detailed-exitcode"]);
    assert!(unchanged.stderr.contains("The outputs of network-prod (network.toml) are those of its apply 1, "), "{}", unchanged.stderr);
    project.expect(0, &["apply", "-y", "stacks/network.toml", "--var", "group=/core"]);
    let plan = project.expect(2, &["plan", "stacks/app.toml", "--detailed-exitcode"]);
    assert!(plan.stdout.contains("/core/app"), "{}", plan.stdout);
    // What is read goes last.
    let gone = project.expect(0, &[&["apply", "--destroy", "-y", "stacks/network.toml", "stacks/app.toml"][..]].concat());
    let at = |name: &str| gone.stderr.find(&format!("Stack stacks/{name}.toml")).unwrap();
    assert!(at("app") < at("network"), "{}", gone.stderr);
}

#[test]
fn a_plan_is_of_what_it_has_read_and_nothing_that_is_sensitive_is_said_of_that() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "430000000107");
    let state = |group: &str| json!({ "version": 4, "outputs": { "group": { "value": group, "type": "string" } } }).to_string();
    project.write("files/net.tfstate", &state("/a"));
    let stack = "[stack]\nname = \"app\"\nregion = \"us-east-1\"\n[vars.place]\nsensitive = true\ndefault = \"../files/sekret.tfstate\"\n\
                 [data.terraform_state.n]\npath = \"../files/net.tfstate\"\n[resource.ssm_parameter.p]\nname = \"/p\"\ntype = \"SecureString\"\n\
                 secure_value = \"${sensitive(data.terraform_state.n.outputs.group)}\"\n";
    project.write("stacks/app.toml", stack);
    let id = || -> Value {
        serde_json::from_str::<Value>(&project.expect(0, &["plan", "--json", "stacks/app.toml"]).stdout).unwrap()["plan_id"].clone()
    };
    let before = id();
    project.expect(0, &["plan", "stacks/app.toml", "--out", "a.plan"]);
    project.write("files/net.tfstate", &state("/b"));
    assert_ne!(before, id());
    let stale = project.expect(1, &["apply", "-y", "--plan", "a.plan"]);
    assert!(stale.stderr.contains("what it reads of other stacks"), "{}", stale.stderr);
    project.write("changed", "files/net.tfstate\0");
    let concerned = project.expect(0, &["plan", "--changed", "changed", "stacks/app.toml"]);
    assert!(concerned.stdout.contains("ssm_parameter.p"), "{}\n{}", concerned.stdout, concerned.stderr);
    project.write("stacks/app.toml", &stack.replace("\"../files/net.tfstate\"", "\"${vars.place}\""));
    let refused = project.expect(1, &["plan", "stacks/app.toml"]);
    assert!(refused.stderr.contains("sensitive") && !refused.stderr.contains("sekret.tfstate: "), "{}", refused.stderr);
}

#[test]
fn what_another_stack_keeps_to_itself_is_not_read() {
    let project = project("430000000102");
    project.expect(0, &[&["apply", "-y", "stacks/network.toml"], &ENVIRONMENT[..]].concat());
    project.write("stacks/app.toml", &APP.replace("outputs.group}/app", "outputs.token}"));
    let refused = project.expect(1, &["plan", "stacks/app.toml"]);
    assert!(refused.stderr.contains("token") && !refused.stderr.contains("hunter2"), "{}", refused.stderr);
}

#[test]
fn stacks_that_read_each_other_are_a_cycle() {
    let project = Project::new("", "430000000103");
    let stack =
        |name: &str, other: &str| format!("[stack]\nname = \"{name}\"\nregion = \"us-east-1\"\n[data.stack.o]\nfile = \"{other}.toml\"\n");
    for (name, other) in [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")] {
        project.write(&format!("stacks/{name}.toml"), &stack(name, other));
    }
    let refused = project.expect(1, &["apply", "-y", "stacks/d.toml", "stacks/a.toml", "stacks/b.toml", "stacks/c.toml"]);
    let cycle = "stacks read each other's outputs in a dependency cycle: stacks/a.toml → stacks/b.toml → stacks/c.toml";
    assert!(refused.stderr.contains(cycle), "{}", refused.stderr);
}

#[test]
fn a_state_of_terraform_is_read_and_its_sensitive_outputs_stay_so() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "430000000104");
    let outputs =
        json!({ "group": { "value": "/tf", "type": "string" }, "password": { "value": "hunter2", "type": "string", "sensitive": true } });
    project
        .write("network.tfstate", &json!({ "version": 4, "serial": 1, "lineage": "x", "outputs": outputs, "resources": [] }).to_string());
    let stack = r#"
[stack]
name = "app"
region = "us-east-1"
[data.terraform_state.network]
path = "../network.tfstate"
sensitive = true
[resource.ssm_parameter.app]
name = "${data.terraform_state.network.outputs.group}/password"
type = "SecureString"
secure_value = "${data.terraform_state.network.sensitive_outputs.password}"
"#;
    project.write("stacks/app.toml", stack);
    let applied = project.expect(0, &["apply", "-y", "stacks/app.toml"]);
    let kept = project.expect(0, &["show", "stacks/app.toml", "--json"]).stdout;
    assert!(kept.contains("/tf/password"), "{kept}");
    assert!(![&applied.stdout, &applied.stderr, &kept].iter().any(|text| text.contains("hunter2")), "{kept}");
    project.write("stacks/app.toml", &stack.replace("sensitive = true\n", ""));
    project.expect(1, &["plan", "stacks/app.toml"]);
    project.write("stacks/app.toml", &stack.replace("../network.tfstate", "../../network.tfstate"));
    let outside = project.expect(1, &["plan", "stacks/app.toml"]);
    assert!(outside.stderr.contains("cannot read ../../network.tfstate"), "{}", outside.stderr);
}

#[tokio::test]
async fn a_stack_of_cloudformation_is_read() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, "430000000105");
    let config = crate::support::sdk::config(endpoint, "430000000105").await;
    let template = json!({ "Resources": { "Group": { "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": "/cdk" } } },
        "Outputs": { "GroupName": { "Value": { "Ref": "Group" } } } });
    let cloudformation = aws_sdk_cloudformation::Client::new(&config);
    cloudformation.create_stack().stack_name("network").template_body(template.to_string()).send().await.unwrap();
    let stack = |name: &str| {
        format!(
            "[stack]\nname = \"app\"\nregion = \"us-east-1\"\n[data.cloudformation_stack.network]\nname = \"{name}\"\n\
             [resource.cloudwatch_log_group.app]\nname = \"${{data.cloudformation_stack.network.outputs.GroupName}}/app\"\n"
        )
    };
    project.write("stacks/app.toml", &stack("network"));
    let plan = project.expect(0, &["plan", "stacks/app.toml"]);
    assert!(plan.stdout.contains("/cdk/app"), "{}", plan.stdout);
    project.write("stacks/app.toml", &stack("none"));
    let refused = project.expect(1, &["plan", "stacks/app.toml"]);
    assert!(refused.stderr.contains("there is no CloudFormation stack none in us-east-1"), "{}", refused.stderr);
}

#[tokio::test]
async fn who_plans_may_read_the_states_of_the_stacks_that_are_read() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = project("430000000106");
    let buckets = aws_sdk_s3::config::Builder::from(&crate::support::sdk::config(endpoint, "430000000106").await).force_path_style(true);
    let buckets = aws_sdk_s3::Client::from_conf(buckets.build());
    buckets.create_bucket().bucket("network-states").send().await.unwrap();
    let backend = "[stack.backend.s3]\nbucket = \"network-states\"\nkey = \"${vars.environment}.json\"\n[vars.environment]";
    project.write("stacks/network.toml", &NETWORK.replace("[vars.environment]", backend));
    project.expect(0, &[&["apply", "-y", "stacks/network.toml"], &ENVIRONMENT[..]].concat());
    for role in ["plan", "apply"] {
        let policy = project.expect(0, &["iam-policy", role, "stacks/app.toml"]).stdout;
        assert!(policy.contains("arn:aws:s3:::network-states/prod.json\""), "{policy}");
        assert!(!policy.contains("s3:PutObject") && !policy.contains("prod.json.lock"), "{policy}");
    }
}

#[test]
fn a_saved_plan_of_a_stack_that_reads_another_is_carried_out_while_that_says_the_same() {
    let project = project("430000000108");
    let network = |group: &str| project.expect(0, &[&["apply", "-y", "stacks/network.toml", "--var", group], &ENVIRONMENT[..]].concat());
    network("group=/a");
    project.expect(0, &["plan", "stacks/app.toml", "--out", "app.plan"]);
    network("group=/b");
    let stale = project.expect(1, &["apply", "-y", "--plan", "app.plan"]);
    assert!(stale.stderr.contains("what it reads of other stacks"), "{}", stale.stderr);
    project.expect(0, &["plan", "stacks/app.toml", "--out", "app.plan"]);
    project.expect(0, &["apply", "-y", "--plan", "app.plan"]);
}

#[test]
fn a_saved_plan_is_stale_once_a_secret_that_it_reads_has_changed() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "430000000109");
    let secret = "[stack]\nname = \"secret\"\nregion = \"us-east-1\"\n[vars.value]\nsensitive = true\n\
                  [resource.ssm_parameter.s]\nname = \"/s\"\ntype = \"SecureString\"\nsecure_value = \"${vars.value}\"\n";
    project.write("stacks/secret.toml", secret);
    let set = |value: &str| project.expect(0, &["apply", "-y", "stacks/secret.toml", "--var", &format!("value={value}")]);
    let app = |days: u32| {
        format!(
            "[stack]\nname = \"app\"\nregion = \"us-east-1\"\n[data.ssm_parameter.s]\nname = \"/s\"\nwith_decryption = true\n\
             [resource.cloudwatch_log_group.g]\nname = \"/g\"\nretention_in_days = {days}\ntags = {{ Of = \"${{data.ssm_parameter.s.value}}\" }}\n"
        )
    };
    let id = || {
        let plan: Value = serde_json::from_str(&project.expect(0, &["plan", "--json", "stacks/app.toml"]).stdout).unwrap();
        plan["plan_id"].clone()
    };
    set("one");
    project.write("stacks/app.toml", &app(7));
    project.expect(0, &["plan", "stacks/app.toml", "--out", "app.plan"]);
    set("two");
    let stale = project.expect(1, &["apply", "-y", "--plan", "app.plan"]);
    assert!(stale.stderr.contains("of secrets has changed"), "{}", stale.stderr);
    project.expect(0, &["plan", "stacks/app.toml", "--out", "app.plan"]);
    project.expect(0, &["apply", "-y", "--plan", "app.plan"]);
    // Once there is a state whose salt the others know, its value is in the id, too.
    project.write("stacks/app.toml", &app(14));
    let before = id();
    assert_eq!(id(), before);
    set("one");
    assert_ne!(id(), before);
}
