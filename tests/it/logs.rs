//! Logs: read in order of time by any name, and followed without losing or doubling a line.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use serde_json::{Value as Json, json};

use crate::support::emulator::{Emulator, Running};
use crate::support::program::Project;
use crate::support::proxy::fault::Fault;
use crate::support::proxy::{Proxy, event_stream};
use crate::support::sdk;

const STACK: &str = "stacks/shop.toml";

const BODY: &str = r#"
[stack]
name = "shop"
region = "us-east-1"
[resource.cloudwatch_log_group.web]
name = "/shop/web"
[resource.cloudwatch_log_group.jobs]
name = "/shop/jobs"
[resource.iam_role.execution]
name = "shop-execution"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
[resource.ecs_cluster.main]
name = "shop"
[resource.ecs_task_definition.web]
family = "shop-web"
cpu = 256
memory = 512
execution_role_arn = "${iam_role.execution.arn}"
container_definitions = [{ name = "nginx", image = "nginx", log_configuration = { log_driver = "awslogs", options = { awslogs-group = "${cloudwatch_log_group.web.name}", awslogs-stream-prefix = "web", awslogs-region = "us-east-1" } } }]
[resource.ecs_task_definition.job]
family = "shop-job"
cpu = 256
memory = 512
execution_role_arn = "${iam_role.execution.arn}"
container_definitions = [{ name = "job", image = "job", log_configuration = { log_driver = "awslogs", options = { awslogs-group = "${cloudwatch_log_group.jobs.name}", awslogs-stream-prefix = "job", awslogs-region = "us-east-1" } } }]
[resource.ecs_service.web]
name = "shop-web"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${ecs_task_definition.web.arn}"
desired_count = 0
rollout = "none"
"#;

const WEB: (&str, &str) = ("/shop/web", "web/nginx/0123456789abcdef0123456789abcdef");
const OTHER_WEB: (&str, &str) = ("/shop/web", "web/nginx/fedcba9876543210fedcba9876543210");
const JOB: (&str, &str) = ("/shop/jobs", "job/job/00112233445566778899aabbccddeeff");

/// The stack, applied on an emulator of its own, with its three streams.
struct Shop {
    emulator: Running,
    project: Project,
    logs: Client,
    began: i64,
}

impl Shop {
    async fn new() -> Option<Self> {
        let emulator = Emulator::Fakecloud.alone()?;
        let project = Project::new(&emulator.endpoint, "test");
        project.write(STACK, BODY);
        assert!(project.expect(1, &["logs", "--stack", STACK]).stderr.contains("leoctl apply"));
        project.expect(0, &["apply", "-y", STACK]);
        let logs = Client::new(&sdk::config(&emulator.endpoint, "test").await);
        for (group, stream) in [WEB, OTHER_WEB, JOB] {
            logs.create_log_stream().log_group_name(group).log_stream_name(stream).send().await.unwrap();
        }
        Some(Self { emulator, project, logs, began: now() })
    }

    /// Writes lines, each at so many milliseconds from the beginning.
    async fn write(&self, (group, stream): (&str, &str), lines: &[(i64, &str)]) {
        let event = |(at, line): &(i64, &str)| InputLogEvent::builder().timestamp(self.began + at).message(*line).build().unwrap();
        let events = lines.iter().map(event).collect();
        self.logs.put_log_events().log_group_name(group).log_stream_name(stream).set_log_events(Some(events)).send().await.unwrap();
    }

    fn shown(&self, arguments: &[&str]) -> Vec<String> {
        let arguments = [&["logs", "--json", "--stack", STACK], arguments].concat();
        self.project.expect(0, &arguments).stdout.lines().map(message).collect()
    }
}

fn now() -> i64 {
    i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn message(line: &str) -> String {
    serde_json::from_str::<Json>(line).unwrap()["message"].as_str().unwrap().to_owned()
}

/// leoctl following logs.
struct Following {
    child: Child,
    lines: Option<std::io::Lines<BufReader<ChildStdout>>>,
    shown: Vec<String>,
    over: Arc<AtomicBool>,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

impl Following {
    fn new(command: &mut std::process::Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (id, over) = (child.id(), Arc::new(AtomicBool::new(false)));
        let is_over = Arc::clone(&over);
        // A line that never comes fails the test instead of hanging it.
        std::thread::spawn(move || {
            let began = Instant::now();
            while !is_over.load(Ordering::SeqCst) {
                if began.elapsed() > Duration::from_secs(120) {
                    drop(std::process::Command::new("kill").args(["-9", &id.to_string()]).status());
                    return;
                }
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        Self { child, lines: Some(lines), shown: Vec::new(), over }
    }

    /// Reads until a line says this.
    fn until(&mut self, last: &str) {
        while self.shown.last().is_none_or(|line| line != last) {
            let line = self.lines.as_mut().unwrap().next().expect("leoctl goes on").unwrap();
            self.shown.push(message(&line));
        }
    }

    /// Ends it as Ctrl-C does; all the lines it has shown, in order of their names.
    fn end(mut self) -> Vec<String> {
        let killed = std::process::Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        self.shown.extend(self.lines.take().unwrap().map(|line| message(&line.unwrap())));
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        self.shown.sort();
        std::mem::take(&mut self.shown)
    }
}

#[tokio::test]
async fn logs_are_read_in_order_of_time_by_any_name() {
    let Some(shop) = Shop::new().await else { return };
    shop.write(WEB, &[(-7_000, "web one"), (-5_000, "web two"), (-1_000, "web three")]).await;
    shop.write(OTHER_WEB, &[(-4_000, "other\n")]).await;
    shop.write(JOB, &[(-7_200_000, "long ago"), (-6_000, "job one"), (-2_000, "job two")]).await;

    let web = ["web one", "web two", "other\n", "web three"];
    assert_eq!(shop.shown(&[]), ["web one", "job one", "web two", "other\n", "job two", "web three"]);
    for name in ["web", "ecs_service.web", "shop-web", "ecs_task_definition.web", "cloudwatch_log_group.web", "/shop/web"] {
        assert_eq!(shop.shown(&[name]), web, "{name}");
    }
    assert_eq!(shop.shown(&["job", "/shop/jobs", "--since", "1d"]), ["long ago", "job one", "job two"]);
    assert_eq!(shop.shown(&["--task", "fedcba98"]), ["other\n"]);
    assert_eq!(shop.shown(&["web", "--task", "0123456789abcdef0123456789abcdef"]), ["web one", "web two", "web three"]);
    assert_eq!(shop.shown(&["--filter", "two"]), ["web two", "job two"]);
    assert_eq!(shop.shown(&["--grep", "^(job one|oth.r)"]), ["job one", "other\n"]);

    let all = shop.project.expect(0, &["logs", "web", "--since", "2d", "--stack", STACK]);
    let first = all.stdout.lines().next().unwrap();
    assert!(first.ends_with("Z nginx/01234567 web one") && !all.stdout.contains('\u{1b}'), "{first}");
    let none = shop.project.expect(0, &["logs", "job", "--since", "0s", "--stack", STACK]);
    assert!(none.stdout.is_empty() && none.stderr.contains("No events since"), "{}", none.stderr);
    let typo = shop.project.expect(1, &["logs", "wbe", "--stack", STACK]);
    assert!(typo.stderr.contains("did you mean `web`"), "{}", typo.stderr);
    assert!(shop.project.expect(1, &["logs", "--grep", "(", "--stack", STACK]).stderr.contains("no regular expression"));
    assert!(shop.project.expect(1, &["logs", "--since", "soon", "--stack", STACK]).stderr.contains("15m"));
    // A group somebody deleted does not keep the others from being read.
    shop.logs.delete_log_group().log_group_name("/shop/jobs").send().await.unwrap();
    let rest = shop.project.expect(0, &["logs", "--stack", STACK]);
    assert!(rest.stdout.contains("web three") && rest.stderr.contains("/shop/jobs"), "{}", rest.stderr);
    shop.project.expect(1, &["logs", "job", "--stack", STACK]);
    // Without the permission it is named.
    let denied = Proxy::start(&shop.emulator.endpoint, |call| {
        (call.operation == "FilterLogEvents").then(|| Fault::refuse(400, "AccessDeniedException"))
    });
    let mut command = shop.project.command(&["logs", "--stack", STACK]);
    let ran = crate::support::program::ran(command.env("AWS_ENDPOINT_URL", &denied.endpoint).output().unwrap());
    assert!(ran.code == 1 && ran.stderr.contains("logs:FilterLogEvents"), "{}", ran.stderr);
}

#[tokio::test]
async fn every_page_is_read() {
    let Some(shop) = Shop::new().await else { return };
    // A page of CloudWatch Logs has at most 10,000 events (CloudWatch Logs API Reference, FilterLogEvents).
    let lines: Vec<String> = (0..10_500).map(|number| format!("line {number}")).collect();
    for some in lines.chunks(3_500) {
        let some: Vec<(i64, &str)> = some.iter().map(|line| (-1_000, line.as_str())).collect();
        shop.write(WEB, &some).await;
    }
    let proxy = Proxy::recording(&shop.emulator.endpoint);
    let mut command = shop.project.command(&["logs", "web", "--json", "--stack", STACK]);
    let ran = crate::support::program::ran(command.env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
    let mut shown: Vec<String> = ran.stdout.lines().map(message).collect();
    shown.sort();
    let mut lines = lines;
    lines.sort();
    assert!(shown == lines, "{} lines of {}: {}", shown.len(), lines.len(), ran.stderr);
    assert!(proxy.calls().iter().filter(|call| call.operation == "FilterLogEvents").count() > 1);
}

#[tokio::test]
async fn logs_are_followed_by_reading_them_again_where_they_are_not_sent() {
    let Some(shop) = Shop::new().await else { return };
    shop.write(WEB, &[(-60_000, "before")]).await;
    let mut following = Following::new(&mut shop.project.command(&["logs", "-f", "--json", "--stack", STACK]));
    following.until("before");
    // Two that are alike, and one that arrives late.
    shop.write(WEB, &[(10, "same"), (10, "same"), (20, "one")]).await;
    following.until("one");
    shop.write(JOB, &[(-20_000, "late")]).await;
    following.until("late");
    for number in 0..5 {
        let line = format!("line {number}");
        shop.write(OTHER_WEB, &[(100 + number, &line)]).await;
        following.until(&line);
    }
    let expected = ["before", "late", "line 0", "line 1", "line 2", "line 3", "line 4", "one", "same", "same"];
    assert_eq!(following.end(), expected);
}

#[tokio::test]
async fn a_reader_that_goes_away_ends_following() {
    let Some(shop) = Shop::new().await else { return };
    shop.write(WEB, &[(-1_000, "one"), (-900, "two")]).await;
    let mut following = Following::new(&mut shop.project.command(&["logs", "-f", "--json", "--stack", STACK]));
    following.until("two");
    drop(following.lines.take());
    shop.write(WEB, &[(0, "three")]).await;
    assert_eq!(following.child.wait().unwrap().code(), Some(0));
}

/// No emulator has Live Tail: the sessions here are answered by the test, as the CloudWatch Logs API Reference has it
/// (StartLiveTail; LiveTailSessionUpdate; LiveTailSessionLogEvent).
#[cfg(target_os = "linux")]
#[tokio::test]
async fn live_tail_is_followed_and_what_it_leaves_out_is_read() {
    let Some(shop) = Shop::new().await else { return };
    shop.write(WEB, &[(-1_000, "read, then sent")]).await;
    let sent = |line: &str, time: i64| {
        json!({
            "logGroupIdentifier": format!("123456789012:{}", WEB.0), "logStreamName": WEB.1,
            "message": line, "timestamp": time, "ingestionTime": time + 500,
        })
    };
    let update = |events: Vec<Json>| ("sessionUpdate", json!({ "sessionMetadata": { "sampled": false }, "sessionResults": events }));
    let start = || ("sessionStart", json!({ "sessionId": "s", "requestId": "r" }));
    let began = shop.began;
    let sessions = [
        // Ends at once: AWS ends a session after three hours.
        event_stream::answer(&[start(), update(vec![sent("read, then sent", began - 1_000)])], true),
        event_stream::answer(
            &[start(), update(vec![sent("sent, then read", began + 3), sent("only sent", began), sent("only sent", began)])],
            false,
        ),
    ];
    let begun = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&begun);
    let proxy = Proxy::start(&shop.emulator.endpoint, move |call| {
        let number = (call.operation == "StartLiveTail").then(|| counter.fetch_add(1, Ordering::SeqCst))?;
        Some(sessions.get(number).map_or_else(|| Fault::refuse(400, "LimitExceededException"), |answer| Fault::Raw(answer.clone())))
    });
    let mut command = shop.project.command(&["logs", "web", "-f", "--json", "--stack", STACK]);
    let command = crate::support::preload::hosts(command.env("AWS_ENDPOINT_URL", &proxy.endpoint), "stream-");
    let mut following = Following::new(command);
    following.until("only sent");
    // What was never sent is found by reading after the session began.
    shop.write(WEB, &[(3, "sent, then read"), (5, "only read")]).await;
    following.until("only read");
    let live = proxy.calls().into_iter().find(|call| call.operation == "StartLiveTail").unwrap();
    assert!(live.request.contains("arn:aws:logs:us-east-1:123456789012:log-group:/shop/web\""), "{}", live.request);
    // While a session goes on nothing is read.
    let reads = || proxy.calls().iter().filter(|call| call.operation == "FilterLogEvents").count();
    let before = reads();
    let waiting = Instant::now();
    while waiting.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(reads(), before);
    assert_eq!(following.end(), ["only read", "only sent", "only sent", "read, then sent", "sent, then read"]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn logs_are_followed_without_the_permission_for_live_tail() {
    let Some(shop) = Shop::new().await else { return };
    let proxy = Proxy::start(&shop.emulator.endpoint, |call| {
        (call.operation == "StartLiveTail").then(|| Fault::refuse(400, "AccessDeniedException"))
    });
    let mut command = shop.project.command(&["logs", "web", "-f", "--json", "--stack", STACK]);
    let command = crate::support::preload::hosts(command.env("AWS_ENDPOINT_URL", &proxy.endpoint), "stream-");
    let mut following = Following::new(command);
    shop.write(WEB, &[(0, "one")]).await;
    following.until("one");
    shop.write(WEB, &[(1, "two")]).await;
    following.until("two");
    assert!(proxy.calls().iter().filter(|call| call.operation == "StartLiveTail").count() == 1);
    assert_eq!(following.end(), ["one", "two"]);
}
