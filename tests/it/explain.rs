//! `leoctl explain`: types and attributes in the terminal.

use crate::support::program::Project;

#[test]
fn a_type_and_its_attributes_are_explained_without_aws() {
    let project = Project::new("http://127.0.0.1:9", "test");
    let explain = |what: &str| project.expect(0, &["explain", what]).stdout;
    let vpc = explain("vpc");
    assert!(vpc.starts_with("# vpc\n") && vpc.contains("`cidr_block`"), "{vpc}");
    assert!(explain("data.vpc").starts_with("# data.vpc\n"));
    let one = explain("ecs_service.deployment_configuration.minimum_healthy_percent");
    assert!(one.starts_with("- `minimum_healthy_percent` (integer") && one.lines().count() == 1, "{one}");
    // Of a table all of its attributes.
    assert!(explain("ecs_service.deployment_configuration").contains("  - `maximum_percent`"));
    // Those of Cloud Control by both of their names.
    let queue = explain("awscc_sqs_queue");
    assert!(queue.contains("AWS::SQS::Queue") && queue.contains("`visibility_timeout`"), "{queue}");
    assert_eq!(explain("AWS::SQS::Queue"), queue);
    // What has to be written is nobody's choice.
    let name = explain("awscc_cloudformation_stack.stack_name");
    assert!(name.contains("(string, required, **changing it replaces the resource**)"), "{name}");
    // Its properties, too, and places of elements as messages have them.
    assert_eq!(explain("AWS::RDS::DBInstance.MultiAZ"), explain("awscc_rds_db_instance.multi_az"));
    assert_eq!(explain("ecs_service.load_balancers[0].container_name"), explain("ecs_service.load_balancers.container_name"));
    let json = project.json(&["explain", "--json", "vpc.cidr_block"]);
    assert_eq!((json["name"].as_str(), json["replaces"].as_bool()), (Some("cidr_block"), Some(true)));
    let json = project.json(&["explain", "--json", "vpc"]);
    assert!(json["attributes"].as_array().unwrap().iter().any(|one| one["name"] == "cidr_block"), "{json}");
    assert!(explain("awscc_ec2_vpc").contains("`leoctl explain vpc`"));
}

#[test]
fn a_name_that_there_is_none_of_is_met_with_the_nearest() {
    let project = Project::new("http://127.0.0.1:9", "test");
    for (what, nearest) in [
        ("ecs_servise", "`ecs_service`"),
        ("data.vpcs", "`data.vpc`"),
        ("awscc_sqs_queues", "`awscc_sqs_queue`"),
        ("AWS::SQS::Queues", "`awscc_sqs_queue`"),
        ("aws_vpc", "leoctl calls it `vpc`"),
        ("AWS::Kinesis", "`awscc_kinesis_stream`"),
        ("aws_lambda", "awscc_lambda_function, "),
        ("vpc.cidr_blok", "`cidr_block`"),
        ("ecs_service.deployment_configuration.maximum_percentage", "`maximum_percent`"),
        ("vpc.cidr_block.more", "`leoctl explain vpc`"),
    ] {
        let said = project.expect(1, &["explain", what]).stderr;
        assert!(said.contains(nearest), "{what}: {said}");
    }
    let said = project.expect(1, &["explain", "--aws", "vpc"]).stderr;
    assert!(said.contains("`vpc` is a type of leoctl's own"), "{said}");
    let said = project.expect(1, &["explain", "--aws", "--sandbox", "awscc_sqs_queue"]).stderr;
    assert!(said.contains("the sandbox has no registry"), "{said}");
}

#[test]
fn all_types_are_listed_by_service_those_that_leoctl_knows_best_first() {
    let project = Project::new("http://127.0.0.1:9", "test");
    let shown = project.expect(0, &["explain", "--list"]).stdout;
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    assert!(
        at("\nEC2\n  default_route_table ") < at("\n  vpc ")
            && at("\n  vpc ") < at("\n  data.vpc ")
            && at("\n  data.vpc ") < at("\nSQS\n  awscc_sqs_queue\n")
    );
    assert!(!shown.contains("awscc_ec2_vpc\n"), "what leoctl has a type of its own for is listed as that");
    let json = project.json(&["explain", "--list", "--json"]);
    let all = json.as_array().unwrap();
    let catalog = leoctl_aws::registry::catalog();
    for name in catalog.resources.keys() {
        let listed = all.iter().find(|listed| listed["type"] == name.as_str()).unwrap();
        assert!(listed["service"].is_string(), "{name} has no service");
    }
    assert!(all.iter().any(|listed| listed["type"] == "awscc_sqs_queue" && listed["service"] == "SQS"));
}

#[test]
fn each_type_has_an_example_that_is_valid_and_begins_with_it() {
    let project = Project::new("http://127.0.0.1:9", "test");
    let catalog = leoctl_aws::registry::catalog();
    project.write("modules/network.toml", "[stack]\nname = \"network\"\nregion = \"us-east-1\"\n[resource.vpc.main]\ncidr_block = \"10.0.0.0/16\"\n[outputs]\nvpc_id = \"${vpc.main.id}\"\n");
    let data = catalog.data.keys().map(|name| format!("data.{name}"));
    // Of Cloud Control's types, those that there is a file of knowledge about.
    let titles = catalog.resources.keys().cloned().chain(data).chain(leoctl_aws::cloud_control::knowledge::type_names());
    let mut files = Vec::new();
    for title in titles {
        let example = leoctl_aws::examples::of(&title).unwrap_or_else(|| panic!("there is no example of {title}"));
        let first = example.lines().find(|line| line.starts_with('[')).unwrap_or_default();
        let header = if title.starts_with("data.") { format!("[{title}.") } else { format!("[resource.{title}.") };
        assert!(first.starts_with(&header), "{title} begins with {first}");
        assert_eq!(leoctl_core::stack::format::format(example).unwrap(), example, "{title} is not laid out: run `leoctl fmt` on it");
        let file = format!("modules/{title}.toml");
        project.write(&file, example);
        files.push(file);
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let ran = project.run(&[&["validate", "--json"], files.as_slice()].concat());
    let checked: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
    for one in checked.as_array().unwrap() {
        assert!(one["valid"] == true && one["warnings"].is_null(), "{one:#}");
    }
    let vpc = project.expect(0, &["explain", "vpc"]).stdout;
    assert!(vpc.contains("## Example\n\n```toml\n[resource.vpc.main]\n"), "{vpc}");
    assert!(project.json(&["explain", "--json", "vpc"])["example"].as_str().unwrap().contains("cidr_block"));
    let database = project.expect(0, &["explain", "awscc_rds_db_instance"]).stdout;
    assert!(database.contains("## Example\n\n```toml\n[resource.awscc_rds_db_instance.main]\n"), "{database}");
}
