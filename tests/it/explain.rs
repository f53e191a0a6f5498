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
