//! The kinds of resources, by which pictures colour them.

/// A kind: its class in pictures, its name, and how the types of it begin.
pub struct Kind {
    /// Its class.
    pub class: &'static str,
    /// Its name.
    pub name: &'static str,
    types: &'static [&'static str],
}

/// All kinds; the last one is of everything else.
pub const KINDS: &[Kind] = &[
    Kind {
        class: "access",
        name: "access",
        types: &["security_group", "default_security_group", "iam", "kms", "key_pair", "secretsmanager", "acm", "wafv2", "cognito"],
    },
    Kind { class: "compute", name: "compute", types: &["ecs", "ecr", "instance", "appautoscaling", "lambda", "batch", "eks"] },
    Kind {
        class: "network",
        name: "network",
        types: &[
            "vpc",
            "subnet",
            "internet_gateway",
            "nat_gateway",
            "egress_only",
            "route",
            "default_route",
            "eip",
            "lb",
            "service_discovery",
            "cloudfront",
            "apigateway",
            "ec2",
            "elasticloadbalancing",
        ],
    },
    Kind { class: "storage", name: "data", types: &["s3", "efs", "backup", "ssm", "rds", "dynamodb", "elasticache", "opensearch"] },
    Kind { class: "events", name: "events and logs", types: &["cloudwatch", "sns", "sqs", "scheduler", "events", "logs", "kinesis"] },
    Kind { class: "other", name: "other", types: &[] },
];

/// The class of a type.
pub fn class(type_name: &str) -> &'static str {
    let name = type_name.strip_prefix("awscc_").unwrap_or(type_name);
    let is_of = |prefix: &&&str| name.strip_prefix(**prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '5']));
    KINDS.iter().find(|kind| kind.types.iter().any(|prefix| is_of(&prefix))).map_or("other", |kind| kind.class)
}
