//! A stack that has been applied, and the SDK to look at what AWS has of it.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::Value;

use super::program::Project;

/// The SDK's clients, and the ids under which the stack's resources are found.
pub struct Live {
    pub alarms: aws_sdk_cloudwatch::Client,
    pub backup: aws_sdk_backup::Client,
    pub efs: aws_sdk_efs::Client,
    pub sns: aws_sdk_sns::Client,
    pub ec2: aws_sdk_ec2::Client,
    pub ecr: aws_sdk_ecr::Client,
    pub ecs: aws_sdk_ecs::Client,
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    pub iam: aws_sdk_iam::Client,
    pub logs: aws_sdk_cloudwatchlogs::Client,
    pub s3: aws_sdk_s3::Client,
    pub secrets: aws_sdk_secretsmanager::Client,
    /// The stack's outputs.
    pub outputs: Value,
    ids: BTreeMap<String, String>,
}

impl Live {
    /// Looks at what a stack of the project has made.
    pub fn new(endpoint: &str, project: &Project, stack: &str) -> Self {
        let config = configuration(endpoint);
        // A bucket's name in front of an address does not resolve.
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        let listed = project.json(&["state", "list", "--json", stack]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            alarms: aws_sdk_cloudwatch::Client::new(&config),
            backup: aws_sdk_backup::Client::new(&config),
            efs: aws_sdk_efs::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            ec2: aws_sdk_ec2::Client::new(&config),
            ecr: aws_sdk_ecr::Client::new(&config),
            ecs: aws_sdk_ecs::Client::new(&config),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            outputs: project.json(&["output", "--json", stack]),
            ids: listed.as_array().unwrap().iter().map(|entry| (text(&entry["address"]), text(&entry["id"]))).collect(),
        }
    }

    /// The addresses of the stack's resources.
    pub fn addresses(&self) -> Vec<&str> {
        self.ids.keys().map(String::as_str).collect()
    }

    /// The id of a resource.
    pub fn id(&self, address: &str) -> &str {
        self.ids.get(address).unwrap_or_else(|| panic!("{address} is not among {:?}", self.addresses()))
    }
}

fn configuration(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
        .http_client(leoctl_aws::fence::Fence::default().client(8))
        .build()
}

/// A list in an order of its own, for comparing what has none.
pub fn sorted<T: Ord>(entries: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut entries: Vec<T> = entries.into_iter().collect();
    entries.sort();
    entries
}
