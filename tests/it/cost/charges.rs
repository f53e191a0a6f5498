//! What is managed through Cloud Control, against sums made by hand.

#[test]
fn what_cloud_control_manages_costs_what_its_table_says_and_the_rest_is_named() {
    let database = |more: &str| {
        format!(
            "[resource.awscc_rds_db_instance.d]\ndb_instance_identifier = \"d\"\nmaster_username = \"a\"\nmanage_master_user_password = true\n{more}"
        )
    };
    let small = "engine = \"postgres\"\ndb_instance_class = \"db.t4g.small\"\nallocated_storage = \"30\"\nmulti_az = true\n";
    let body = format!(
        "{}{}",
        database(small),
        r#"
[resource.awscc_rds_db_subnet_group.g]
db_subnet_group_description = "g"
subnet_ids = ["subnet-1", "subnet-2"]
[resource.awscc_elasticache_replication_group.one]
replication_group_description = "one"
engine = "valkey"
cache_node_type = "cache.t4g.micro"
num_cache_clusters = 2
[resource.awscc_elasticache_replication_group.sharded]
replication_group_description = "sharded"
engine = "redis"
cache_node_type = "cache.t4g.small"
num_node_groups = 2
replicas_per_node_group = 1
[resource.awscc_sqs_queue.q]
"#
    );
    let estimate = super::estimate("us-east-1", &body);
    let of = |name: &str| estimate.bills.iter().find(|bill| bill.address.to_string() == name).unwrap();
    let sum = |name: &str| (of(name).total() * 1e4).round() as i64;
    // A standby doubles both: 0.032 an hour for 730 hours, and 30 GB at 0.115.
    assert_eq!(sum("awscc_rds_db_instance.d"), 46_7200 + 6_9000);
    assert_eq!(sum("awscc_elasticache_replication_group.one"), 18_6880);
    // Two shards with a replica each are four nodes.
    assert_eq!(sum("awscc_elasticache_replication_group.sharded"), 93_4400);
    let free = of("awscc_rds_db_subnet_group.g");
    assert!(free.items.is_empty() && free.missing.is_empty());
    assert_eq!(of("awscc_sqs_queue.q").missing, ["requests: leoctl has no prices for that"]);
    let beyond = "backups beyond its size, and I/O and throughput beyond what comes with its storage: leoctl has no prices for that";
    assert_eq!(of("awscc_rds_db_instance.d").missing, [beyond]);

    // What is in no line of the table is named.
    let missing = |region: &str, more: &str| {
        let estimate = super::estimate(region, &database(more));
        let bill = estimate.bills.iter().find(|bill| bill.address.type_name() == "awscc_rds_db_instance").unwrap();
        bill.missing[0].clone()
    };
    assert_eq!(missing("eu-west-1", small), "instance db.t4g.small: leoctl has no price for it in eu-west-1");
    let other = small.replace("db.t4g.small", "db.x2g.large");
    assert_eq!(missing("us-east-1", &other), "instance db.x2g.large: leoctl has no price for it in us-east-1");
    let aurora = "engine = \"aurora-postgresql\"\ndb_instance_class = \"db.r6g.large\"\n";
    let unknown = small.replace("multi_az = true", "multi_az = \"${awscc_sqs_queue.q.arn != ''}\"");
    assert_eq!(missing("us-east-1", &format!("{unknown}[resource.awscc_sqs_queue.q]\n")), "instance: `multi_az` is not known yet");
    let nodes = "[resource.awscc_elasticache_replication_group.g]\nreplication_group_description = \"g\"\nengine = \"Redis\"\ncache_node_type = \"cache.t4g.micro\"\nnode_group_configuration = [{ replica_count = 5 }]\n";
    let said = super::estimate("us-east-1", nodes).bills[0].missing[0].clone();
    assert_eq!(said, "node: leoctl has no price for it with `node_group_configuration`");
    assert_eq!(missing("us-east-1", aurora), "instance: leoctl has no price for it with `engine = \"aurora-postgresql\"`");
}
