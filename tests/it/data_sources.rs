//! What is there already, read by its id: every resource type is a data source.

use serde_json::json;

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::proxy::Proxy;

const OWNER: &str = "stacks/owner.toml";
const READER: &str = "stacks/reader.toml";

const OWNED: &str = r#"
[stack]
name = "owner"
region = "us-east-1"

[resource.iam_role.deploy]
name = "read-by-id"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" }, Action = "sts:AssumeRole" }] }

[resource.s3_bucket.files]
bucket = "read-by-id-files"

[resource.ecs_cluster.main]
name = "read-by-id"

[resource.sns_topic.alarms]
name = "read-by-id"
display_name = "Alarms"

[resource.ecr_repository.app]
name = "read-by-id"

[resource.cloudwatch_log_group.app]
name = "/read-by-id"
retention_in_days = 7

[resource.awscc_sqs_queue.jobs]
queue_name = "read-by-id"
visibility_timeout = 45

[outputs]
topic = "${sns_topic.alarms.arn}"
cluster = "${ecs_cluster.main.arn}"
queue = "${awscc_sqs_queue.jobs.queue_url}"
"#;

const READ: &str = r#"
[stack]
name = "reader"
region = "us-east-1"

[data.stack.owner]
file = "owner.toml"

[data.iam_role.deploy]
id = "read-by-id"

[data.s3_bucket.files]
id = "read-by-id-files"

[data.ecs_cluster.main]
id = "${data.stack.owner.outputs.cluster}"

[data.sns_topic.alarms]
id = "${data.stack.owner.outputs.topic}"

[data.ecr_repository.app]
id = "read-by-id"

[data.cloudwatch_log_group.app]
id = "/read-by-id"

[data.awscc_sqs_queue.jobs]
id = "${data.stack.owner.outputs.queue}"

[outputs]
role = "${data.iam_role.deploy.arn}"
bucket = "${data.s3_bucket.files.bucket}"
cluster = "${data.ecs_cluster.main.name}"
alarms = "${data.sns_topic.alarms.display_name}"
repository = "${data.ecr_repository.app.repository_uri}"
days = "${data.cloudwatch_log_group.app.retention_in_days}"
timeout = "${data.awscc_sqs_queue.jobs.visibility_timeout}"
"#;

#[test]
fn what_is_there_is_read_by_its_id() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let aws = Proxy::strict(endpoint, Emulator::Fakecloud);
    let project = Project::new(&aws.endpoint, "test");
    project.write(OWNER, OWNED);
    project.write(READER, READ);
    project.expect(0, &["apply", "-y", OWNER]);
    project.expect(0, &["apply", "-y", READER]);
    let outputs = project.json(&["output", "--json", READER]);
    let expected = json!({
        "alarms": "Alarms", "bucket": "read-by-id-files", "cluster": "read-by-id", "days": 7,
        "role": outputs["role"], "repository": outputs["repository"], "timeout": 45,
    });
    assert_eq!(outputs, expected);
    assert!(outputs["role"].as_str().unwrap().ends_with(":role/read-by-id"), "{outputs}");
    assert!(outputs["repository"].as_str().unwrap().ends_with("/read-by-id"), "{outputs}");
    project.expect(0, &["plan", "--detailed-exitcode", READER]);
    let policy = project.expect(0, &["iam-policy", "plan", READER]).stdout;
    for action in ["iam:GetRole", "ecr:DescribeRepositories", "logs:DescribeLogGroups", "sqs:GetQueueAttributes"] {
        assert!(policy.contains(action), "{action}: {policy}");
    }
    project.expect(0, &["destroy", "-y", READER]);
    project.expect(0, &["plan", "--detailed-exitcode", OWNER]);
    project.expect(0, &["destroy", "-y", OWNER]);
}

#[test]
fn what_is_not_there_and_what_is_not_asked_for_so_is_said_with_its_line() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "310000000029");
    let stack = |rest: &str| format!("[stack]\nname = 'reader'\nregion = 'us-east-1'\n{rest}");
    project.write(READER, &stack("[data.iam_role.deploy]\nid = 'read-by-nobody'\n"));
    let ran = project.expect(1, &["plan", READER]).stderr;
    assert!(ran.contains("data.iam_role.deploy: there is no iam_role read-by-nobody") && ran.contains("reader.toml:4:"), "{ran}");
    project.write(READER, &stack("[data.iam_role.deploy]\nname = 'deploy'\n[data.iam_rol.other]\nid = 'x'\n"));
    let ran = project.expect(1, &["validate", READER]).stderr;
    assert!(ran.contains("`name` of data.iam_role.deploy is set by AWS") && ran.contains("`id`"), "{ran}");
    assert!(ran.contains("did you mean `iam_role`?"), "{ran}");
}

/// AWS gives back in clear what it was given.
#[test]
fn what_is_secret_stays_so_on_its_way_through_aws() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "310000000039");
    project.write(
        READER,
        "[stack]\nname = 'reader'\nregion = 'us-east-1'\n[vars.word]\nsensitive = true\n\
         [resource.iam_role.r]\nname = 'read-back'\ndescription = \"${vars.word}\"\n\
         assume_role_policy = { Version = '2012-10-17', Statement = [{ Effect = 'Allow', Principal = { Service = 'ecs-tasks.amazonaws.com' }, Action = 'sts:AssumeRole' }] }\n\
         [data.iam_role.r]\nid = \"${iam_role.r.name}\"\n[outputs]\nsaid = \"${data.iam_role.r.description}\"\n",
    );
    let word = ["--var", "word=hush-read-back-7"];
    for command in [&["apply", "-y", READER][..], &["plan", READER], &["apply", "-y", READER]] {
        let ran = project.expect(0, &[command, &word].concat());
        assert!(!ran.stdout.contains("hush-read-back") && !ran.stderr.contains("hush-read-back"), "{}{}", ran.stdout, ran.stderr);
    }
    assert!(!project.expect(0, &["state", "pull", READER]).stdout.contains("hush-read-back"));
    project.write(READER, "[stack]\nname = 'reader'\nregion = 'us-east-1'\n[vars.word]\nsensitive = true\n[resource.sns_topic.t]\nname_prefix = \"${vars.word}-\"\n");
    let refused = project.expect(1, &[&["plan", READER][..], &word].concat()).stderr;
    assert!(refused.contains("`name_prefix` of sns_topic.t is sensitive"), "{refused}");
}

#[test]
fn a_null_where_a_value_is_needed_is_refused_when_it_is_planned() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let project = Project::new(endpoint, "310000000077");
    let text = r#"
[stack]
name = "nothing"
region = "us-east-1"

[data.caller_identity.me]

[resource.subnet.a]
cidr_block = "10.0.0.0/24"
vpc_id = "${data.caller_identity.me.account_id == 'x' ? 'vpc-1' : null}"
"#;
    project.write("s.toml", text);
    project.expect(0, &["validate", "s.toml"]);
    let refused = project.expect(1, &["plan", "s.toml"]);
    assert!(refused.stderr.contains("error[E0302]: subnet.a: `vpc_id` is null, and needs a value"), "{}", refused.stderr);
    assert!(refused.stderr.contains("s.toml:10"), "{}", refused.stderr);
}
