//! What tasks use: percentiles from CloudWatch, and the advice that follows.

use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};
use serde_json::{Value, json};

use crate::support::emulator::Emulator;
use crate::support::live::Live;
use crate::support::program::{Project, ran};
use crate::support::proxy::Proxy;
use crate::support::proxy::fault::Fault;

const STACK: &str = "stacks/shop.toml";

const BODY: &str = r#"
[stack]
name = "shop"
region = "us-east-1"
[vars.insights]
default = "enabled"
[vars.job_cpu]
default = 4096
[resource.ecs_cluster.main]
name = "shop"
container_insights = "${vars.insights}"
[resource.iam_role.execution]
name = "shop-execution"
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
[resource.ecs_task_definition.web]
family = "shop-web"
cpu = 1024
memory = 2048
execution_role_arn = "${iam_role.execution.arn}"
[[resource.ecs_task_definition.web.container_definitions]]
name = "web"
image = "nginx"
[resource.ecs_task_definition.job]
family = "shop-job"
cpu = "${vars.job_cpu}"
memory = 8192
execution_role_arn = "${iam_role.execution.arn}"
[[resource.ecs_task_definition.job.container_definitions]]
name = "job"
image = "busybox"
[resource.ecs_service.web]
name = "shop-web"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${ecs_task_definition.web.arn}"
desired_count = 2
rollout = "none"
"#;

fn applied(endpoint: &str, arguments: &[&str]) -> Project {
    let project = Project::new(endpoint, "test");
    project.write(STACK, BODY);
    project.expect(0, &[&["apply", "-y", STACK], arguments].concat());
    project
}

/// Puts a hundred values of the last hours, from `low` to `high`.
async fn put(live: &Live, namespace: &str, metric: &str, of: (&str, &str), low: f64, high: f64) {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let dimensions = vec![dimension("ClusterName", "shop"), dimension(of.0, of.1)];
    let now = SystemTime::now();
    let data = (0..100_u32).map(|number| {
        let time = now - Duration::from_secs(u64::from(number) * 60);
        let value = low + (high - low) * f64::from(number) / 99.0;
        MetricDatum::builder().metric_name(metric).set_dimensions(Some(dimensions.clone())).timestamp(time.into()).value(value).build()
    });
    live.alarms.put_metric_data().namespace(namespace).set_metric_data(Some(data.collect())).send().await.unwrap();
}

fn usage<'a>(stats: &'a Value, address: &str, resource: &str) -> &'a Value {
    let mut all = stats["usage"].as_array().unwrap().iter();
    all.find(|usage| usage["address"] == address && usage["resource"] == resource)
        .unwrap_or_else(|| panic!("{address} {resource}: {stats}"))
}

/// fakecloud and MiniStack compute percentiles; Moto answers them with an error of its own.
async fn percentiles_and_advice(emulator: Emulator) {
    let Some(emulator) = emulator.alone() else { return };
    let project = applied(&emulator.endpoint, &[]);
    let live = Live::new(&emulator.endpoint, &project, STACK);
    let service = ("ServiceName", "shop-web");
    put(&live, "AWS/ECS", "CPUUtilization", service, 10.0, 60.0).await;
    put(&live, "AWS/ECS", "MemoryUtilization", service, 60.0, 97.0).await;
    let job = ("TaskDefinitionFamily", "shop-job");
    put(&live, "ECS/ContainerInsights", "CpuUtilized", job, 100.0, 900.0).await;
    put(&live, "ECS/ContainerInsights", "MemoryUtilized", job, 1000.0, 2000.0).await;

    let proxy = Proxy::recording(&emulator.endpoint);
    let mut command = project.command(&["stats", "--json", STACK]);
    let ran = ran(command.env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let stats: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(proxy.calls().iter().filter(|call| call.operation == "GetMetricData").count(), 1);

    let memory = usage(&stats, "ecs_service.web", "memory");
    let near = |value: &Value, wanted: f64| assert!((value.as_f64().unwrap() - wanted).abs() < 1.0, "{value} for {wanted}: {memory}");
    assert_eq!(memory["of_maxima"], false);
    [("p50", 78.5), ("p95", 95.1), ("p99", 96.6), ("peak", 97.0)].iter().for_each(|(name, wanted)| near(&memory[*name], *wanted));
    assert_eq!(memory["course"].as_array().unwrap().len(), 24);
    near(&usage(&stats, "ecs_task_definition.job", "cpu")["p99"], 892.0 / 40.96);

    let advice = stats["advice"].as_array().unwrap();
    let of = |address: &str| advice.iter().find(|advice| advice["address"] == address).unwrap_or_else(|| panic!("{address}: {stats}"));
    // The service's memory is short, and Container Insights has nothing of its task definition.
    let web = of("ecs_task_definition.web");
    assert_eq!((&web["memory"], &web["size"]), (&json!("raise"), &json!({ "cpu": 1024, "memory": 3072 })));
    assert_eq!(web["tasks"], 2);
    near(&web["monthly_usd"], 0.004_445 * 730.0 * 2.0);
    let line = BODY.lines().position(|line| line == "memory = 2048").unwrap() + 1;
    assert_eq!((&web["lines"][0]["file"], &web["lines"][0]["line"]), (&json!(STACK), &json!(line)));
    // The job has far too much of both.
    let job = of("ecs_task_definition.job");
    assert_eq!((&job["cpu"], &job["memory"], &job["size"]), (&json!("lower"), &json!("lower"), &json!({ "cpu": 1024, "memory": 3072 })));
    assert!(job["hourly_usd"].as_f64().unwrap() < 0.0 && job["monthly_usd"].is_null());
    assert_eq!(job["lines"][0]["name"], "vars.job_cpu");
    assert_eq!(stats["missing"][0]["address"], "ecs_task_definition.web");

    let shown = project.expect(0, &["stats", "--hours", "2", STACK]).stdout;
    assert!(shown.contains("cpu 1024, memory 2048 → cpu 1024, memory 3072  costs $6.49 a month (2 tasks, on demand)"), "{shown}");
    assert!(shown.contains(&format!("{STACK}:{line}: memory = 3072")) && shown.contains('█'), "{shown}");
}

#[tokio::test]
async fn percentiles_and_advice_on_fakecloud() {
    percentiles_and_advice(Emulator::Fakecloud).await;
}

#[tokio::test]
async fn percentiles_and_advice_on_ministack() {
    percentiles_and_advice(Emulator::MiniStack).await;
}

#[test]
fn what_is_not_known_is_said_with_what_to_do() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = applied(&emulator.endpoint, &["--var", "insights=disabled"]);
    let stats = project.json(&["stats", "--json", STACK]);
    assert_eq!((&stats["usage"], &stats["advice"]), (&json!([]), &json!([])));
    let missing = stats["missing"].as_array().unwrap();
    let of = |address: &str| missing.iter().find(|missing| missing["address"] == address).unwrap_or_else(|| panic!("{address}: {stats}"));
    assert!(of("ecs_cluster.main")["help"].as_str().unwrap().contains("container_insights = \"enabled\""));
    assert!(of("ecs_cluster.main")["problem"].as_str().unwrap().contains("shop-job"));
    assert!(of("ecs_service.web")["problem"].as_str().unwrap().contains("no numbers"));
    let denied = Proxy::start(&emulator.endpoint, |call| (call.operation == "GetMetricData").then(|| Fault::refuse(400, "AccessDenied")));
    let mut command = project.command(&["stats", STACK]);
    let denied = ran(command.env("AWS_ENDPOINT_URL", &denied.endpoint).output().unwrap());
    assert_eq!(denied.code, 1);
    assert!(denied.stderr.contains("your role lacks a permission: cloudwatch:GetMetricData"), "{}", denied.stderr);
    let hours = project.expect(1, &["stats", "--hours", "0", STACK]);
    assert!(hours.stderr.contains("1..=1512"), "{}", hours.stderr);
}

/// What CloudWatch answers where a metric was published as sums (CloudWatch API Reference, GetMetricData): no values of
/// the percentiles, for which the values then are too few facts (User Guide, "Percentiles").
#[test]
fn without_percentiles_the_largest_values_do() {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = applied(&emulator.endpoint, &["--var", "insights=disabled"]);
    let proxy = Proxy::start(&emulator.endpoint, |call| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
        let result = |id: &str, values: &[f64]| {
            let time = |number: usize| aws_smithy_types::DateTime::from_secs(now - 300 * number as i64);
            let times = (0..values.len()).map(|number| format!("<member>{}</member>", time(number))).collect::<String>();
            let values = values.iter().map(|value| format!("<member>{value}</member>")).collect::<String>();
            format!(
                "<member><Id>{id}</Id><Label>x</Label><StatusCode>Complete</StatusCode><Timestamps>{times}</Timestamps><Values>{values}</Values></member>"
            )
        };
        let empty = ["m0_p50", "m0_p95", "m0_p99", "m1_p50", "m1_p95", "m1_p99"].map(|id| result(id, &[]));
        let maxima = [result("m0_maximum", &[60.0, 70.0]), result("m1_maximum", &[50.0, 95.0])];
        let results = [empty.concat(), maxima.concat()].concat();
        let body = format!(
            "<GetMetricDataResponse xmlns=\"http://monitoring.amazonaws.com/doc/2010-08-01/\"><GetMetricDataResult><MetricDataResults>{results}</MetricDataResults></GetMetricDataResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetMetricDataResponse>"
        );
        (call.operation == "GetMetricData").then_some(Fault::Answer(body))
    });
    let mut command = project.command(&["stats", "--json", STACK]);
    let ran = ran(command.env("AWS_ENDPOINT_URL", &proxy.endpoint).output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let stats: Value = serde_json::from_str(&ran.stdout).unwrap();
    let memory = usage(&stats, "ecs_service.web", "memory");
    assert_eq!((&memory["of_maxima"], &memory["p99"]), (&json!(true), &json!(95.0)));
    assert_eq!(stats["advice"][0]["memory"], "raise");
}
