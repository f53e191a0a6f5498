//! What nobody means to happen: losing data to a name that was taken, two states of one stack, changes that spread.

use serde_json::Value;

use crate::support::emulator::Emulator;
use crate::support::program::Project;

const STACK: &str = "stacks/c.toml";

fn with(project: &Project, body: &str) {
    project.write(STACK, &format!("[stack]\nname = \"careful\"\nregion = \"us-east-1\"\n{body}"));
}

fn actions(plan: &Value) -> Vec<String> {
    let changes = plan["changes"].as_array().unwrap().iter();
    let changes = changes.filter(|change| change["action"] != "no_op");
    changes.map(|change| format!("{} {}", change["action"].as_str().unwrap(), change["address"].as_str().unwrap())).collect()
}

#[test]
fn a_replacement_never_takes_a_name_that_somebody_else_has() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let (ours, theirs) = (Project::new(&emulator.endpoint, "test"), Project::new(&emulator.endpoint, "test"));
    let body = |name: &str| format!("[resource.s3_bucket.b]\nbucket = \"{name}\"\n[resource.cloudwatch_log_group.l]\nname = \"/{name}\"\n");
    theirs.write(STACK, &format!("[stack]\nname = \"theirs\"\nregion = \"us-east-1\"\n{}", body("taken")));
    theirs.expect(0, &["apply", "-y", STACK]);
    with(&ours, &body("mine"));
    ours.expect(0, &["apply", "-y", STACK]);
    with(&ours, &body("taken"));
    let refused = ours.expect(1, &["apply", "-y", STACK]);
    assert!(refused.stderr.contains("s3_bucket.b cannot be replaced: taken exists already"), "{}", refused.stderr);
    assert!(refused.stderr.contains("it belongs to cloudwatch_log_group.l of stack theirs"), "{}", refused.stderr);
    with(&ours, &body("mine"));
    ours.expect(0, &["plan", "--detailed-exitcode", STACK]);
    theirs.expect(0, &["plan", "--detailed-exitcode", STACK]);
}

#[test]
fn the_state_is_the_same_however_the_path_is_written() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    with(&project, "[resource.vpc.main]\ncidr_block = \"10.0.0.0/16\"\n");
    project.expect(0, &["apply", "-y", STACK]);
    let absolute = project.path().join(STACK).display().to_string();
    for (folder, path) in [("stacks", "c.toml"), ("stacks", "./c.toml"), ("state", "../stacks/c.toml"), ("", absolute.as_str())] {
        let mut command = project.command(&["plan", "--detailed-exitcode", path]);
        let ran = command.current_dir(project.path().join(folder)).output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{path} in {folder}: {}", String::from_utf8_lossy(&ran.stdout));
    }
}

#[test]
fn a_new_instance_leaves_its_siblings_alone() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let body = "[vars.keys]\ndefault = [\"a\", \"b\"]\n[resource.vpc.v]\nfor_each = \"${vars.keys}\"\ncidr_block = \"10.0.0.0/16\"\n[resource.cloudwatch_log_group.l]\nfor_each = \"${keys(vpc.v)}\"\nname = \"/x/${vpc.v[each.value].id}\"\n";
    with(&project, body);
    project.expect(0, &["apply", "-y", STACK]);
    let plan = project.json(&["plan", "--json", STACK, "--var", "keys=[\"a\",\"b\",\"c\"]"]);
    assert_eq!(actions(&plan), ["create vpc.v[\"c\"]", "create cloudwatch_log_group.l[\"c\"]"]);
    let one = project.json(&["plan", "--json", STACK, "--replace", "vpc.v[\"a\"]"]);
    assert_eq!(actions(&one), ["replace vpc.v[\"a\"]", "replace cloudwatch_log_group.l[\"a\"]"]);
}

#[test]
fn what_was_made_from_what_goes_goes_too() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    with(
        &project,
        "[resource.vpc.main]\ncidr_block = \"10.0.0.0/16\"\n[resource.subnet.a]\nvpc_id = \"${vpc.main.id}\"\ncidr_block = \"10.0.0.0/24\"\n",
    );
    project.expect(0, &["apply", "-y", STACK]);
    with(&project, "");
    let plan = project.json(&["plan", "--json", STACK, "--target", "vpc.main"]);
    let mut gone = actions(&plan);
    gone.sort();
    assert_eq!(gone, ["delete subnet.a", "delete vpc.main"]);
}

#[test]
fn what_is_kept_is_not_replaced_under_its_name_and_not_called_deleted() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let body = |name: &str, class: &str| {
        format!(
            "[resource.cloudwatch_log_group.l]\nname = \"{name}\"\nlog_group_class = \"{class}\"\nlifecycle = {{ deletion_policy = \"retain\" }}\n"
        )
    };
    with(&project, &body("/a", "STANDARD"));
    project.expect(0, &["apply", "-y", STACK]);
    with(&project, &body("/a", "INFREQUENT_ACCESS"));
    let refused = project.expect(1, &["plan", STACK]);
    assert!(refused.stderr.contains("its `deletion_policy` keeps the old one"), "{}", refused.stderr);
    with(&project, &body("/b", "INFREQUENT_ACCESS"));
    let applied = project.expect(0, &["apply", "-y", STACK]);
    assert!(applied.stderr.contains("1 forgotten") && !applied.stderr.contains("deleted"), "{}", applied.stderr);
}

#[test]
fn a_target_group_in_use_is_replaced_by_one_of_another_name_only() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let body = |name: &str, port: u16| {
        format!(
            r#"
[resource.vpc.n]
cidr_block = "10.9.0.0/16"
[resource.subnet.s]
for_each = ["a", "b"]
vpc_id = "${{vpc.n.id}}"
cidr_block = "10.9.${{each.index}}.0/24"
availability_zone = "us-east-1${{each.value}}"
[resource.lb.n]
name = "careful"
subnets = "${{pluck(subnet.s, 'id')}}"
[resource.lb_target_group.t]
name = "{name}"
port = {port}
protocol = "HTTP"
target_type = "ip"
vpc_id = "${{vpc.n.id}}"
[resource.lb_listener.l]
load_balancer_arn = "${{lb.n.arn}}"
port = 80
protocol = "HTTP"
default_actions = [{{ type = "forward", target_group_arn = "${{lb_target_group.t.arn}}" }}]
"#
        )
    };
    with(&project, &body("one", 80));
    project.expect(0, &["apply", "-y", STACK]);
    with(&project, &body("one", 81));
    let refused = project.expect(1, &["plan", STACK]);
    assert!(refused.stderr.contains("lb_listener.l uses it") && refused.stderr.contains("change its `name` too"), "{}", refused.stderr);
    with(&project, &body("two", 81));
    project.expect(0, &["apply", "-y", STACK]);
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
}

#[test]
fn a_block_moves_into_and_out_of_a_for_each_and_with_all_its_instances() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let group = |name: &str, each: &str, value: &str| format!("[resource.cloudwatch_log_group.{name}]\n{each}\nname = \"{value}\"\n");
    let moved = |from: &str, to: &str| format!("[[moved]]\nfrom = '{from}'\nto = '{to}'\n");
    with(&project, &group("one", "", "/a"));
    project.expect(0, &["apply", "-y", STACK]);
    let keyed = group("all", "for_each = [\"a\", \"b\"]", "/${each.value}");
    with(&project, &format!("{keyed}{}", moved("cloudwatch_log_group.one", "cloudwatch_log_group.all[\"a\"]")));
    let plan = project.json(&["plan", "--json", STACK]);
    assert_eq!(actions(&plan), ["update cloudwatch_log_group.all[\"a\"]", "create cloudwatch_log_group.all[\"b\"]"]);
    project.expect(0, &["apply", "-y", STACK]);
    let renamed = keyed.replace("group.all", "group.each");
    with(&project, &format!("{renamed}{}", moved("cloudwatch_log_group.all", "cloudwatch_log_group.each")));
    let plan = project.json(&["plan", "--json", STACK]);
    assert_eq!(actions(&plan), ["update cloudwatch_log_group.each[\"a\"]", "update cloudwatch_log_group.each[\"b\"]"]);
    project.expect(0, &["apply", "-y", STACK]);
    let out = moved("cloudwatch_log_group.each[\"a\"]", "cloudwatch_log_group.one");
    with(&project, &format!("{}{out}", group("one", "", "/a")));
    let plan = project.json(&["plan", "--json", STACK]);
    assert_eq!(actions(&plan), ["update cloudwatch_log_group.one", "delete cloudwatch_log_group.each[\"b\"]"]);
}

#[test]
fn what_was_only_renamed_is_offered_as_a_move() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let vpc = |name: &str, cidr: &str, more: &str| format!("[resource.vpc.{name}]\ncidr_block = \"{cidr}\"\n{more}");
    with(&project, &format!("{}{}", vpc("one", "10.1.0.0/16", ""), vpc("two", "10.2.0.0/16", "")));
    project.expect(0, &["apply", "-y", STACK]);
    let offered = |body: &str| {
        with(&project, body);
        let plan = project.expect(0, &["plan", STACK]);
        let both = plan.stdout + &plan.stderr;
        both.lines().filter(|line| line.contains("add [[moved]]")).map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    // Of two that go, the one that is alike.
    let found = offered(&format!("{}{}", vpc("first", "10.2.0.0/16", ""), vpc("second", "10.1.0.0/16", "")));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|line| line.contains("from = 'vpc.two', to = 'vpc.first'")), "{found:?}");
    assert!(found.iter().any(|line| line.contains("from = 'vpc.one', to = 'vpc.second'")), "{found:?}");
    // Renamed and changed at once, it is known by its tags.
    let found = offered(&format!("{}{}", vpc("one", "10.1.0.0/16", ""), vpc("second", "10.2.0.0/16", "enable_dns_hostnames = true\n")));
    assert!(matches!(found.as_slice(), [only] if only.contains("from = 'vpc.two', to = 'vpc.second'")), "{found:?}");
    // What only goes, or only comes, is no rename.
    assert!(offered(&vpc("one", "10.1.0.0/16", "")).is_empty());
}

#[test]
fn what_aws_protects_from_deletion_is_said_before_anything_is_deleted() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let body = "[data.subnets.all]\n[resource.lb.n]\nname = \"guarded\"\nsubnets = \"${data.subnets.all.ids}\"\nattributes = { \"deletion_protection.enabled\" = \"true\" }\n";
    with(&project, body);
    project.expect(0, &["apply", "-y", STACK]);
    let refused = project.expect(1, &["destroy", "-y", STACK]);
    assert!(refused.stderr.contains("AWS protects it") && refused.stderr.contains("deletion_protection.enabled"), "{}", refused.stderr);
}

#[test]
fn what_is_shown_is_not_decided_by_a_secret() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let pw = "[vars.pw]\nsensitive = true\ndefault = \"hunter2\"\n";
    for (said, body) in [
        ("`assert` of check c is sensitive", "[checks.c]\nassert = \"${vars.pw.startsWith('h')}\"\nmessage = \"m\"\n"),
        ("`when` of sns_topic.t is sensitive", "[resource.sns_topic.t]\nname = \"t\"\nwhen = \"${size(vars.pw) > 6}\"\n"),
        ("`for_each` of sns_topic.t is sensitive", "[resource.sns_topic.t]\nname = \"t\"\nfor_each = \"${[vars.pw]}\"\n"),
    ] {
        with(&project, &format!("{pw}{body}"));
        let refused = project.expect(1, &["validate", STACK]);
        assert!(refused.stderr.contains(said) && !refused.stderr.contains("hunter2"), "{}", refused.stderr);
    }
}

#[test]
fn a_name_that_would_show_a_secret_is_refused() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    with(&project, "[vars.pw]\nsensitive = true\ndefault = \"hunter2\"\n[resource.cloudwatch_log_group.l]\nname = \"/x/${vars.pw}\"\n");
    let refused = project.expect(1, &["plan", STACK]);
    assert!(
        refused.stderr.contains("`name` of cloudwatch_log_group.l is sensitive") && !refused.stderr.contains("hunter2"),
        "{}",
        refused.stderr
    );
}
