//! Whoever moves Leo from its CDK app to leoctl gets the same AWS: every resource the app makes, with every
//! property it sets, in both of its forms, plain HTTP and HTTPS.
//!
//! The stack keeps its own names, so each form has an emulator to itself. What is there is read with the SDK, past
//! leoctl's own reading. CDK's own means are no part of it: the functions that empty the bucket and the VPC's default
//! security group, their roles, and their statement in the bucket's policy.

mod balancing;
mod containers;
mod firewall;
mod network;
mod roles;
mod storage;

use crate::support::emulator::Emulator;
use crate::support::live::Live;
use crate::support::program::Project;

const STACK: &str = "stacks/reference.toml";
const CERTIFICATE: &str = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555";

/// One form of the platform.
struct Form {
    /// Whether there is a certificate.
    https: bool,
    /// The stack's variables, where they are not the defaults.
    variables: String,
    /// Who may reach the load balancer.
    networks: &'static [&'static str],
    /// How many resources it takes.
    resources: usize,
}

impl Form {
    fn http() -> Self {
        Self { https: false, variables: String::new(), networks: &["187.223.16.15/32"], resources: 34 }
    }

    fn https() -> Self {
        let variables =
            format!("certificate_arn.default = \"{CERTIFICATE}\"\nallowed_cidrs.default = [\"187.223.16.15/32\", \"2001:db8::/64\"]\n");
        Self { https: true, variables, networks: &["187.223.16.15/32", "2001:db8::/64"], resources: 35 }
    }

    /// What the load balancer's firewall lets in.
    fn ports(&self) -> &'static [(&'static str, u16)] {
        if self.https { &[("HTTP", 80), ("HTTPS", 443)] } else { &[("HTTP", 80)] }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leo_over_http_is_in_aws_what_its_cdk_app_makes() {
    holds(&Form::http()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leo_over_https_is_in_aws_what_its_cdk_app_makes() {
    holds(&Form::https()).await;
}

async fn holds(form: &Form) {
    let Some(emulator) = Emulator::Fakecloud.alone() else { return };
    let project = Project::new(&emulator.endpoint, "test");
    let header = "[stack]\nname = \"reference\"\nextends = [\"base/leo.toml\"]\n[vars]\nrollout.default = \"none\"\n";
    project.write(STACK, &format!("{header}{}", form.variables));
    project.expect(0, &["apply", "-y", STACK]);
    let live = Live::new(&emulator.endpoint, &project, STACK);
    assert_eq!(live.addresses().len(), form.resources, "{:?}", live.addresses());
    nothing_is_left_to_do(&project, form, false);

    network::holds(&live).await;
    firewall::holds(&live, form).await;
    storage::holds(&live).await;
    roles::holds(&live).await;
    containers::holds(&live).await;
    balancing::holds(&live, form).await;
    outputs_hold(&live, form).await;
    order_holds(&project, form);

    // Bucket and repositories now hold what would keep them from being deleted.
    storage::push_images(&live).await;
    nothing_is_left_to_do(&project, form, true);
    project.expect(0, &["destroy", "-y", STACK]);
    nothing_is_left(&live).await;
}

/// The next plan is empty, and says so when there is no image for the service to run.
fn nothing_is_left_to_do(project: &Project, form: &Form, pushed: bool) {
    let plan = project.json(&["plan", "--detailed-exitcode", "--json", STACK]);
    assert_eq!(plan["summary"]["no_op"], form.resources, "{:#}", plan["summary"]);
    assert_eq!(plan["drift"], serde_json::json!([]));
    assert_eq!(plan["checks"][0]["holds"], pushed, "{:#}", plan["checks"]);
}

/// Scripts that start generator tasks by hand read these.
async fn outputs_hold(live: &Live, form: &Form) {
    let dns_name = balancing::load_balancer(live).await.dns_name().unwrap().to_owned();
    let scheme = if form.https { "https" } else { "http" };
    let expected = serde_json::json!({
        "url": format!("{scheme}://{dns_name}"),
        "alb_dns_name": dns_name,
        "app_repository_uri": storage::repository_uri(live, "leo-saas-app").await,
        "generator_repository_uri": storage::repository_uri(live, "leo").await,
        "generator_task_def_arn": containers::task_definition(live, "leo").await.task_definition_arn().unwrap(),
        "task_security_group_id": live.id("security_group.generator"),
        "task_subnet_ids": network::subnets(live).join(","),
        "s3_bucket_name": storage::BUCKET,
    });
    assert_eq!(live.outputs, expected);
}

/// What has to be there first. AWS keeps no such order, so it is what the state has, which deletes go by.
fn order_holds(project: &Project, form: &Form) {
    let first = |address: &str, needed: &[&str]| {
        let shown = project.json(&["state", "show", address, "--json", STACK]);
        let depends_on: Vec<&str> = shown["depends_on"].as_array().unwrap().iter().map(|entry| entry.as_str().unwrap()).collect();
        assert!(needed.iter().all(|one| depends_on.contains(one)), "{address}: {depends_on:?}");
    };
    for zone in network::ZONES {
        // The VPC takes its IPv6 block, and the gateway its VPC, before they count as made.
        first(&format!("subnet.public[\"{zone}\"]"), &["vpc.main"]);
        first(&format!("route_table.public[\"{zone}\"]"), &["vpc.main", "internet_gateway.main"]);
        first("lb.main", &[&format!("route_table.public[\"{zone}\"]")]);
    }
    let serving = if form.https { "lb_listener.https" } else { "lb_listener.http" };
    first("ecs_service.app", &[serving, "iam_role.app"]);
}

/// Deleting the stack deletes what holds data too, and with what it holds.
async fn nothing_is_left(live: &Live) {
    network::is_gone(live).await;
    storage::is_gone(live).await;
    roles::are_gone(live).await;
    containers::are_gone(live).await;
    balancing::is_gone(live).await;
}
