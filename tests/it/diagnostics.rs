//! What people see when a stack file is wrong: every mistake with its line, and advice.

use leoctl_core::model::schema::{Attribute, Type};
use leoctl_core::stack::habits::attributes::ALL;

use crate::support::program::Project;

fn validate(text: &str) -> String {
    let project = Project::new("", "test");
    project.write("s.toml", text);
    // No AWS is reachable here: validate must not try.
    let ran = project.expect(1, &["--no-color", "validate", "s.toml"]);
    assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    ran.stderr
}

#[test]
fn every_mistake_of_a_file_is_reported_at_once() {
    let text = r#"
[stack]
name = "x"

[vars.environment]
default = "qa"
allowed = ["dev", "prod"]

[resource.vpcc.main]

[resource.vpc.main]
cidr_blok = "10.0.0.0/16"
enable_dns_support = "yes"

[resource.vpc.other]
cidr_block = "10.0.0.1/16"

[resource.subnet.a]
vpc_id = "${vpc.man.id}"
cidr_block = "${vpc.main.cidr}"

[resource.cloudwatch_log_group.l]
name = "l"
retention_in_days = 8

[resource.ecs_task_definition.t]
family = "t"
cpu = 256
memory = 4096
container_definitions = [{ name = "a", image = "b" }]

[resource.lb_listener.l]
load_balancer_arn = "not-an-arn"
port = 80
protocol = "HTP"
default_actions = [{ type = "forward", target_group_arn = "${1 +}" }]
"#;
    insta::assert_snapshot!(validate(text));
}

#[test]
fn what_aws_would_refuse_is_refused_here() {
    let text = r#"
[stack]
name = "x"


[resource.vpc.main]
cidr_block = "10.0.0.0/8"

[resource.s3_bucket.b]
bucket = "My_Bucket"

[resource.ecr_repository.r]
name = "Bad_Name!"

[resource.iam_role.r]
name = "a role"
assume_role_policy = {}

[resource.ecs_task_definition.t]
family = "t"
cpu = 256
memory = 512
execution_role_arn = "arn:aws:s3:::b"
container_definitions = [{ name = "a", image = "b" }]
"#;
    insta::assert_snapshot!(validate(text));
}

#[test]
fn what_is_wrong_deep_inside_is_shown_where_it_is_written() {
    let text = r#"
[stack]
name = "x"

[resource.efs_file_system.files]

[resource.efs_access_point.files]
file_system_id = "${efs_file_system.files.id}"
posix_user = { uid = 1, gid = 1, secondary_gids = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17] }

[resource.cloudwatch_log_metric_filter.errors]
name = "errors"
log_group_name = "shop"
metric_transformations = [{ metric_name = "shop:errors", metric_namespace = "Shop", metric_value = "1", unit = "Second" }]
"#;
    insta::assert_snapshot!(validate(text));
}

#[test]
fn expressions_over_what_is_written_are_evaluated_without_aws() {
    let text = r#"
[stack]
name = "x"

[resource.vpc.main]
cidr_block = "10.0.0.0/16"

[resource.subnet.a]
vpc_id = "${vpc.main.id}"
cidr_block = "${cidrsubnet(vpc.main.cidr_block, 20, 0)}"

[resource.internet_gateway.g]
when = false

[checks.c]
assert = "${3}"
message = "never"

[outputs]
gateway = "${internet_gateway.g.id}"
"#;
    let shown = validate(text);
    assert!(shown.contains("cidrsubnet: ") && shown.contains("s.toml:10"), "{shown}");
    let mended = validate(&text.replace("20, 0", "8, 0"));
    assert!(mended.contains("internet_gateway.g does not exist: its `when` is false"), "{mended}");
    assert!(mended.contains("`assert` of check c is a boolean, not an integer"), "{mended}");
}

#[test]
fn addresses_outside_of_expressions_are_checked() {
    let text = r#"
[stack]
name = "x"

[resource.vpc.main]
cidr_block = "10.0.0.0/16"

[[moved]]
from = "vpc.old"
to = "vpc.mian"

[[moved]]
from = "subnet.main"
to = "vpc.main"

[[removed]]
from = "vpc.main"
"#;
    insta::assert_snapshot!(validate(text));
}

#[test]
fn a_dependency_cycle_is_shown_whole() {
    let text = r#"
[stack]
name = "x"
[resource.security_group.a]
name = "a"
description = "a"
ingress = [{ ip_protocol = "-1", referenced_group_id = "${security_group.b.id}" }]
[resource.security_group.b]
name = "b"
description = "b"
ingress = [{ ip_protocol = "-1", referenced_group_id = "${security_group.a.id}" }]
"#;
    insta::assert_snapshot!(validate(text));
}

#[test]
fn what_exists_may_not_depend_on_what_is_not_known() {
    let text = r#"
[stack]
name = "x"
[resource.vpc.main]
cidr_block = "10.0.0.0/16"
[resource.subnet.a]
for_each = "${[vpc.main.id]}"
vpc_id = "${each.value}"
cidr_block = "10.0.0.0/24"
"#;
    insta::assert_snapshot!(validate(text));
}

#[test]
fn files_that_are_no_stacks_are_said_to_be() {
    assert!(validate("").contains("the file is empty"));
    assert!(validate("a = [").contains("never closed"));
    let project = Project::new("", "test");
    std::fs::write(project.path().join("b.toml"), [0xFF, 0xFE, b'a']).unwrap();
    assert!(project.expect(1, &["validate", "b.toml"]).stderr.contains("not UTF-8"));
    assert!(project.expect(1, &["validate", "stacks"]).stderr.contains("it is a folder"));
    assert!(project.expect(1, &["validate", "none.toml"]).stderr.contains("there is no stack file"));
    project.write("loop.toml", "[stack]\nname = \"x\"\nextends = [\"loop.toml\"]\n");
    assert!(project.expect(1, &["validate", "loop.toml"]).stderr.contains("`extends` is a cycle: "));
}

#[test]
fn a_file_of_ten_megabytes_is_read_and_its_mistake_found() {
    let mut text = String::from("[stack]\nname = \"big\"\n[locals]\n");
    for line in 0..200_000 {
        text.push_str(&format!("value_{line} = \"{}\"\n", "x".repeat(35)));
    }
    text.push_str("wrong = \"${vars.none}\"\n");
    assert!(text.len() > 10_000_000);
    let shown = validate(&text);
    assert!(shown.contains("there is no variable `none`"), "{}", shown.chars().take(500).collect::<String>());
    assert!(shown.len() < 2_000);
}

#[test]
fn what_is_wrong_with_a_sensitive_value_is_said_without_it() {
    let project = Project::new("", "test");
    let stack = "[stack]\nname = \"s\"\nregion = \"us-east-1\"\n[vars.a]\nsensitive = true\n[resource.ssm_parameter.p]\nname = \"/p\"\n\
        type = \"${vars.a}\"\nvalue = \"x\"\n[resource.cloudwatch_log_group.g]\nname = \"${'g' + vars.a + '?'}\"\n";
    project.write("s.toml", stack);
    let wrong = project.expect(1, &["validate", "s.toml", "--var", "a=hunter2-kind"]).stderr;
    assert!(!wrong.contains("hunter2"), "{wrong}");
    assert!(wrong.contains("its value is sensitive, and so is not shown") && wrong.contains("s.toml:8"), "{wrong}");
}

#[test]
fn habits_of_other_tools_are_answered_with_what_is_written_here() {
    let head = "[stack]\nname = \"x\"\nregion = \"us-east-1\"\n[vars.on]\ndefault = true\n";
    let said = |body: &str| validate(&format!("{head}{body}"));
    let group = |line: &str| said(&format!("[resource.cloudwatch_log_group.l]\n{line}\n"));
    assert!(group("name = \"l\"\ncount = 2").contains("`for_each`"));
    assert!(group("name = \"l\"\nretentionInDays = 7").contains("did you mean `retention_in_days`?"));
    assert!(group("name = \"${var.on}\"").contains("vars.NAME"));
    assert!(group("name = \"${local.on}\"").contains("write `locals.on`"));
    assert!(group("name = \"l\"\nwhen = \"vars.on\"").contains("write `\"${vars.on}\"`"));
    let ignored = group("name = \"l\"\nlifecycle = { ignore_changes = [\"nmae\"] }");
    assert!(ignored.contains("s.toml:8") && ignored.contains("did you mean `name`?"), "{ignored}");
    let class = group("name = \"l\"\nlog_group_class = \"NONE\"");
    assert_eq!(class.matches("INFREQUENT_ACCESS").count(), 1, "{class}");
}

#[test]
fn variables_from_outside_are_checked() {
    let project = Project::new("", "test");
    let wrong = |arguments: &[&str]| project.expect(1, &[&["validate", "stacks/prod.toml"], arguments].concat()).stderr;
    assert!(wrong(&["--var", "enviroment=dev"]).contains("did you mean `environment`"));
    assert!(wrong(&["--var", "environment=qa"]).contains("allowed: \"dev\", \"staging\", \"prod\""));
    assert!(wrong(&["--var", "allowed_cidrs=[\"10.0.0.1/8\"]"]).contains("did you mean 10.0.0.0/8"));
    assert!(wrong(&["--var", "certificate_arn=nonsense"]).contains("is not an ARN"));
    project.expect(0, &["validate", "stacks/prod.toml", "--var", "ipv6=false"]);
}

/// The attributes of a type, and those of the tables inside it, and whether they can be written.
fn attributes(schema: &[Attribute], all: &mut Vec<Vec<(String, bool)>>) {
    all.push(schema.iter().map(|attribute| (attribute.name.clone(), !attribute.computed)).collect());
    for attribute in schema {
        let mut ty = &attribute.ty;
        while let Type::List { item, .. } | Type::Map { item, .. } = ty {
            ty = item;
        }
        if let Type::Object(inner) = ty {
            attributes(inner, all);
        }
    }
}

#[test]
fn what_terraform_calls_otherwise_is_there_under_the_name_it_is_said_to_have() {
    let catalog = leoctl_aws::registry::catalog();
    let of_everything: Vec<&str> = catalog.resources.keys().map(String::as_str).collect();
    for habit in ALL {
        let types = if habit.of.is_empty() { of_everything.as_slice() } else { habit.of };
        let mut found = false;
        for name in types {
            let schema = catalog.resources.get(name).unwrap_or_else(|| panic!("{habit:?}: there is no {name}"));
            let mut tables = Vec::new();
            attributes(&schema.schema.attributes, &mut tables);
            let has = |table: &[(String, bool)], name: &str| table.iter().any(|(attribute, _)| attribute == name);
            let writes = |table: &[(String, bool)], name: &str| table.iter().any(|(attribute, written)| *written && attribute == name);
            // A table that has it under Terraform's name as well is not asked about it.
            let leads = tables.iter().any(|table| (habit.here.is_empty() || has(table, habit.here)) && !writes(table, habit.there));
            assert!(leads || habit.of.is_empty(), "{habit:?}: {name} has no `{}`", habit.here);
            found |= leads;
        }
        assert!(found && (!habit.here.is_empty() || !habit.how.is_empty()), "{habit:?}");
    }
}

#[test]
fn attributes_of_terraform_are_answered_with_those_that_are_here() {
    let text = r#"
[stack]
name = "x"
region = "us-east-1"

[resource.vpc.main]
cidr_block = "10.0.0.0/16"

[resource.security_group.a]
name_prefix = "a"
description = "x"
vpc_id = "${vpc.main.id}"

[[resource.security_group.a.ingress]]
from_port = 80
to_port = 80
protocol = "tcp"
cidr_blocks = ["10.0.0.0/8"]

[[resource.security_group.a.egress]]
ip_protocol = "tcp"
from_port = 9
to_port = 8
security_groups = ["x"]

[resource.ecs_cluster.main]
name = "c"

[resource.kms_key.main]
description = "k"

[resource.secretsmanager_secret.s]
name = "s"
secret_string = "x"

[resource.ecs_service.x]
name = "x"
cluster = "${ecs_cluster.main.name}"
task_definition = "${ecs_task_definition.t.family}"
load_balancer = { target_group_arn = "${lb_target_group.t.id}" }
deployment_maximum_percent = 200

[resource.ecs_task_definition.t]
family = "t"
cpu = 256
memory = 512
container_definitions = [{ name = "a", image = "b", env = [] }]

[resource.lb_target_group.t]
name = "t"
port = 80
protocol = "HTTP"
vpc_id = "${vpc.main.id}"
health_check = { path = "/" }

[resource.s3_bucket.b]
bucket = "leoctl-x"
acl = "private"
force_destroy = true

[resource.instance.i]
ami = "ami-1"
instance_type = "t3.micro"
subnet_id = "subnet-1"
user_data_base64 = "eA=="
private_ip = "10.0.0.4"

[resource.iam_role.r]
name = "r"
assume_role_policy = {}
inline_policy = { name = "a", policy = "{}" }

[[import]]
id = "vpc-1"
to = "vpc.mian"

[[import]]
id = "vpc-1"
to = "vpc.main"

[resource.vpc.main]
cidr_block = "10.1.0.0/16"
"#;
    insta::assert_snapshot!(validate(text));
}

#[test]
fn mistakes_in_toml_are_marked_where_they_are_and_the_rest_is_checked() {
    let text = r#"
[stack]
name = "x"

[locals]
a = vpc.main.id
b = ${vpc.main.id}
c: "x"
d = 'x
y'
e = “x”
f = [vpc.main.id, "x"]
g = <<EOF
{ "a": 1 }
EOF
h = "${vars.n <> 3}"
i = "${'x-${vars.n}'}"

[vars.n]
default = 3

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

[outputs]
o = "${vars.m}"
"#;
    insta::assert_snapshot!(validate(text));
}

#[test]
fn where_the_id_of_a_type_is_wanted_nothing_else_goes() {
    let head = r#"
[stack]
name = "x"

[data.vpc.other]
default = true

[resource.vpc.main]
cidr_block = "10.0.0.0/16"

[resource.subnet.a]
for_each = ["a"]
vpc_id = "${vpc.main.id}"
cidr_block = "10.0.0.0/24"

[resource.default_security_group.main]
vpc_id = "${vpc.main.id}"

[resource.lb.main]
name = "x"
"#;
    let table = |id: &str| format!("subnets = [\"subnet-1\"]\n[resource.route_table.r]\nvpc_id = \"{id}\"\n");
    for (body, wrong, cure) in [
        (table("${vpc.main.arn}"), "`vpc_id` is the id of a `vpc`, and `vpc.main.arn` is an ARN", "write `${vpc.main.id}`"),
        (table("${vpc.main.cidr_block}"), "`vpc.main.cidr_block` is a network", "write `${vpc.main.id}`"),
        (table("${subnet.a['a'].id}"), "`subnet.a['a'].id` is the id of a `subnet`", "write `${vpc.main.id}`"),
        (table("vpc.main"), "\"vpc.main\" is not the id of a `vpc`", "such an id begins with `vpc-`"),
        (table("!Ref vpc"), "\"!Ref vpc\" is not the id of a `vpc`", "such an id begins with `vpc-`"),
        (table("vpc.main.id"), "`vpc.main.id` stands here as a text", "`\"${vpc.main.id}\"`"),
        ("subnets = [\"${vpc.main.id}\"]\n".to_owned(), "element 0 of `subnets` is the id of a `subnet`", "write `${subnet.a['KEY'].id}`"),
        (
            "subnets = [\"subnet-1\"]\n[resource.subnet.b]\nvpc_id = \"${vpc.main.id}\"\ncidr_block = \"${vpc.main.id}\"\n".to_owned(),
            "`cidr_block` is a network, and `vpc.main.id` is the id of a `vpc`",
            "",
        ),
    ] {
        let shown = validate(&format!("{head}{body}"));
        assert!(shown.contains(wrong) && shown.contains(cure), "{body}: {shown}");
        assert_eq!(shown.matches("error[").count(), 1, "{body}: {shown}");
    }
    let project = Project::new("", "test");
    for id in ["${vpc.main.id}", "${data.vpc.other.id}", "${subnet.a['a'].vpc_id}", "vpc-1"] {
        let group = "security_groups = [\"${default_security_group.main.id}\"]";
        project.write("s.toml", &format!("{head}{group}\n{}", table(id)));
        project.expect(0, &["validate", "s.toml"]);
    }
}

#[test]
fn what_is_refused_is_not_known_to_anything_that_is_said_after_it() {
    for body in [
        "[resource.ecs_task_definition.t]\nfamily = \"t\"\ncpu = 256\nmemory = 512\nnetwork_mode = \"AWSVPC\"\nrequires_compatibilities = [\"FARGATE\"]\ncontainer_definitions = [{ name = \"a\", image = \"b\" }]\n",
        "[resource.security_group.g]\nname = \"g\"\ndescription = \"g\"\ningress = [{ ip_protocol = \"tcp\", port = 80, cidr_ipv4 = \"10.0.0.0/8\" }]\n",
        "[resource.cloudwatch_log_group.a]\nname = \"a?\"\n[resource.cloudwatch_log_group.b]\nname = \"${cloudwatch_log_group.a.name}/b\"\n",
        "[resource.s3_bucket.b]\nname = \"leoctl-x\"\n",
    ] {
        let shown = validate(&format!("[stack]\nname = \"x\"\n{body}"));
        assert_eq!(shown.matches("error[").count(), 1, "{body}: {shown}");
    }
}

/// A service whose load balancer's container is this one, with a definition that `for_each` may repeat.
fn served(container: &str, port: u16, definition: &str, reference: &str) -> String {
    format!(
        r#"
[stack]
name = "x"

[vars.other]
default = ""

[data.caller_identity.me]

[resource.ecs_cluster.c]
name = "c"

[resource.ecs_task_definition.web]
family = "web"
cpu = 256
memory = 512
{definition}

[resource.ecs_service.web]
name = "web"
cluster = "${{ecs_cluster.c.arn}}"
task_definition = "{reference}"
desired_count = 1
network_configuration = {{ subnets = ["subnet-1"] }}
load_balancers = [
  {{ target_group_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef", container_name = "{container}", container_port = {port} }},
]
"#
    )
}

const DEFINITION: &str = r#"container_definitions = [
  { name = "web", image = "nginx", port_mappings = [{ container_port = 80 }] },
  { name = "agent", image = "agent" },
]"#;

#[test]
fn a_service_names_a_container_and_a_port_of_its_task_definition() {
    let said = validate(&served("wbe", 8080, DEFINITION, "${ecs_task_definition.web.arn}"));
    assert!(
        said.contains("`load_balancers[0].container_name` is `wbe`, which ecs_task_definition.web does not have as a container"),
        "{said}"
    );
    assert!(said.contains("it has `agent`, `web`") && said.contains("it has `80`"), "{said}");
    assert!(said.contains("s.toml:29"), "{said}");
    let said = validate(&served("agent", 80, DEFINITION, "${ecs_task_definition.web.arn}"));
    assert!(said.contains("is `80`, which the container `agent` of ecs_task_definition.web does not have as a port"), "{said}");
    // Of a definition with a mistake not all is known that is meant.
    let mistaken = DEFINITION.replace("image = \"nginx\"", "image = [\"nginx\"]").replace("\"agent\" },", "\"agent\", imgae = \"\" },");
    let said = validate(&served("wbe", 8080, &mistaken, "${ecs_task_definition.web.arn}"));
    assert!(!said.contains("does not have"), "{said}");
    // What is not known is not judged, nor a definition that is perhaps another one's.
    let with = |line: &str| {
        let text = served("envoy", 8080, DEFINITION, "${ecs_task_definition.web.arn}");
        text.replace("desired_count = 1", &format!("desired_count = 1\n{line}"))
    };
    let unknown = DEFINITION.replace("\"web\"", "\"${data.caller_identity.me.account_id}\"");
    for text in [
        served("web", 80, DEFINITION, "${ecs_task_definition.web.arn}"),
        served("wbe", 80, &unknown, "${ecs_task_definition.web.arn}"),
        served("wbe", 8080, DEFINITION, "${vars.other != '' ? vars.other : ecs_task_definition.web.arn}"),
        // What a pipeline deploys is not what the file says, nor what CodeDeploy does.
        with("lifecycle = { ignore_changes = [\"task_definition\"] }"),
        with("deployment_controller = \"CODE_DEPLOY\""),
    ] {
        let project = Project::new("", "test");
        project.write("s.toml", &text);
        let ran = project.expect(0, &["validate", "s.toml"]);
        assert!(!ran.stderr.contains("does not have"), "{}", ran.stderr);
    }
}

#[test]
fn a_name_that_no_expression_can_say_is_refused_where_it_is_declared() {
    for name in ["in", "true", "false", "null"] {
        for block in ["[resource.vpc.NAME]\ncidr_block = \"10.0.0.0/16\"", "[locals]\nNAME = 1", "[vars.NAME]\ndefault = 1"] {
            let said = validate(&format!("[stack]\nname = \"x\"\n{}\n", block.replace("NAME", name)));
            assert!(said.contains(&format!("error[E0206]: `{name}` cannot be used as a name: it is a word of expressions")), "{said}");
        }
    }
    // Other words of CEL can be said behind a dot. What has such a name can still be moved away from it.
    let project = Project::new("", "test");
    let text = "[stack]\nname = \"x\"\n[locals]\nfor = 1\nif = \"${locals.for + 1}\"\n[resource.vpc.main]\ncidr_block = \"10.0.0.0/16\"\n";
    project.write("s.toml", &format!("{text}[[moved]]\nfrom = \"vpc.in\"\nto = \"vpc.main\"\n"));
    project.expect(0, &["validate", "s.toml"]);
}

/// A command in a hint is written so that it acts where this run does, which it is only in backticks.
#[test]
fn commands_in_help_stand_in_backticks() {
    fn sources(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => sources(&entry, found),
                false if entry.extension().is_some_and(|extension| extension == "rs") => found.push(entry),
                false => {}
            }
        }
    }
    let (root, mut files) = (std::path::Path::new(env!("CARGO_MANIFEST_DIR")), Vec::new());
    ["src", "crates/core/src", "crates/aws/src"].iter().for_each(|folder| sources(&root.join(folder), &mut files));
    let commands = ["apply", "plan", "destroy", "state", "import", "show", "validate", "explain", "sandbox", "drift", "status", "approve"];
    let is_bare = |line: &&str| commands.iter().any(|command| line.contains(&format!(": leoctl {command} ")));
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let bare: Vec<&str> =
            text.lines().filter(|line| line.contains('"') && !line.trim_start().starts_with("//")).filter(is_bare).collect();
        assert!(bare.is_empty(), "{}: {bare:?}", file.display());
    }
}
