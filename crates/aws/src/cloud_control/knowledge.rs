//! What is known of some types beyond their schemas: one small file each, read when a stack names the type.

use std::collections::BTreeMap;

use leoctl_core::engine::usual::Usual;
use serde::Deserialize;

use super::names::type_name;

/// What is known of a type. Properties are named as AWS names them, inner ones as `Outer/Inner`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Knowledge {
    /// What deleting one loses that cannot be made again, such as `the database in it`.
    pub data_loss: Option<String>,
    /// Whether a replacement is made before the old one goes.
    pub create_before_destroy: bool,
    /// Properties whose change interrupts one in place, and how: `restarts it`.
    pub interrupts: BTreeMap<String, String>,
    /// Properties of which AWS's schema says that a change may take a replacement, and whose changes neither do that nor interrupt
    /// anything.
    pub in_place: Vec<String>,
    /// Properties that protect one from being deleted: with which value, and with which they do not.
    pub protected_by: BTreeMap<String, [toml::Value; 2]>,
    /// Codes of Cloud Control's events that may pass in the first two minutes of an operation, when what it names was just made.
    pub passes: Vec<String>,
    /// How long an operation may take, in minutes.
    pub minutes: Option<u64>,
    /// How long operations usually take, in seconds: at least, and at most.
    pub usual: Option<Usual>,
    /// How long operations on one that has a property usually take.
    pub usual_with: BTreeMap<String, Usual>,
    /// Properties that something else in AWS sets once there is one.
    pub governed: BTreeMap<String, Governor>,
    /// Tags that something else in AWS sets, and who.
    pub governed_tags: BTreeMap<String, String>,
    /// Properties that are never shown or stored.
    pub sensitive: Vec<String>,
    /// Lists whose order means nothing, whatever the schema says.
    pub sets: Vec<String>,
    /// Lists of tables that are told apart by an attribute.
    pub keys: BTreeMap<String, String>,
    /// Properties that AWS answers in a form that nobody writes, or with more of its own: the state remembers what was written.
    pub unread: Vec<String>,
    /// Texts that are JSON documents.
    pub documents: Vec<String>,
    /// What one is made after and deleted before, though nothing in it refers to these.
    pub after: Vec<Order>,
    /// Properties of which AWS asks for one at least, which the schema does not say.
    pub any_of: Vec<Vec<String>>,
    /// What AWS sets anew when one of these properties beside it changes.
    pub follows: BTreeMap<String, Vec<String>>,
    /// Types of which one that uses it keeps AWS from deleting it.
    pub held_by: Vec<String>,
    /// What may be in one, so that AWS does not delete it: types, each with the property that has this one's id.
    pub contains: BTreeMap<String, String>,
}

/// What else in AWS sets a property.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Governor {
    /// Who, in words.
    pub by: String,
    /// The property without which nobody does.
    #[serde(default)]
    pub with: Option<String>,
    /// Whether it only grows: what is written is compared where it is more than there is.
    #[serde(default)]
    pub grows: bool,
}

/// An order that AWS needs and that no reference shows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The type of what comes first.
    pub r#type: String,
    /// The type of what both are made from.
    pub through: String,
}

impl Knowledge {
    /// Whether a property is never shown.
    pub fn is_sensitive(&self, path: &str) -> bool {
        self.sensitive.iter().any(|known| known == path)
    }

    /// Whether a list's order means nothing.
    pub fn is_set(&self, path: &str) -> bool {
        self.sets.iter().any(|known| known == path)
    }

    /// The properties of whose changes a property is made anew.
    pub fn followed_by(&self, path: &str) -> &[String] {
        self.follows.get(path).map(Vec::as_slice).unwrap_or_default()
    }

    /// By which attribute the elements of a list are told apart.
    pub fn key_of(&self, path: &str) -> Option<&str> {
        self.keys.get(path).map(String::as_str)
    }
}

macro_rules! files {
    ($($name:literal)*) => {
        /// The file about a type.
        fn file(aws: &str) -> Option<&'static str> {
            match aws.replace("::", "-").as_str() {
                $($name => Some(include_str!(concat!("knowledge/", $name, ".toml"))),)*
                _ => None,
            }
        }

        /// The types that there is a file about.
        const FILES: &[&str] = &[$($name),*];
    };
}

files! {
    "AWS-ApiGateway-ApiKey"
    "AWS-ApiGatewayV2-Api"
    "AWS-ApiGatewayV2-Deployment"
    "AWS-AutoScaling-AutoScalingGroup"
    "AWS-CloudFront-Distribution"
    "AWS-CloudFront-Function"
    "AWS-CloudFront-OriginAccessControl"
    "AWS-CloudTrail-Trail"
    "AWS-CloudWatch-CompositeAlarm"
    "AWS-CodePipeline-Pipeline"
    "AWS-Cognito-UserPool"
    "AWS-Cognito-UserPoolClient"
    "AWS-DynamoDB-Table"
    "AWS-EC2-LaunchTemplate"
    "AWS-EC2-NetworkAcl"
    "AWS-EC2-Volume"
    "AWS-ECS-CapacityProvider"
    "AWS-EKS-Cluster"
    "AWS-ElastiCache-ReplicationGroup"
    "AWS-ElastiCache-ServerlessCache"
    "AWS-ElastiCache-SubnetGroup"
    "AWS-Events-Rule"
    "AWS-GuardDuty-Detector"
    "AWS-Kinesis-Stream"
    "AWS-KinesisFirehose-DeliveryStream"
    "AWS-Lambda-EventSourceMapping"
    "AWS-Lambda-Function"
    "AWS-Lambda-Permission"
    "AWS-Logs-SubscriptionFilter"
    "AWS-Neptune-DBCluster"
    "AWS-OpenSearchService-Domain"
    "AWS-RDS-DBCluster"
    "AWS-RDS-DBClusterParameterGroup"
    "AWS-RDS-DBInstance"
    "AWS-RDS-DBParameterGroup"
    "AWS-RDS-DBSubnetGroup"
    "AWS-SES-EmailIdentity"
    "AWS-SQS-Queue"
    "AWS-SecretsManager-RotationSchedule"
    "AWS-StepFunctions-StateMachine"
    "AWS-WAFv2-WebACL"
    "AWS-WAFv2-WebACLAssociation"
}

/// The types that there is a file about, by their names in stack files.
pub fn type_names() -> impl Iterator<Item = String> {
    FILES.iter().map(|file| type_name(&file.replace('-', "::")))
}

/// What is known of a type; nothing where there is no file.
pub fn of(aws: &str) -> Knowledge {
    // A test reads every file.
    file(aws).and_then(|text| toml::from_str(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{FILES, Knowledge, file};
    use crate::cloud_control::bundle::Bundle;
    use crate::cloud_control::facts::Facts;
    use crate::cloud_control::names::type_name;

    /// Whether a schema has a property at a path.
    fn has(schema: &serde_json::Value, root: &serde_json::Value, path: &str) -> bool {
        let resolved = |mut at: serde_json::Value| {
            while let Some(reference) = at.get("$ref").and_then(|reference| reference.as_str()).map(str::to_owned) {
                at = root.pointer(reference.trim_start_matches('#')).cloned().unwrap_or_default();
            }
            at
        };
        // Of a list, what each element has.
        if let Some(items) = schema.get("items") {
            return has(&resolved(items.clone()), root, path);
        }
        let (name, rest) = path.split_once('/').unwrap_or((path, ""));
        let inner = schema.get("properties").and_then(|properties| properties.get(name)).cloned().map(resolved);
        inner.is_some_and(|inner| rest.is_empty() || has(&inner, root, rest))
    }

    #[test]
    fn every_file_is_about_a_type_and_names_only_properties_that_it_has() {
        let bundle = Bundle::get().unwrap();
        let resources = &crate::registry::catalog().resources;
        for name in FILES {
            let aws = name.replace('-', "::");
            let known: Knowledge = toml::from_str(file(&aws).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let entry = &bundle.types()[&type_name(&aws)];
            let schema = bundle.schema(entry).unwrap();
            let allowed = Facts::new(entry.aws, schema.clone()).minutes();
            assert!(known.minutes.is_none() || known.usual.is_some(), "{name} takes long, and does not say how long usually");
            let minutes = known.minutes.or(allowed).unwrap_or(60);
            for usual in known.usual_with.values().chain(&known.usual) {
                let longest = usual.create.most.max(usual.update.most).max(usual.delete.most);
                assert!(longest < minutes * 60, "{name}: what is usual is not in time");
            }
            // What AWS still works at is not given up before AWS does, but for what may never end.
            let endless = ["AWS-AutoScaling-AutoScalingGroup"];
            if let (Some(minutes), Some(allowed)) = (known.minutes, allowed) {
                assert!(
                    minutes >= allowed || endless.contains(name),
                    "{name}: AWS allows {allowed} minutes, and it is given up after {minutes}"
                );
            }
            let tables = known.interrupts.keys().chain(known.governed.keys()).chain(known.keys.keys());
            let others = known.governed.values().filter_map(|governor| governor.with.as_ref());
            let tables = tables.chain(known.protected_by.keys()).chain(known.follows.keys()).chain(known.usual_with.keys()).chain(others);
            let lists_of = known.follows.values().flatten();
            let lists = known
                .sensitive
                .iter()
                .chain(&known.sets)
                .chain(&known.in_place)
                .chain(&known.unread)
                .chain(&known.documents)
                .chain(lists_of)
                .chain(known.any_of.iter().flatten());
            for path in tables.chain(lists) {
                assert!(has(&schema, &schema, path), "{name} has no {path}");
            }
            let others = known.after.iter().flat_map(|after| [&after.r#type, &after.through]);
            for (of, property) in &known.contains {
                let part = bundle.schema(&bundle.types()[&type_name(of)]).unwrap();
                assert!(has(&part, &part, property), "{name}: {of} has no {property}");
            }
            for held in known.held_by.iter().chain(others) {
                assert!(resources.contains_key(held), "{name}: {held}");
            }
        }
    }
}
