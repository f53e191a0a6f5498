//! Which actions a change of a type needs, and the ARN they are on (Service Authorization Reference).
//!
//! Only what every such change needs: an action that just some of them need would be missed in vain.

/// What changes of a type need.
#[derive(Clone, Copy, Debug)]
pub struct Actions {
    /// The ARN of one, from its attributes in braces. Ids that AWS makes up are `*`.
    pub arn: &'static str,
    /// To make one.
    pub create: &'static [&'static str],
    /// To change these of its attributes.
    pub update: &'static [(&'static str, &'static str)],
    /// To delete one.
    pub delete: &'static [&'static str],
}

/// Of a type of EC2, whose ids nobody knows before.
const fn ec2(arn: &'static str, create: &'static [&'static str], delete: &'static [&'static str]) -> Actions {
    Actions { arn, create, update: &[("tags", "ec2:CreateTags")], delete }
}

/// The actions of a type; none where it is not known.
pub fn of(type_name: &str) -> Option<&'static Actions> {
    TABLE.iter().find(|(name, _)| *name == type_name).map(|(_, actions)| actions)
}

const TABLE: &[(&str, Actions)] = &[
    (
        "ecs_cluster",
        Actions {
            arn: "arn:{partition}:ecs:{region}:{account}:cluster/{name}",
            create: &["ecs:CreateCluster"],
            update: &[("container_insights", "ecs:UpdateClusterSettings")],
            delete: &["ecs:DeleteCluster"],
        },
    ),
    (
        "ecs_service",
        Actions {
            arn: "arn:{partition}:ecs:{region}:{account}:service/{cluster_name}/{name}",
            create: &["ecs:CreateService"],
            update: &[("task_definition", "ecs:UpdateService"), ("desired_count", "ecs:UpdateService")],
            delete: &["ecs:DeleteService"],
        },
    ),
    (
        "ecs_task_definition",
        Actions {
            arn: "arn:{partition}:ecs:{region}:{account}:task-definition/{family}:*",
            create: &["ecs:RegisterTaskDefinition"],
            update: &[("container_definitions", "ecs:RegisterTaskDefinition")],
            // Deregistering is on all resources.
            delete: &[],
        },
    ),
    (
        "s3_bucket",
        Actions {
            arn: "arn:{partition}:s3:::{bucket}",
            create: &["s3:CreateBucket", "s3:PutBucketTagging", "s3:PutBucketPublicAccessBlock"],
            update: &[
                ("policy", "s3:PutBucketPolicy"),
                ("versioning", "s3:PutBucketVersioning"),
                ("lifecycle_rules", "s3:PutLifecycleConfiguration"),
                ("encryption", "s3:PutEncryptionConfiguration"),
                ("public_access_block", "s3:PutBucketPublicAccessBlock"),
                ("tags", "s3:PutBucketTagging"),
            ],
            delete: &["s3:DeleteBucket"],
        },
    ),
    (
        "iam_role",
        Actions {
            arn: "arn:{partition}:iam::{account}:role{path}{name}",
            create: &["iam:CreateRole", "iam:TagRole"],
            update: &[
                ("assume_role_policy", "iam:UpdateAssumeRolePolicy"),
                ("inline_policies", "iam:PutRolePolicy"),
                ("tags", "iam:TagRole"),
            ],
            delete: &["iam:DeleteRole"],
        },
    ),
    (
        "iam_policy",
        Actions {
            arn: "arn:{partition}:iam::{account}:policy{path}{name}",
            create: &["iam:CreatePolicy", "iam:TagPolicy"],
            update: &[("policy", "iam:CreatePolicyVersion"), ("tags", "iam:TagPolicy")],
            delete: &["iam:DeletePolicy"],
        },
    ),
    (
        "iam_instance_profile",
        Actions {
            arn: "arn:{partition}:iam::{account}:instance-profile{path}{name}",
            create: &["iam:CreateInstanceProfile"],
            update: &[("role", "iam:AddRoleToInstanceProfile")],
            delete: &["iam:DeleteInstanceProfile"],
        },
    ),
    ("vpc", ec2("arn:{partition}:ec2:{region}:{account}:vpc/*", &["ec2:CreateVpc", "ec2:CreateTags"], &["ec2:DeleteVpc"])),
    ("subnet", ec2("arn:{partition}:ec2:{region}:{account}:subnet/*", &["ec2:CreateSubnet", "ec2:CreateTags"], &["ec2:DeleteSubnet"])),
    (
        "security_group",
        ec2(
            "arn:{partition}:ec2:{region}:{account}:security-group/*",
            &["ec2:CreateSecurityGroup", "ec2:CreateTags"],
            &["ec2:DeleteSecurityGroup"],
        ),
    ),
    (
        "route_table",
        ec2("arn:{partition}:ec2:{region}:{account}:route-table/*", &["ec2:CreateRouteTable", "ec2:CreateTags"], &["ec2:DeleteRouteTable"]),
    ),
    (
        "internet_gateway",
        ec2(
            "arn:{partition}:ec2:{region}:{account}:internet-gateway/*",
            &["ec2:CreateInternetGateway", "ec2:CreateTags"],
            &["ec2:DeleteInternetGateway"],
        ),
    ),
    (
        "nat_gateway",
        ec2("arn:{partition}:ec2:{region}:{account}:natgateway/*", &["ec2:CreateNatGateway", "ec2:CreateTags"], &["ec2:DeleteNatGateway"]),
    ),
    (
        "lb",
        Actions {
            arn: "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{lb_kind}/{name}/*",
            create: &["elasticloadbalancing:CreateLoadBalancer"],
            update: &[
                ("security_groups", "elasticloadbalancing:SetSecurityGroups"),
                ("attributes", "elasticloadbalancing:ModifyLoadBalancerAttributes"),
            ],
            delete: &["elasticloadbalancing:DeleteLoadBalancer"],
        },
    ),
    (
        "lb_target_group",
        Actions {
            arn: "arn:{partition}:elasticloadbalancing:{region}:{account}:targetgroup/{name}/*",
            create: &["elasticloadbalancing:CreateTargetGroup"],
            update: &[
                ("health_check_path", "elasticloadbalancing:ModifyTargetGroup"),
                ("attributes", "elasticloadbalancing:ModifyTargetGroupAttributes"),
            ],
            delete: &["elasticloadbalancing:DeleteTargetGroup"],
        },
    ),
    (
        "lb_listener",
        Actions {
            // Making one is an action on its load balancer, whose ARN is not known before.
            arn: "{arn}",
            create: &[],
            update: &[("default_actions", "elasticloadbalancing:ModifyListener"), ("certificates", "elasticloadbalancing:ModifyListener")],
            delete: &["elasticloadbalancing:DeleteListener"],
        },
    ),
];
