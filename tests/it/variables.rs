//! Variables that have to be given: a plan asks for all of them, a command about what was made only for those it needs.

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran};

const STACK: &str = "stacks/shop.toml";

const BODY: &str = r#"
[stack]
name = "shop-${vars.environment}"
region = "us-east-1"
[vars.environment]
[vars.image]
[vars.queues]
[vars.token]
sensitive = true
[resource.cloudwatch_log_group.queue]
for_each = "${vars.queues.split(',')}"
name = "/shop/${each.value}"
[resource.ecs_cluster.main]
name = "shop"
[resource.ecs_task_definition.web]
family = "shop-web"
cpu = 256
memory = 512
container_definitions = [{ name = "web", image = "${vars.image}", environment = { TOKEN = "${vars.token}" } }]
[resource.ecs_service.web]
name = "shop-web"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${ecs_task_definition.web.arn}"
desired_count = 1
launch_type = "EC2"
rollout = "none"
[outputs]
image = "${vars.image}"
token = "${vars.token}"
"#;

const NAMED: [&str; 2] = ["--var", "environment=prod"];
const SECRET: [&str; 2] = ["--var", "token=hunter2"];
const OTHERS: [&str; 4] = ["--var", "image=web:v1", "--var", "queues=a,b"];

fn lacks(ran: &Ran, names: &[&str]) {
    for name in ["environment", "image", "queues", "token"] {
        let said = ran.stderr.contains(&format!("variable `{name}` has no value"));
        assert_eq!(said, names.contains(&name), "{name}: {}", ran.stderr);
    }
}

#[test]
fn what_was_made_is_operated_with_the_variables_it_was_made_with() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "430000000021");
    project.write(STACK, BODY);
    let all = [NAMED.as_slice(), &SECRET, &OTHERS].concat();
    project.expect(0, &[&["apply", "-y", STACK], all.as_slice()].concat());
    // Where the state is has to be known first, and nothing else.
    for command in [&["output", STACK][..], &["show", STACK], &["status", STACK], &["state", "list", STACK], &["logs", "--stack", STACK]] {
        lacks(&project.expect(1, command), &["environment"]);
        project.expect(0, &[command, &NAMED].concat());
    }
    assert_eq!(project.expect(0, &[&["output", STACK, "image"], NAMED.as_slice()].concat()).stdout, "web:v1\n");
    let secret = project.expect(1, &[&["output", STACK, "token"], NAMED.as_slice()].concat());
    assert!(secret.stderr.contains("sensitive outputs are not kept"), "{}", secret.stderr);
    project.expect(0, &[&["redeploy", "web", "-y", "--stack", STACK], NAMED.as_slice()].concat());
    // What is planned anew takes what is remembered, and secrets are not.
    let scale = [&["scale", "web=2", "-y", "--stack", STACK], NAMED.as_slice()].concat();
    lacks(&project.expect(1, &scale), &["token"]);
    project.expect(0, &[scale.as_slice(), &SECRET].concat());
    project.expect(0, &[&["plan", "--detailed-exitcode", STACK], all.as_slice()].concat());
    // A plan of the whole stack says what it lacks.
    lacks(&project.expect(1, &[&["plan", STACK], NAMED.as_slice()].concat()), &["image", "queues", "token"]);
    lacks(&project.expect(1, &["plan", STACK]), &["environment", "image", "queues", "token"]);
}

#[test]
fn a_place_of_the_state_that_hangs_on_a_variable_asks_for_it_alone() {
    let project = Project::new("", "430000000022");
    let body = BODY.replace(
        "[vars.environment]",
        "[stack.backend.s3]\nbucket = \"${locals.bucket}\"\nkey = \"k\"\n[locals]\nbucket = \"states-${vars.image}\"\n[vars.environment]",
    );
    project.write(STACK, &body);
    let refused = project.expect(1, &[&["output", STACK], NAMED.as_slice()].concat());
    lacks(&refused, &["image"]);
    assert!(!refused.stderr.contains("can use variables"), "{}", refused.stderr);
}
