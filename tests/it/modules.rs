//! Modules through the real binary: a shop made of them lives, and what is in them is moved, chosen and named as other
//! resources are.

use serde_json::{Value, json};

use crate::support::emulator::Emulator;
use crate::support::program::Project;
use crate::support::proxy::Proxy;

const SHOP: &str = "stacks/shop.toml";

/// The addresses of a plan that are not left as they are.
fn changed(plan: &Value) -> Vec<&str> {
    let changes = plan["changes"].as_array().unwrap().iter().filter(|change| change["action"] != "no_op");
    changes.map(|change| change["address"].as_str().unwrap()).collect()
}

#[test]
fn a_shop_of_modules_is_made_found_as_wanted_changed_and_deleted() {
    let Some(endpoint) = Emulator::Fakecloud.endpoint() else { return };
    let aws = Proxy::strict(endpoint, Emulator::Fakecloud);
    let project = Project::new(&aws.endpoint, "test");
    let none = ["--var", "rollout=none"];
    let with = |arguments: &[&'static str]| [arguments, &[SHOP], &none].concat();
    let shown = project.expect(0, &with(&["plan"])).stdout;
    for heading in ["module.network 1", "module.web[\"billing\"], [\"orders\"] 2", "module.mail "] {
        assert!(shown.lines().any(|line| line.starts_with(heading)), "{heading}: {shown}");
    }
    assert!(shown.contains("\n  + vpc.main\n"), "below a heading, an address is that in the module: {shown}");
    project.expect(0, &with(&["apply", "-y"]));
    project.expect(0, &with(&["plan", "--detailed-exitcode"]));
    let outputs = project.json(&["output", "--json", SHOP]);
    assert_eq!(outputs["services"], json!(["shop-dev-billing", "shop-dev-orders"]));

    // A change of one service is a change of that module alone.
    let larger = "services={ orders = { image = 'httpd:2.4', paths = ['/orders'], priority = 100, cpu = 512 }, billing = { image = 'nginx:1.29', paths = ['/billing', '/billing/*'], priority = 101, cpu = 512 } }";
    let plan = project.json(&[&["plan", "--json", "--var", larger, SHOP], &none[..]].concat());
    let addresses = changed(&plan);
    assert!(addresses.iter().all(|address| address.starts_with("module.web[\"orders\"].")), "{addresses:?}");
    assert!(addresses.contains(&"module.web[\"orders\"].ecs_task_definition.main"), "{addresses:?}");
    let change = plan["changes"].as_array().unwrap().iter().find(|change| change["address"] == addresses[0]).unwrap();
    assert_eq!(change["module"], "module.web[\"orders\"]");
    project.expect(0, &[&["apply", "-y", "--var", larger, SHOP], &none[..]].concat());
    project.expect(0, &[&["plan", "--detailed-exitcode", "--var", larger, SHOP], &none[..]].concat());

    // The services go by their modules' names.
    assert!(project.expect(1, &["exec", "main", "--stack", SHOP]).stderr.contains("`module.web[\"orders\"].ecs_service.main`"));
    assert!(project.expect(1, &["logs", "odrers", "--stack", SHOP]).stderr.contains("did you mean `orders`?"));
    project.expect(0, &["tasks", "list", "orders", "--stack", SHOP]);
    project.expect(0, &["tasks", "list", "web[billing]", "--stack", SHOP]);
    project.expect(0, &["logs", "module.web[\"orders\"].ecs_service.main", "--stack", SHOP]);
    let cost = project.expect(0, &["cost", SHOP]).stdout;
    assert!(cost.contains("By module\n") && cost.contains("\n  module.web[\"orders\"] "), "{cost}");
    project.expect(0, &["iam-policy", "apply", SHOP]);

    project.expect(0, &["destroy", "-y", SHOP]);
    assert_eq!(project.json(&["state", "list", "--json", SHOP]), json!([]));
}

#[test]
fn the_modules_of_this_repository_are_valid_by_themselves() {
    let project = Project::new("", "test");
    for module in ["network", "web_service", "worker"] {
        let file = format!("modules/{module}.toml");
        let ran = project.expect(0, &["validate", &file]);
        assert!(ran.stdout.starts_with(&format!("The module {file} is valid: ")), "{}", ran.stdout);
    }
    let shown = project.json(&["validate", "--json", "modules/network.toml"]);
    assert_eq!((&shown["module"], &shown["files"][0]["role"]), (&json!("modules/network.toml"), &json!("module")));
    project.write(
        "modules/wrong.toml",
        "[vars.name]\n[resource.cloudwatch_log_group.main]\nname = '${vars.nmae}'\nretention_in_days = true\n",
    );
    let wrong = project.expect(1, &["validate", "modules/wrong.toml"]).stderr;
    assert!(wrong.contains("there is no variable `nmae`") && wrong.contains("modules/wrong.toml:3:"), "{wrong}");
    assert!(wrong.contains("retention_in_days"), "{wrong}");
}

#[test]
fn a_change_of_a_module_concerns_the_stacks_that_use_it() {
    let project = Project::new("", "test");
    project.write("changes", "modules/worker.toml\0");
    let checked = project.expect(0, &["validate", "--changed", "changes", "stacks/dev.toml", "stacks/shop.toml"]);
    assert!(checked.stdout.contains("stacks/shop.toml") && !checked.stdout.contains("leo-dev"), "{}", checked.stdout);
}

/// A stack of one log group in a module, and what else its file says.
fn logging(project: &Project, more: &str) {
    let stack = "[stack]\nname = 'moving'\nregion = 'us-east-1'\n";
    project.write("stacks/moving.toml", &format!("{stack}{more}"));
    project.write(
        "modules/logs.toml",
        "[vars.name]\n[resource.cloudwatch_log_group.main]\nname = '${vars.name}'\n[outputs]\narn = '${cloudwatch_log_group.main.arn}'\n",
    );
}

const STACK: &str = "stacks/moving.toml";

#[test]
fn resources_move_into_modules_between_them_and_out_without_being_made_again() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "310000000011");
    let steps = [
        "[resource.cloudwatch_log_group.web]\nname = '/moving/web'\n",
        "[module.one]\nsource = '../modules/logs.toml'\ninputs = { name = '/moving/web' }\n\
         [[moved]]\nfrom = 'cloudwatch_log_group.web'\nto = 'module.one.cloudwatch_log_group.main'\n",
        "[module.many]\nsource = '../modules/logs.toml'\nfor_each = ['web']\ninputs = { name = '/moving/${each.key}' }\n\
         [[moved]]\nfrom = 'module.one'\nto = 'module.many[\"web\"]'\n",
        "[resource.cloudwatch_log_group.again]\nname = '/moving/web'\n\
         [[moved]]\nfrom = 'module.many[\"web\"].cloudwatch_log_group.main'\nto = 'cloudwatch_log_group.again'\n",
    ];
    for (at, step) in steps.iter().enumerate() {
        logging(&project, step);
        let plan = project.json(&["plan", "--json", STACK]);
        let made = ["create", "delete", "replace"].map(|action| plan["summary"][action].as_u64().unwrap());
        assert_eq!(made, [u64::from(at == 0), 0, 0], "{step}");
        project.expect(0, &["apply", "-y", STACK]);
        project.expect(0, &["plan", "--detailed-exitcode", STACK]);
    }
    project.expect(0, &["destroy", "-y", STACK]);
}

#[test]
fn modules_are_moved_forgotten_imported_and_chosen_by_their_address() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "310000000012");
    let two = |name: &str| {
        format!(
            "[module.{name}]\nsource = '../modules/logs.toml'\nfor_each = ['a', 'b']\ninputs = {{ name = '/chosen/${{each.key}}' }}\n[outputs]\narns = '${{pluck(module.{name}, \"arn\")}}'\n"
        )
    };
    logging(&project, &two("logs"));
    project.expect(0, &["apply", "-y", "--target", "module.logs[a]", STACK]);
    let listed = || {
        project
            .json(&["state", "list", "--json", STACK])
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["address"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(), ["module.logs[\"a\"].cloudwatch_log_group.main"]);
    assert!(changed(&project.json(&["plan", "--json", "--exclude", "module.logs", STACK])).is_empty());
    project.expect(0, &["apply", "-y", STACK]);
    let replaced = project.json(&["plan", "--json", "--replace", "module.logs[b]", STACK]);
    assert_eq!(changed(&replaced), ["module.logs[\"b\"].cloudwatch_log_group.main"]);

    project.expect(0, &["state", "mv", "module.logs", "module.kept", STACK]);
    logging(&project, &two("kept"));
    assert_eq!(project.json(&["plan", "--json", STACK])["summary"]["create"], 0);
    project.expect(0, &["state", "show", "module.kept[a].cloudwatch_log_group.main", STACK]);
    project.expect(0, &["state", "rm", "module.kept[b]", STACK]);
    assert_eq!(listed(), ["module.kept[\"a\"].cloudwatch_log_group.main"]);
    project.expect(0, &["import", "-y", "module.kept[b].cloudwatch_log_group.main", "/chosen/b", STACK]);
    assert_eq!(listed().len(), 2);
    project.expect(0, &["apply", "-y", STACK]);
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
    logging(&project, "[[removed]]\nfrom = 'module.kept[\"b\"]'\n");
    let plan = project.json(&["plan", "--json", STACK]);
    assert_eq!((&plan["summary"]["forget"], &plan["summary"]["delete"]), (&json!(1), &json!(1)));
    project.expect(0, &["destroy", "-y", STACK]);
}

#[test]
fn a_condition_of_what_is_known_only_during_apply_is_held_before_anything_is_made_with_it() {
    let project = Project::new(Emulator::MiniStack.endpoint().unwrap(), "310000000019");
    let module = |end: &str| {
        format!(
            "[vars.group]\n[[vars.group.validate]]\ncondition = \"${{vars.group.endsWith('{end}')}}\"\nmessage = 'such a group is not taken'\n\
             [resource.sns_topic.main]\nname = 'conditions'\ntags = {{ group = '${{vars.group}}' }}\n"
        )
    };
    project.write(
        STACK,
        "[stack]\nname = 'moving'\nregion = 'us-east-1'\n[resource.cloudwatch_log_group.web]\nname = '/conditions/web'\n\
         [module.one]\nsource = '../modules/topic.toml'\ninputs = { group = '${cloudwatch_log_group.web.arn}' }\n",
    );
    project.write("modules/topic.toml", &module("/other"));
    let ran = project.expect(1, &["apply", "-y", STACK]);
    for said in ["module.one.sns_topic.main", "input `group` of module.one: such a group is not taken", "modules/topic.toml:3:13"] {
        assert!(ran.stderr.contains(said) || ran.stdout.contains(said), "{said}: {}{}", ran.stdout, ran.stderr);
    }
    assert_eq!(project.json(&["state", "list", "--json", STACK])[0]["address"], "cloudwatch_log_group.web", "and nothing else");
    assert_eq!(project.json(&["state", "list", "--json", STACK]).as_array().unwrap().len(), 1);
    project.write("modules/topic.toml", &module("/web"));
    project.expect(0, &["apply", "-y", STACK]);
    project.expect(0, &["plan", "--detailed-exitcode", STACK]);
    project.expect(0, &["destroy", "-y", STACK]);
}
