//! What says how a resource is to be deleted. Cloud Control's `DeleteResource` has the type and the id alone (Cloud Control API
//! Reference, DeleteResource), and AWS returns nothing of these properties, so that no deletion heeds them.

use serde_json::Value as Json;

use super::kind::Kind;
use super::names::snake;
use leoctl_core::model::path::{Path, Segment};
use leoctl_core::model::value::Value;

const SNAPSHOT: &str = "make a snapshot before it is deleted, or keep it with `lifecycle.deletion_policy = \"retain\"`";
const BACKUPS: &str =
    "its automated backups go with it: make a snapshot before it is deleted, or keep it with `lifecycle.deletion_policy = \"retain\"`";
const EMPTY: &str = "empty it before it is deleted";
const UNUSED: &str = "AWS deletes it once nothing uses it any more";
const SERVICE: &str = "to delete it so, forget it with `lifecycle.deletion_policy = \"retain\"`, and delete it with the service's own API";
const WAITS: &str = "AWS keeps the key for 30 days before it is gone";
const CLEANUP: &str = "use `provisioned_resource_cleanup`, which AWS remembers";

/// The properties that nothing but a deletion reads, each with the value that says what AWS does anyway, where there is one, and with
/// what there is to do instead (AWS's resource schemas, `writeOnlyProperties`, and CloudFormation Template Reference, the pages of
/// these types).
const PROPERTIES: &[(&str, &str, &str, &str)] = &[
    ("AWS::AppConfig::ConfigurationProfile", "DeletionProtectionCheck", "", SERVICE),
    ("AWS::AppConfig::Environment", "DeletionProtectionCheck", "", SERVICE),
    ("AWS::Athena::WorkGroup", "RecursiveDeleteOption", "false", EMPTY),
    ("AWS::Bedrock::Agent", "SkipResourceInUseCheckOnDelete", "false", UNUSED),
    ("AWS::Bedrock::AutomatedReasoningPolicy", "ForceDelete", "false", UNUSED),
    ("AWS::CodeBuild::ReportGroup", "DeleteReports", "false", EMPTY),
    ("AWS::ECR::Repository", "EmptyOnDelete", "false", EMPTY),
    ("AWS::EKS::Addon", "PreserveOnDelete", "false", SERVICE),
    ("AWS::ElastiCache::ServerlessCache", "FinalSnapshotName", "", SNAPSHOT),
    ("AWS::FMS::Policy", "DeleteAllPolicyResources", "false", SERVICE),
    ("AWS::FSx::Volume", "OpenZFSConfiguration/Options", "", SERVICE),
    ("AWS::GameLift::GameServerGroup", "DeleteOption", "", SERVICE),
    ("AWS::ImageBuilder::Image", "DeletionSettings", "", SERVICE),
    ("AWS::KMS::Key", "PendingWindowInDays", "30", WAITS),
    ("AWS::KMS::ReplicaKey", "PendingWindowInDays", "30", WAITS),
    ("AWS::Location::APIKey", "ForceDelete", "false", SERVICE),
    ("AWS::MemoryDB::Cluster", "FinalSnapshotName", "", SNAPSHOT),
    ("AWS::ODB::OdbNetwork", "DeleteAssociatedResources", "false", SERVICE),
    ("AWS::RDS::DBCluster", "DeleteAutomatedBackups", "true", BACKUPS),
    ("AWS::RDS::DBInstance", "DeleteAutomatedBackups", "true", BACKUPS),
    ("AWS::Redshift::EndpointAuthorization", "Force", "false", SERVICE),
    ("AWS::RedshiftServerless::Namespace", "FinalSnapshotName", "", SNAPSHOT),
    ("AWS::RedshiftServerless::Namespace", "FinalSnapshotRetentionPeriod", "", SNAPSHOT),
    ("AWS::Synthetics::Canary", "DeleteLambdaResourcesOnCanaryDeletion", "false", CLEANUP),
    ("AWS::WorkspacesInstances::VolumeAssociation", "DisassociateMode", "", SERVICE),
];

/// Whether nothing but a deletion reads a property.
pub fn is_only_for_it(aws: &str, path: &str) -> bool {
    PROPERTIES.iter().any(|(of, property, ..)| *of == aws && *property == path)
}

/// The properties of a resource that promise something of its deletion, which nothing keeps.
pub fn problems(kind: &Kind, value: &Value) -> Vec<(Path, String)> {
    let of_kind = PROPERTIES.iter().filter(|(of, ..)| *of == kind.facts.aws);
    let problem = |(_, property, anyway, instead): &(&str, &str, &str, &str)| {
        let path = Path(property.split('/').map(|name| Segment::field(snake(name))).collect());
        let written = property.split('/').try_fold(value, |value, name| value.revealed().get(&snake(name)))?;
        let text = format!("`{path}` has no effect: Cloud Control deletes by the id alone, and is told nothing else; {instead}");
        let anyway: Option<Json> = serde_json::from_str(anyway).ok();
        let is_kept = matches!(written.revealed(), Value::Null | Value::Unknown) || anyway.is_some() && written.to_json().ok() == anyway;
        (!is_kept).then_some((path, text))
    };
    of_kind.filter_map(problem).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{PROPERTIES, problems};
    use crate::cloud_control::bundle::Bundle;
    use crate::cloud_control::facts::Facts;
    use crate::cloud_control::names::type_name;
    use leoctl_core::model::value::Value;

    /// What sounds as if a deletion read it, and is for creating or changing one.
    const OTHERS: &[&str] = &[
        "AWS::AppStream::Application AttributesToDelete",
        "AWS::AppStream::Fleet AttributesToDelete",
        "AWS::AppStream::Stack AttributesToDelete",
        "AWS::AppStream::Stack DeleteStorageConnectors",
        // What is taken out of the list while the agent stays.
        "AWS::Bedrock::Agent ActionGroups/SkipResourceInUseCheckOnDelete",
        "AWS::ECS::Service ForceNewDeployment",
        "AWS::EKS::Cluster Force",
        "AWS::EKS::Nodegroup ForceUpdateEnabled",
        "AWS::Location::APIKey ForceUpdate",
        "AWS::MediaLive::SignalMap ForceRediscovery",
        "AWS::RedshiftServerless::Workgroup RecoveryPointId",
        "AWS::S3::Bucket LifecycleConfiguration/Rules/ExpiredObjectDeleteMarker",
        "AWS::SageMaker::Endpoint ExcludeRetainedVariantProperties",
        "AWS::SageMaker::Endpoint RetainAllVariantProperties",
        "AWS::SageMaker::Endpoint RetainDeploymentConfig",
        "AWS::SageMaker::Workteam WorkforceName",
        "AWS::Batch::JobDefinition ResourceRetentionPolicy",
        "AWS::Batch::JobDefinition ResourceRetentionPolicy/SkipDeregisterOnUpdate",
        "AWS::Cognito::UserPoolUser ForceAliasCreation",
        "AWS::Timestream::InfluxDBBackup RetentionDays",
    ];

    #[test]
    fn every_property_whose_name_is_about_deletion_is_judged() {
        let bundle = Bundle::get().unwrap();
        let words = ["Delet", "Final", "Force", "Retain", "Retention", "Preserve", "PendingWindow", "Disassociate", "Recovery", "Destroy"];
        let mut unjudged = Vec::new();
        for entry in bundle.types().values() {
            let facts = Facts::new(entry.aws, bundle.schema(entry).unwrap());
            for path in &facts.write_only {
                let sounds = words.iter().any(|word| path.rsplit('/').next().unwrap().contains(word));
                let known = super::is_only_for_it(entry.aws, path) || OTHERS.contains(&format!("{} {path}", entry.aws).as_str());
                if sounds && !known {
                    unjudged.push(format!("{} {path}", entry.aws));
                }
            }
        }
        assert!(unjudged.is_empty(), "for their deletion, or not? {unjudged:#?}");
        for (aws, path, ..) in PROPERTIES {
            let facts = Facts::new(aws, bundle.schema(&bundle.types()[&type_name(aws)]).unwrap());
            assert!(facts.write_only.contains(*path), "{aws} returns its {path}, or has none");
        }
    }

    #[test]
    fn a_promise_that_no_deletion_keeps_cannot_be_written() {
        let said = |name: &str, written: serde_json::Value| {
            let found = problems(crate::cloud_control::kind(name).unwrap(), &Value::from(written));
            found.into_iter().map(|(path, problem)| (path.to_string(), problem)).collect::<Vec<_>>()
        };
        let cache = said("awscc_elasticache_serverless_cache", json!({ "final_snapshot_name": "last" }));
        assert_eq!(cache.len(), 1);
        assert_eq!(cache[0].0, "final_snapshot_name");
        assert!(cache[0].1.contains("has no effect") && cache[0].1.contains("make a snapshot before it is deleted"), "{}", cache[0].1);
        let backups = said("awscc_rds_db_cluster", json!({ "delete_automated_backups": false }));
        assert!(backups[0].1.contains("its automated backups go with it"), "{backups:?}");
        let inner = said("awscc_fsx_volume", json!({ "open_zfs_configuration": { "options": ["DELETE_CHILD_VOLUMES_AND_SNAPSHOTS"] } }));
        assert_eq!(inner[0].0, "open_zfs_configuration.options");
        // What AWS does anyway is a promise that is kept.
        assert!(said("awscc_rds_db_cluster", json!({ "delete_automated_backups": true, "deletion_protection": true })).is_empty());
        assert!(said("awscc_kms_replica_key", json!({ "pending_window_in_days": 30 })).is_empty());
        assert_eq!(said("awscc_kms_replica_key", json!({ "pending_window_in_days": 7 })).len(), 1);
    }
}
