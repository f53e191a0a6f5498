//! Services once they run: scaled, given other images by leoctl and by others, and left as they are by apply.

use serde_json::{Value, json};

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::sdk;

const STACK: &str = "stacks/shop.toml";

const BODY: &str = r#"
[stack]
name = "shop"
region = "us-east-1"
[vars.tag]
default = "v1"
[vars.count]
default = 2
[vars.cpu]
default = 256
[resource.ecs_cluster.main]
name = "shop"
[resource.ecs_task_definition.web]
family = "shop-web"
cpu = "${vars.cpu}"
memory = 1024
container_definitions = [{ name = "web", image = "registry.example/web:${vars.tag}" }]
IGNORED
[resource.ecs_service.web]
name = "shop-web"
cluster = "${ecs_cluster.main.arn}"
task_definition = "${ecs_task_definition.web.arn}"
desired_count = "${vars.count}"
"#;

/// A stack whose image is its file's to say.
fn ours() -> String {
    BODY.replace("IGNORED", "")
}

/// A stack whose image is somebody else's.
fn theirs() -> String {
    BODY.replace("IGNORED", "lifecycle = { ignore_changes = ['container_definitions[\"web\"].image'] }")
}

struct Ecs(aws_sdk_ecs::Client);

impl Ecs {
    async fn of(endpoint: &str, account: &str) -> Self {
        Self(aws_sdk_ecs::Client::new(&sdk::config(endpoint, account).await))
    }

    async fn service(&self) -> aws_sdk_ecs::types::Service {
        let found = self.0.describe_services().cluster("shop").services("shop-web").send().await.unwrap();
        found.services.unwrap().remove(0)
    }

    /// The image the service's tasks run.
    async fn image(&self) -> String {
        let running = self.service().await.task_definition.unwrap();
        let found = self.0.describe_task_definition().task_definition(running).send().await.unwrap();
        found.task_definition.unwrap().container_definitions.unwrap().remove(0).image.unwrap()
    }

    /// What a pipeline does that knows nothing of leoctl: a revision like the running one but for its image.
    async fn deploy(&self, image: &str) {
        let running = self.service().await.task_definition.unwrap();
        let found = self.0.describe_task_definition().task_definition(running).send().await.unwrap().task_definition.unwrap();
        let container = aws_sdk_ecs::types::ContainerDefinition::builder().name("web").image(image).essential(true).build();
        let call = self.0.register_task_definition().family("shop-web").set_cpu(found.cpu).set_memory(found.memory);
        let call = call.network_mode(found.network_mode.unwrap()).set_requires_compatibilities(found.requires_compatibilities);
        let made = call.container_definitions(container).set_tags(Some(self.tags(&found.task_definition_arn.unwrap()).await));
        let arn = made.send().await.unwrap().task_definition.unwrap().task_definition_arn.unwrap();
        self.0.update_service().cluster("shop").service("shop-web").task_definition(arn).send().await.unwrap();
    }

    async fn tags(&self, arn: &str) -> Vec<aws_sdk_ecs::types::Tag> {
        self.0.list_tags_for_resource().resource_arn(arn).send().await.unwrap().tags.unwrap_or_default()
    }
}

fn plan(project: &Project, variables: &[&str]) -> Value {
    project.json(&[&["plan", "--json", STACK], variables].concat())
}

fn summary(plan: &Value) -> (u64, u64, u64) {
    let count = |name: &str| plan["summary"][name].as_u64().unwrap();
    (count("create"), count("update"), count("replace"))
}

fn notes(plan: &Value) -> String {
    plan["warnings"].to_string()
}

#[tokio::test]
async fn a_service_that_is_scaled_down_stays_down_until_it_is_scaled_up() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, "410000000001");
    project.write(STACK, &ours());
    project.expect(0, &["apply", "-y", STACK]);
    let ecs = Ecs::of(endpoint, "410000000001").await;

    project.expect(0, &["scale", "down", "-y", "--stack", STACK]);
    assert_eq!(ecs.service().await.desired_count, 0);
    let down = plan(&project, &[]);
    assert_eq!(summary(&down), (0, 0, 0));
    assert!(notes(&down).contains("scaled by hand") && notes(&down).contains("leoctl scale up"), "{down}");
    assert!(project.expect(0, &["status", STACK]).stdout.contains("scaled by hand"));
    // Another number in the file does not bring it back by surprise, nor does a change of something else.
    project.expect(0, &["apply", "-y", STACK, "--var", "count=3", "--var", "cpu=512"]);
    assert_eq!(ecs.service().await.desired_count, 0);
    // Made anew, it has as few tasks as before.
    project.expect(0, &["apply", "-y", STACK, "--var", "count=3", "--var", "cpu=512", "--replace", "ecs_service.web"]);
    assert_eq!(ecs.service().await.desired_count, 0);
    assert!(notes(&plan(&project, &["--var", "count=3", "--var", "cpu=512"])).contains("scaled by hand"));
    // What is started by hand past leoctl is drift.
    ecs.0.update_service().cluster("shop").service("shop-web").desired_count(1).send().await.unwrap();
    assert_eq!(summary(&plan(&project, &["--var", "count=3", "--var", "cpu=512"])), (0, 1, 0));

    // Back to what the file says now, and nothing else that it says.
    project.expect(0, &["scale", "up", "--stack", STACK, "--var", "count=3"]);
    assert_eq!(ecs.service().await.desired_count, 3);
    assert_eq!(summary(&plan(&project, &["--var", "count=3", "--var", "cpu=512"])), (0, 0, 0));
    project.expect(0, &["scale", "web=1", "-y", "--stack", STACK, "--var", "count=3"]);
    assert_eq!(ecs.service().await.desired_count, 1);
    let planned = plan(&project, &["--var", "count=3", "--var", "cpu=512", "--scale-up"]);
    assert_eq!(planned["changes"].as_array().unwrap().iter().filter(|change| change["action"] == "update").count(), 1);
    project.expect(0, &["apply", "-y", "--scale-up", STACK, "--var", "count=3", "--var", "cpu=512"]);
    assert_eq!(ecs.service().await.desired_count, 3);
    assert_eq!(notes(&plan(&project, &["--var", "count=3", "--var", "cpu=512"])), "[]");
    let typo = project.expect(1, &["scale", "wbe=1", "--stack", STACK]);
    assert!(typo.stderr.contains("web"), "{}", typo.stderr);
}

#[tokio::test]
async fn an_image_that_was_deployed_by_hand_stays_until_the_file_says_another() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, "410000000002");
    project.write(STACK, &ours());
    project.expect(0, &["apply", "-y", STACK]);
    let ecs = Ecs::of(endpoint, "410000000002").await;

    let ran = project.expect(0, &["redeploy", "web", "-y", "--image", "v2", "--stack", STACK]);
    assert!(ran.stderr.contains("registry.example/web:v2"), "{}", ran.stderr);
    assert_eq!(ecs.image().await, "registry.example/web:v2");
    let after = plan(&project, &[]);
    assert_eq!(summary(&after), (0, 0, 0), "{after}");
    assert!(notes(&after).contains("leoctl redeploy"), "{after}");
    // A change of something else keeps it.
    project.expect(0, &["apply", "-y", STACK, "--var", "cpu=512"]);
    assert_eq!(ecs.image().await, "registry.example/web:v2");
    // Twice the same is nothing; without an image tasks are started anew.
    let again = project.expect(0, &["redeploy", "web", "-y", "--image", "v2", "--stack", STACK, "--var", "cpu=512"]);
    assert!(again.stderr.contains("Nothing to do"), "{}", again.stderr);
    project.expect(0, &["redeploy", "-y", "--stack", STACK]);

    project.expect(0, &["apply", "-y", STACK, "--var", "tag=v3", "--var", "cpu=512"]);
    assert_eq!(ecs.image().await, "registry.example/web:v3");
    assert_eq!(notes(&plan(&project, &["--var", "tag=v3", "--var", "cpu=512"])), "[]");
}

#[tokio::test]
async fn an_image_that_another_pipeline_deploys_is_never_rolled_back() {
    let endpoint = Emulator::MiniStack.endpoint().unwrap();
    let project = Project::new(endpoint, "410000000003");
    project.write(STACK, &theirs());
    project.expect(0, &["apply", "-y", STACK]);
    let ecs = Ecs::of(endpoint, "410000000003").await;

    // Forth and back again: both are the pipeline's to decide.
    let first = ecs.service().await.task_definition.unwrap();
    ecs.deploy("registry.example/web:build-6").await;
    project.expect(0, &["apply", "-y", STACK]);
    ecs.0.update_service().cluster("shop").service("shop-web").task_definition(&first).send().await.unwrap();
    let after = plan(&project, &[]);
    assert_eq!(summary(&after), (0, 0, 0), "{after}");
    project.expect(0, &["apply", "-y", STACK]);
    assert_eq!(ecs.image().await, "registry.example/web:v1");

    ecs.deploy("registry.example/web:build-7").await;
    let after = plan(&project, &[]);
    assert_eq!(summary(&after), (0, 0, 0), "{after}");
    assert_eq!(after["drift"], json!([]), "{after}");
    // A change of something else makes a revision with the image that runs.
    project.expect(0, &["apply", "-y", STACK, "--var", "cpu=512"]);
    assert_eq!(ecs.image().await, "registry.example/web:build-7");
    assert_eq!(summary(&plan(&project, &["--var", "cpu=512"])), (0, 0, 0));
    // And leoctl may be that pipeline.
    project.expect(0, &["redeploy", "-y", "--image", "build-8", "--stack", STACK, "--var", "cpu=512"]);
    assert_eq!(ecs.image().await, "registry.example/web:build-8");
    let after = plan(&project, &["--var", "cpu=512"]);
    assert_eq!(summary(&after), (0, 0, 0), "{after}");
    assert_eq!(notes(&after), "[]");
    // The drift command agrees.
    project.expect(0, &["drift", STACK, "--var", "cpu=512"]);
}

/// Application Auto Scaling would start tasks again: it is suspended while the service is scaled by hand.
#[tokio::test]
async fn autoscaling_rests_while_a_service_is_scaled_down() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let project = Project::new(endpoint, "test");
    let target = "rollout = \"none\"\n[resource.appautoscaling_target.web]\nservice_namespace = \"ecs\"\n\
        resource_id = \"service/${ecs_cluster.main.name}/${ecs_service.web.name}\"\n\
        scalable_dimension = \"ecs:service:DesiredCount\"\nmin_capacity = 1\nmax_capacity = 4\n";
    project.write(STACK, &(ours() + target).replace("\"shop\"", "\"rests\"").replace("shop-web", "rests-web"));
    project.expect(0, &["apply", "-y", STACK]);
    let suspended = |project: &Project| {
        let state = project.json(&["state", "pull", STACK]);
        let target = &state["resources"]["appautoscaling_target.web"]["current"]["attributes"]["suspended_state"];
        (
            target["dynamic_scaling_out_suspended"].clone(),
            state["resources"]["ecs_service.web"]["current"]["attributes"]["desired_count"].clone(),
        )
    };
    let asked = project.expect(1, &["scale", "down", "web", "--stack", STACK]).stderr;
    let shown = asked.split("pass `--yes`").next().unwrap_or_default();
    assert!(shown.contains("appautoscaling_target.web") && shown.contains("desired_count = 2 → 0"), "{asked}");
    assert_eq!(suspended(&project), (json!(false), json!(2)));
    project.expect(0, &["scale", "down", "web", "-y", "--stack", STACK]);
    assert_eq!(suspended(&project), (json!(true), json!(0)));
    assert_eq!(summary(&plan(&project, &[])), (0, 0, 0));
    project.expect(0, &["scale", "up", "--stack", STACK]);
    assert_eq!(suspended(&project), (json!(false), json!(2)));
    assert_eq!(summary(&plan(&project, &[])), (0, 0, 0));
    // What autoscaling sets is left to it.
    let nothing = project.expect(0, &["scale", "up", "--stack", STACK]);
    assert!(nothing.stderr.contains("Nothing to do"), "{}", nothing.stderr);
    project.expect(0, &["destroy", "-y", STACK]);
}
