//! What commands make of a stack whose rollout failed or was cut short, and of one that another run changes meanwhile.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::support::emulator::Emulator;
use crate::support::program::{Project, Ran, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;
use crate::support::sdk;
use crate::support::terminal::Terminal;

const STACK: &str = "stacks/rolled.toml";

/// A service with a secret, and a parameter that names the revision it runs.
const BODY: &str = r#"
[stack]
name = "rolled"
region = "us-east-1"
[vars.size]
default = 256
[vars.service]
default = "web"
[resource.secretsmanager_secret.db]
name = "rolled/db"
[resource.ecs_cluster.main]
name = "rolled"
[resource.ecs_task_definition.web]
family = "rolled-web"
network_mode = "bridge"
requires_compatibilities = ["EC2"]
cpu = "${vars.size}"
memory = 512
container_definitions = [{ name = "web", image = "registry.example/web:v1", secrets = { DB = "${secretsmanager_secret.db.arn}" } }]
[resource.ecs_service.web]
name = "${vars.service}"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${ecs_task_definition.web.arn}"
launch_type = "EC2"
desired_count = 1
rollout = "none"
[resource.ssm_parameter.revision]
name = "/rolled/revision"
type = "String"
value = "${ecs_task_definition.web.arn}"
depends_on = ["ecs_service.web"]
"#;

struct Rolled {
    project: Project,
    endpoint: &'static str,
    account: &'static str,
}

impl Rolled {
    fn applied(account: &'static str) -> Self {
        let endpoint = Emulator::MiniStack.endpoint().unwrap();
        let project = Project::new(endpoint, account);
        project.write(STACK, BODY);
        project.expect(0, &["apply", "-y", STACK]);
        Self { project, endpoint, account }
    }

    /// A command of which the first call of an operation fails, or kills it.
    fn broken(&self, operation: &'static str, fault: &Fault, arguments: &[&str]) -> Ran {
        let (fault, hit) = (fault.clone(), AtomicBool::new(false));
        let is = move |call: &crate::support::proxy::call::Call| call.operation == operation && !hit.swap(true, Ordering::SeqCst);
        let proxy = Proxy::start(self.endpoint, move |call| is(call).then(|| fault.clone()));
        let mut command = self.project.command(arguments);
        let piped = std::process::Stdio::piped;
        let child = command.env("AWS_ENDPOINT_URL", &proxy.endpoint).stdout(piped()).stderr(piped()).spawn().unwrap();
        proxy.victim(child.id());
        let output = child.wait_with_output().unwrap();
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(proxy.calls().iter().any(|call| call.fault.is_some()), "{operation} was not called");
        ran(output)
    }

    /// The image that the service runs, and the parameter's value, each as AWS has it.
    async fn runs(&self) -> (String, bool) {
        let config = sdk::config(self.endpoint, self.account).await;
        let ecs = aws_sdk_ecs::Client::new(&config);
        let found = ecs.describe_services().cluster("rolled").services("web").send().await.unwrap();
        let arn = found.services()[0].task_definition().unwrap().to_owned();
        let found = ecs.describe_task_definition().task_definition(&arn).send().await.unwrap().task_definition.unwrap();
        let image = found.container_definitions()[0].image().unwrap().rsplit(':').next().unwrap().to_owned();
        let parameter = aws_sdk_ssm::Client::new(&config).get_parameter().name("/rolled/revision").send().await.unwrap();
        (image, parameter.parameter.unwrap().value.unwrap() == arn)
    }

    fn redeploy(&self, code: i32, arguments: &[&str]) -> Ran {
        self.project.expect(code, &[&["redeploy"], arguments, &["-y", "--stack", STACK]].concat())
    }

    fn nothing_is_left(&self) {
        let plan = self.project.json(&["plan", "--json", STACK]);
        for done in ["create", "update", "replace", "delete"] {
            assert_eq!(plan["summary"][done], 0, "{plan}");
        }
    }
}

fn image(tag: &str) -> [&str; 8] {
    ["redeploy", "web", "--image", tag, "-y", "--stack", STACK, "--no-color"]
}

#[tokio::test]
async fn a_redeployment_that_failed_is_repeated_or_rolled_back_by_the_same_command() {
    let rolled = Rolled::applied("440000000011");
    let refused = Fault::refuse(400, "AccessDeniedException");
    let failed = rolled.broken("UpdateService", &refused, &image("v2"));
    assert!(failed.stderr.contains("Run the same command again"), "{}", failed.stderr);
    let again = rolled.redeploy(0, &["web", "--image", "v2"]);
    assert!(again.stderr.contains("registry.example/web:v1 → registry.example/web:v2"), "{}", again.stderr);
    assert_eq!(rolled.runs().await, ("v2".to_owned(), true));
    rolled.nothing_is_left();

    // Back to what runs, which is a predecessor by now.
    rolled.broken("UpdateService", &refused, &image("v3"));
    rolled.redeploy(0, &["web", "--image", "v2"]);
    assert_eq!(rolled.runs().await, ("v2".to_owned(), true));
    rolled.nothing_is_left();

    // And by the whole image, which finds the service by what it runs.
    rolled.broken("UpdateService", &refused, &image("v4"));
    rolled.redeploy(0, &["--image", "registry.example/web:v5"]);
    assert_eq!(rolled.runs().await, ("v5".to_owned(), true));
    rolled.nothing_is_left();
}

#[tokio::test]
async fn a_redeployment_that_was_killed_or_stopped_behind_the_service_goes_on() {
    let rolled = Rolled::applied("440000000012");
    rolled.broken("UpdateService", &Fault::KillBefore, &image("v2"));
    rolled.redeploy(0, &["web", "--image", "v2"]);
    assert_eq!(rolled.runs().await, ("v2".to_owned(), true));
    rolled.broken("UpdateService", &Fault::KillAfter, &image("v3"));
    rolled.redeploy(0, &["web", "--image", "v3"]);
    assert_eq!(rolled.runs().await, ("v3".to_owned(), true));
    // The service runs the new revision, and what else names one has the predecessor.
    rolled.broken("PutParameter", &Fault::refuse(400, "AccessDeniedException"), &image("v4"));
    assert_eq!(rolled.runs().await, ("v4".to_owned(), false));
    rolled.redeploy(0, &["web", "--image", "v4"]);
    assert_eq!(rolled.runs().await, ("v4".to_owned(), true));
    rolled.nothing_is_left();
}

#[test]
fn what_a_service_gets_is_known_while_it_runs_a_predecessor() {
    let rolled = Rolled::applied("440000000013");
    rolled.broken("UpdateService", &Fault::refuse(400, "AccessDeniedException"), &image("v2"));
    for (text, value) in [("web.DB=one\n", "one"), ("DB=two\n", "two"), ("ecs_service.web.web.DB=three\n", "three")] {
        rolled.project.write(".env", text);
        let pushed = rolled.project.expect(0, &["secrets", "push", "-y", STACK]);
        assert!(pushed.stderr.contains("Set: rolled/db") && pushed.stderr.contains("leoctl redeploy web"), "{value}: {}", pushed.stderr);
    }
    let status = rolled.project.json(&["secrets", "status", "--json", STACK]);
    assert_eq!(status["secrets"][0]["services"], serde_json::json!(["ecs_service.web"]), "{status}");
    // The others know it, too.
    let logs = rolled.project.expect(1, &["logs", "web", "--stack", STACK]);
    assert!(logs.stderr.contains("writes no logs to CloudWatch"), "{}", logs.stderr);
}

/// Runs a command that another one overtakes: that is done once the first has asked who it is, before it has the lock.
fn overtaken(rolled: &Rolled, arguments: &[&str], by: &[&str]) -> (Ran, Vec<String>) {
    let mut other: Command = rolled.project.command(by);
    other.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let other = std::sync::Mutex::new(Some(other));
    let overtakes: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        let other = other.lock().unwrap().take();
        assert!(other.is_none_or(|mut other| other.status().unwrap().success()));
    });
    let once = AtomicBool::new(false);
    let proxy = Proxy::start(rolled.endpoint, move |call| {
        let first = call.operation == "GetCallerIdentity" && !once.swap(true, Ordering::SeqCst);
        first.then(|| Fault::Then(Arc::clone(&overtakes)))
    });
    let ran = ran(rolled.project.command(arguments).env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
    let updates = proxy.calls().into_iter().filter(|call| call.operation == "UpdateService").map(|call| call.request);
    (ran, updates.collect())
}

#[test]
fn a_command_acts_on_what_there_is_when_it_has_the_lock() {
    let rolled = Rolled::applied("440000000014");
    // Another service stands for the address by then.
    let (ran, updates) =
        overtaken(&rolled, &["redeploy", "web", "-y", "--stack", STACK], &["apply", "-y", "--var", "service=other", STACK]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!updates.is_empty() && updates.iter().all(|update| update.contains("service/rolled/other")), "{updates:?}");
    // Other variables were given by then: what is planned is planned with them, and they stay.
    let apply = ["apply", "-y", "--var", "service=other", "--var", "size=512", STACK];
    let (ran, _) = overtaken(&rolled, &["scale", "web=2", "-y", "--stack", STACK], &apply);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let state: Value = rolled.project.json(&["state", "pull", STACK]);
    assert_eq!(state["variables"]["size"], 512, "{}", state["variables"]);
    // All of it is gone by then.
    let (ran, updates) = overtaken(&rolled, &["redeploy", "web", "-y", "--stack", STACK], &["destroy", "-y", STACK]);
    assert_eq!((ran.code, updates.len()), (1, 0), "{}", ran.stderr);
}

/// A person at a terminal agrees to whatever `secrets push` asks.
fn pushes_and_agrees(rolled: &Rolled, endpoint: &str) -> (i32, String) {
    let mut terminal = Terminal::new(40, 200);
    let mut command = rolled.project.command(&["secrets", "push", STACK]);
    command.env("AWS_ENDPOINT_URL", endpoint).stdin(terminal.stdio()).stdout(terminal.stdio()).stderr(terminal.stdio());
    let mut child = command.spawn().unwrap();
    drop(command);
    terminal.shows("Set this secret?");
    terminal.types("yes\n");
    terminal.shows("Redeploy web?");
    terminal.types("yes\n");
    let code = child.wait().unwrap().code().unwrap();
    (code, terminal.all())
}

#[test]
fn a_redeployment_that_is_agreed_to_after_a_push_is_one_like_any_other() {
    let rolled = Rolled::applied("440000000015");
    rolled.project.write(".env", "DB=one\n");
    // Its failure is the command's.
    let refusing =
        Proxy::start(rolled.endpoint, |call| (call.operation == "UpdateService").then(|| Fault::refuse(400, "AccessDeniedException")));
    let (code, shown) = pushes_and_agrees(&rolled, &refusing.endpoint);
    assert!(code == 1 && shown.contains("Set: rolled/db") && shown.contains("not redeployed"), "{code} {shown}");
    // It waits for no apply, and goes beside none.
    rolled.project.write(".env", "DB=two\n");
    let held = std::fs::File::options().write(true).open(rolled.project.path().join("state/rolled.lock")).unwrap();
    held.lock().unwrap();
    let recording = Proxy::recording(rolled.endpoint);
    let (code, shown) = pushes_and_agrees(&rolled, &recording.endpoint);
    assert!(code == 1 && shown.contains("another leoctl is working on this stack"), "{code} {shown}");
    assert!(recording.calls().iter().all(|call| call.operation != "UpdateService"));
    held.unlock().unwrap();
    // And done, it is done.
    rolled.project.write(".env", "DB=three\n");
    let (code, shown) = pushes_and_agrees(&rolled, &recording.endpoint);
    assert!(code == 0 && shown.contains("the new tasks have taken over"), "{code} {shown}");
}

#[tokio::test]
async fn whoever_stops_tasks_is_asked_by_what_aws_runs_now() {
    let rolled = Rolled::applied("440000000016");
    let scale = |code: i32, arguments: &[&str]| rolled.project.expect(code, &[&["scale"], arguments, &["--stack", STACK]].concat()).stderr;
    let ecs = aws_sdk_ecs::Client::new(&sdk::config(rolled.endpoint, rolled.account).await);
    let console = async |count: i32| {
        ecs.update_service().cluster("rolled").service("web").desired_count(count).send().await.unwrap();
    };
    let runs = async || {
        let found = ecs.describe_services().cluster("rolled").services("web").send().await.unwrap();
        found.services()[0].desired_count()
    };
    let asked = |said: &str, change: &str| {
        assert!(said.contains("pass `--yes`") && said.contains(&format!("ecs_service.web: {change}")), "{change}: {said}");
    };
    // More than the stack says, and back to it.
    assert!(scale(0, &["web=5"]).contains("ecs_service.web: 1 → 5 tasks"));
    asked(&scale(1, &["up"]), "5 → 1 task, as many as the stack says");
    asked(&scale(1, &["up", "web"]), "5 → 1 task");
    assert_eq!(runs().await, 5);
    // More in AWS than the state remembers.
    console(10).await;
    asked(&scale(1, &["web=7"]), "10 → 7 tasks");
    asked(&scale(1, &["down"]), "10 → 0 tasks");
    assert_eq!(runs().await, 10);
    assert!(scale(0, &["web=12"]).contains("ecs_service.web: 10 → 12 tasks"));
    // Fewer in AWS than the state remembers: nothing stops.
    console(1).await;
    assert!(scale(0, &["web=3"]).contains("ecs_service.web: 1 → 3 tasks"));
    assert_eq!(runs().await, 3);
    // As many as there are: nobody is asked, and it stays so.
    assert!(scale(0, &["web=3"]).contains("ecs_service.web: 3 tasks, as now"));
}
