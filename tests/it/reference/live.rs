//! A stack that has been applied, and the SDK to look at what AWS has of it.

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::Value;

use crate::support::program::Project;

use super::{STACK, network};

/// The SDK's clients, and the ids under which the stack's resources are found.
pub struct Live {
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
    /// Looks at what the project's stack has made.
    pub fn new(endpoint: &str, project: &Project) -> Self {
        let config = configuration(endpoint);
        // A bucket's name in front of an address does not resolve.
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        let listed = project.json(&["state", "list", "--json", STACK]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            ec2: aws_sdk_ec2::Client::new(&config),
            ecr: aws_sdk_ecr::Client::new(&config),
            ecs: aws_sdk_ecs::Client::new(&config),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(&config),
            iam: aws_sdk_iam::Client::new(&config),
            logs: aws_sdk_cloudwatchlogs::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            outputs: project.json(&["output", "--json", STACK]),
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

    /// The ids of the subnets, by zone.
    pub fn subnets(&self) -> Vec<&str> {
        network::ZONES.iter().map(|zone| self.id(&format!("subnet.public[\"{zone}\"]"))).collect()
    }
}

fn configuration(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
        .build()
}

/// A list in an order of its own, for comparing what has none.
pub fn sorted<T: Ord>(entries: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut entries: Vec<T> = entries.into_iter().collect();
    entries.sort();
    entries
}
