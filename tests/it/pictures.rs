//! `leoctl graph`: what it writes in each format, and what a person sees of its page.

use std::fmt::Write;

use serde_json::{Value as Json, json};

use crate::support::browser;
use crate::support::emulator::Emulator;
use crate::support::program::Project;

/// A web service and its database in a network, with a secret that is in nothing that is shown.
const SMALL: &str = r#"
[stack]
name = "small"
region = "us-east-1"

[vars.password]
sensitive = true
default = "correct-horse-battery"

[data.availability_zones.here]

[resource.vpc.main]
cidr_block = "10.0.0.0/16"

[resource.subnet.private]
for_each = ["us-east-1a", "us-east-1b"]
vpc_id = "${vpc.main.id}"
availability_zone = "${data.availability_zones.here.names.exists(zone, zone == each.value) ? each.value : null}"
cidr_block = "${cidrsubnet(vpc.main.cidr_block, 8, each.index)}"

[resource.security_group.web]
name = "web"
description = "Web"
vpc_id = "${vpc.main.id}"

[resource.security_group.db]
name = "db"
description = "Database"
vpc_id = "${vpc.main.id}"
ingress = [{ ip_protocol = "tcp", from_port = 5432, to_port = 5432, referenced_group_id = "${security_group.web.id}" }]

[resource.efs_file_system.files]

[resource.efs_mount_target.files]
for_each = "${subnet.private}"
file_system_id = "${efs_file_system.files.id}"
subnet_id = "${each.value.id}"
security_groups = ["${security_group.db.id}"]

[resource.ssm_parameter.password]
name = "/small/password"
type = "SecureString"
secure_value = "${vars.password}"

[resource.cloudwatch_log_group.app]
name = "/small/app"
tags = { note = "pass ${vars.password}" }
"#;

const SECRET: &str = "correct-horse-battery";

fn small() -> Project {
    let project = Project::new("", "test");
    project.write("stacks/small.toml", SMALL);
    project
}

fn graph(project: &Project, arguments: &[&str]) -> String {
    project.expect(0, &[&["graph"], arguments].concat()).stdout
}

/// The data of a page.
fn data(page: &str) -> Json {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn a_small_stack_in_every_format() {
    let project = small();
    insta::assert_snapshot!("dot", graph(&project, &["stacks/small.toml"]));
    insta::assert_snapshot!("dot_with_all", graph(&project, &["stacks/small.toml", "--all", "--data"]));
    insta::assert_snapshot!("mermaid", graph(&project, &["stacks/small.toml", "--format", "mermaid"]));
    let svg = graph(&project, &["stacks/small.toml", "--format", "svg"]);
    let (before, rest) = svg.split_once("<style>").unwrap();
    // The colours are no matter of this stack.
    insta::assert_snapshot!("svg", format!("{before}{}", rest.split_once("</style>").unwrap().1));
}

#[test]
fn modules_are_boxes() {
    insta::assert_snapshot!("shop", graph(&Project::new("", "test"), &["stacks/shop.toml", "--format", "mermaid"]));
}

#[test]
fn a_file_says_by_its_name_what_it_is_to_be() {
    let project = small();
    for (file, begins) in [("a.html", "<!doctype html>"), ("a.svg", "<svg "), ("a.mmd", "flowchart TB"), ("a.dot", "digraph \"small\"")] {
        let ran = project.expect(0, &["graph", "stacks/small.toml", "-o", file]);
        assert_eq!(ran.stdout, "");
        assert!(std::fs::read_to_string(project.path().join(file)).unwrap().starts_with(begins), "{file}");
    }
    let ran = project.expect(1, &["graph", "stacks/small.toml", "-o", "nowhere/a.svg"]);
    assert!(ran.stderr.contains("cannot write nowhere/a.svg"), "{}", ran.stderr);
}

#[test]
fn a_page_has_its_data_whole_and_asks_nobody() {
    let page = graph(&small(), &["stacks/small.toml", "--format", "html"]);
    let data = data(&page);
    assert_eq!(data["stack"], "small");
    let (few, all) = (&data["views"][0], &data["views"][1]);
    let named = |view: &Json, address: &str| {
        let nodes = view["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["address"] == address).unwrap_or_else(|| panic!("no {address} in {nodes:#?}")).clone()
    };
    assert_eq!(named(few, "subnet.private ×2")["members"], json!(["subnet.private[\"us-east-1a\"]", "subnet.private[\"us-east-1b\"]"]));
    assert_eq!(named(all, "subnet.private[\"us-east-1a\"]")["members"], json!([]));
    let parameter = named(few, "ssm_parameter.password");
    assert!(parameter["attributes"].as_array().unwrap().contains(&json!(["secure_value", "(sensitive)"])), "{parameter:#}");
    for wanted in ["http:", "https:", "//", "@import", "url(http"] {
        let found = page.match_indices(wanted).filter(|(at, _)| !page[at.saturating_sub(40)..*at].contains("xmlns"));
        let found: Vec<&str> = found.map(|(at, _)| page[at.saturating_sub(20)..(at + 50).min(page.len())].trim()).collect();
        assert!(found.iter().all(|text| text.contains("www.w3.org/2000/svg") || text.contains("// ")), "{wanted}: {found:?}");
    }
}

#[test]
fn nothing_in_a_stack_is_markup_and_no_secret_is_shown() {
    let hostile = r#"</script><script>alert("x")</script><img src=x onerror=alert(1)> & ]]> \u202e {{data}}"#;
    let project = small();
    let tagged = SMALL.replace("pass ${vars.password}", &hostile.replace('"', "\\\""));
    let keyed = tagged.replace("us-east-1b", "</title></svg><script>`'");
    project.write("stacks/small.toml", &keyed);
    let page = graph(&project, &["stacks/small.toml", "--format", "html"]);
    assert_eq!(page.matches("<script").count(), 2, "only its own");
    assert_eq!(page.matches("</script").count(), 2, "only its own");
    let group =
        data(&page)["views"][0]["nodes"].as_array().unwrap().iter().find(|node| node["type"] == "cloudwatch_log_group").unwrap().clone();
    let tags = group["attributes"].as_array().unwrap().iter().find(|pair| pair[0] == "tags").unwrap()[1].to_string();
    assert!(tags.contains("</script><script>") && tags.contains("u202e"), "{tags}");
    let svg = graph(&project, &["stacks/small.toml", "--format", "svg", "--all"]);
    assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;"));
    assert_eq!(svg.matches("</svg>").count(), 1);
    for format in ["dot", "mermaid", "svg", "html"] {
        for more in [&[][..], &["--all", "--data"]] {
            let shown = graph(&small(), &[&["stacks/small.toml", "--format", format], more].concat());
            assert!(!shown.contains(SECRET), "{format}");
        }
    }
}

#[test]
fn a_plan_colours_what_it_changes() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let stack = SMALL.replace("[resource.efs_file_system.files]", "[resource.kms_key.spare]\n[resource.efs_file_system.files]");
    project.write("stacks/small.toml", &stack);
    let page = |project: &Project| data(&graph(project, &["stacks/small.toml", "--plan", "--format", "html"]));
    let fates = |page: &Json| -> Vec<String> {
        let nodes = page["views"][0]["nodes"].as_array().unwrap();
        let mut all: Vec<String> =
            nodes.iter().map(|node| format!("{} {}", node["address"].as_str().unwrap(), node["fate"]["does"].as_str().unwrap())).collect();
        all.retain(|one| !one.ends_with("unchanged"));
        all
    };
    let first = page(&project);
    assert!(fates(&first).contains(&"subnet.private ×2 create".to_owned()), "{:?}", fates(&first));
    project.expect(0, &["apply", "-y", "stacks/small.toml"]);
    assert_eq!(fates(&page(&project)), Vec::<String>::new());
    let changed =
        stack.replace("[resource.kms_key.spare]\n", "").replace("name = \"/small/app\"", "name = \"/small/app\"\nretention_in_days = 7");
    let changed = changed.replace("\"us-east-1a\", \"us-east-1b\"", "\"us-east-1a\", \"us-east-1b\", \"us-east-1c\"");
    project.write("stacks/small.toml", &changed);
    let shown = page(&project);
    let mut found = fates(&shown);
    found.sort();
    let new = "[\"us-east-1c\"] create";
    assert_eq!(
        found,
        [
            "cloudwatch_log_group.app update",
            &format!("efs_mount_target.files{new}"),
            "kms_key.spare delete",
            &format!("subnet.private{new}")
        ]
    );
    let nodes = shown["views"][0]["nodes"].as_array().unwrap();
    let group = nodes.iter().find(|node| node["address"] == "cloudwatch_log_group.app").unwrap();
    assert_eq!(group["fate"]["changes"], json!([{ "path": "retention_in_days", "before": null, "after": "7", "replaces": false }]));
    let files = nodes.iter().find(|node| node["address"] == "efs_file_system.files").unwrap();
    assert!(files["cost"].as_str().unwrap_or_default().ends_with("/mo"), "{files:#}");
    assert!(!shown.to_string().contains(SECRET));
}

#[test]
fn a_saved_plan_colours_what_it_changes_as_long_as_it_is_the_plan() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let group = |days: u32| {
        format!(
            "[stack]\nname = \"saved\"\nregion = \"us-east-1\"\n[vars.days]\ndefault = {days}\n[resource.cloudwatch_log_group.a]\nname = \"/saved/a\"\nretention_in_days = \"${{vars.days}}\"\n"
        )
    };
    project.write("stacks/saved.toml", &group(7));
    project.write("stacks/other.toml", &group(7).replace("saved", "other"));
    project.expect(0, &["apply", "-y", "stacks/saved.toml"]);
    project.expect(0, &["plan", "stacks/saved.toml", "--var", "days=14", "--out", "a.plan"]);
    let shown = graph(&project, &["--plan", "a.plan", "--format", "mermaid"]);
    assert!(shown.contains("update"), "{shown}");
    let now = ["--plan", "stacks/saved.toml", "--var", "days=14", "--format", "mermaid"];
    assert_eq!(shown, graph(&project, &now), "as a plan that is made now");
    assert_eq!(shown, graph(&project, &["stacks/saved.toml", "--plan", "a.plan", "--format", "mermaid"]));
    let refused = |arguments: &[&str]| project.expect(1, &[&["graph"], arguments].concat()).stderr;
    let other = refused(&["stacks/other.toml", "--plan", "a.plan"]);
    assert!(other.contains("the plan a.plan is of") && other.contains("stacks/saved.toml, and not of stacks/other.toml"), "{other}");
    assert!(refused(&["--plan", "none.plan"]).contains("there is no plan none.plan"));
    project.write("odd.plan", "{}");
    assert!(refused(&["--plan", "odd.plan"]).contains("cannot use the plan odd.plan"));
    project.write("stacks/saved.toml", &group(30));
    let (drawn, applied) = (refused(&["--plan", "a.plan"]), project.expect(1, &["apply", "--plan", "a.plan"]).stderr);
    assert!(drawn.contains("the plan is stale: the stack's files or variables are not those it was made with"), "{drawn}");
    assert_eq!(drawn, applied);
}

/// A stack of forty services, each of a dozen resources.
fn large() -> String {
    let mut text = SMALL.replace("\"small\"", "\"large\"");
    for at in 0..42 {
        let service = format!(
            r#"
[resource.security_group.s{at}]
name = "s{at}"
description = "Service {at}"
vpc_id = "${{vpc.main.id}}"
[resource.security_group_rule.web_to_s{at}]
type = "ingress"
group_id = "${{security_group.s{at}.id}}"
referenced_group_id = "${{security_group.web.id}}"
ip_protocol = "tcp"
from_port = {port}
to_port = {port}
[resource.cloudwatch_log_group.s{at}]
name = "/large/s{at}"
[resource.ecr_repository.s{at}]
name = "s{at}"
[resource.iam_role.s{at}]
name = "s{at}"
assume_role_policy = {{ Version = "2012-10-17", Statement = [] }}
[resource.iam_role.s{at}_execution]
name = "s{at}-execution"
assume_role_policy = {{ Version = "2012-10-17", Statement = [] }}
[resource.s3_bucket.s{at}]
bucket = "large-s{at}"
[resource.sns_topic.s{at}]
name = "s{at}"
[resource.ecs_cluster.s{at}]
name = "s{at}"
[resource.ecs_task_definition.s{at}]
family = "s{at}"
cpu = 256
memory = 512
execution_role_arn = "${{iam_role.s{at}_execution.arn}}"
task_role_arn = "${{iam_role.s{at}.arn}}"
[[resource.ecs_task_definition.s{at}.container_definitions]]
name = "app"
image = "${{ecr_repository.s{at}.repository_uri}}:latest"
environment = {{ BUCKET = "${{s3_bucket.s{at}.bucket}}", TOPIC = "${{sns_topic.s{at}.arn}}", LOGS = "${{cloudwatch_log_group.s{at}.name}}" }}
[resource.ecs_service.s{at}]
name = "s{at}"
cluster = "${{ecs_cluster.s{at}.arn}}"
task_definition = "${{ecs_task_definition.s{at}.arn}}"
launch_type = "FARGATE"
network_configuration = {{ subnets = "${{pluck(subnet.private, 'id')}}", security_groups = ["${{security_group.s{at}.id}}"] }}
[resource.kms_key.s{at}]
"#,
            port = 8000 + at,
        );
        // Writing to a String cannot fail.
        let _ = write!(text, "{service}");
    }
    text
}

/// What is seen of a page that has no problem and asks nobody for anything.
fn seen(project: &Project, stack: &str, search: &str, click: &str) -> Option<Json> {
    project.expect(0, &["graph", stack, "-o", "page.html"]);
    let page = project.path().join("page.html");
    let seen = browser::look(&page, search, click)?;
    assert_eq!(seen["problems"], json!([]), "{seen:#}");
    assert_eq!(seen["requests"].as_array().unwrap().len(), 1, "only the page itself: {seen:#}");
    assert_eq!(seen["markup"], 0);
    assert_eq!(seen["slash"], "search");
    assert_eq!(seen["escaped"], Json::Null, "Esc closes");
    assert_eq!(seen["clicked"]["title"], click, "{seen:#}");
    assert!(!seen["clicked"]["rows"].as_array().unwrap().is_empty(), "{seen:#}");
    assert!(seen["near"].as_u64().unwrap() > 0, "what it has to do with is lit");
    let keys = &seen["keys"];
    assert!(keys["tab"].as_array().unwrap().contains(&keys["first"]), "Tab gets into the picture: {keys:#}");
    assert!(keys["walked"].as_array().unwrap().iter().any(|at| *at != keys["first"]), "arrows go on: {keys:#}");
    assert_ne!(seen["entered"], Json::Null, "Enter opens");
    assert_eq!(seen["zoomed"], true);
    assert!(seen["collapsed"].as_u64() < seen["nodes"].as_u64(), "boxes collapse: {seen:#}");
    assert_eq!(seen["opened"], seen["nodes"]);
    let [light, dark, switched] = seen["colours"].as_array().unwrap().as_slice() else { panic!("{seen:#}") };
    assert!(light != dark && light == switched, "{seen:#}");
    Some(seen)
}

#[test]
fn a_person_finds_their_way_through_leo() {
    let Some(seen) = seen(&Project::new("", "test"), "stacks/prod.toml", "ecs_service", "ecs_service.app") else { return };
    assert_eq!(seen["searched"]["title"], "ecs_service.app");
    assert!(seen["clicked"]["rows"].as_array().unwrap().iter().any(|row| row.as_str().unwrap().starts_with("launch_type")), "{seen:#}");
    assert!(seen["clicked"]["headings"].to_string().to_lowercase().contains("depends on"), "{seen:#}");
}

#[test]
fn a_person_finds_their_way_through_the_agent() {
    let Some(seen) = seen(&Project::new("", "test"), "stacks/agent-prod.toml", "efs_file_system.workspace", "efs_file_system.workspace")
    else {
        return;
    };
    assert_eq!(seen["searched"]["title"], "efs_file_system.workspace");
}

#[test]
fn a_person_finds_their_way_through_five_hundred_resources() {
    let project = Project::new("", "test");
    project.write("stacks/large.toml", &large());
    let Some(seen) = seen(&project, "stacks/large.toml", "task_definition s17", "ecs_service.s41") else { return };
    assert_eq!(seen["searched"]["title"], "ecs_task_definition.s17");
    assert!(seen["nodes"].as_u64().unwrap() > 500, "{seen:#}");
    assert!(seen["instances"].as_u64() > seen["nodes"].as_u64(), "{seen:#}");
}
