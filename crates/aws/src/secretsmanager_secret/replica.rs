//! The copies of a secret in other regions.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types as api;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::describe;
use crate::client::{Aws, send_once};
use crate::repeat::{Changing, verified};
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome};

/// A region a secret is copied to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replica {
    /// The region.
    pub(super) region: String,
    /// The KMS key there; `alias/aws/secretsmanager` when left out.
    #[schemars(extend("x-server" = true))]
    pub(super) kms_key_id: Option<String>,
}

impl Replica {
    pub(super) fn to_api(&self) -> api::ReplicaRegionType {
        api::ReplicaRegionType::builder().region(&self.region).set_kms_key_id(self.kms_key_id.clone()).build()
    }

    pub(super) fn from_api(status: &api::ReplicationStatusType) -> Self {
        Self { region: status.region().unwrap_or_default().to_owned(), kms_key_id: status.kms_key_id().map(str::to_owned) }
    }
}

/// Whether all copies that are wanted are there; one that failed was not made (Secrets Manager API Reference,
/// ReplicationStatusType).
pub(super) fn copied(found: &DescribeSecretOutput, wanted: &[Replica]) -> Outcome<bool> {
    let is_wanted = |copy: &&api::ReplicationStatusType| wanted.iter().any(|wanted| copy.region() == Some(&wanted.region));
    let failed = found.replication_status().iter().filter(is_wanted).find(|copy| has_failed(copy));
    match failed {
        Some(copy) => {
            let why = copy.status_message().unwrap_or("AWS gives no reason");
            let message = format!("the copy in {} failed: {why}", copy.region().unwrap_or_default());
            Err(Failure { operation: "secretsmanager:DescribeSecret".to_owned(), ..Failure::new(FailureKind::Other, message) })
        }
        None => Ok(found.replication_status().iter().all(|copy| copy.status() != Some(&api::StatusType::InProgress))),
    }
}

pub(super) fn has_failed(copy: &api::ReplicationStatusType) -> bool {
    copy.status() == Some(&api::StatusType::Failed)
}

/// Makes one set of copies into another. Copies that failed are listed until they are removed, and are in nobody's way then.
pub(super) async fn update_replicas(aws: &Aws, operation: &Operation, id: &str, from: &[Replica], to: &[Replica]) -> Outcome<()> {
    let regions = async || {
        let found = describe(aws, id).await?;
        Ok(found
            .iter()
            .flat_map(|found| found.replication_status())
            .filter_map(|copy| copy.region().map(str::to_owned))
            .collect::<Vec<_>>())
    };
    let failed = describe(aws, id).await?.and_then(|found| found.replication_status).unwrap_or_default();
    let failed = failed.into_iter().filter(has_failed).filter_map(|copy| copy.region);
    let left = from.iter().filter(|replica| !to.contains(replica)).map(|replica| replica.region.clone());
    let gone: BTreeSet<String> = left.chain(failed).collect();
    if !gone.is_empty() {
        let gone: Vec<String> = gone.into_iter().collect();
        let call = aws.secrets().remove_regions_from_replication().secret_id(id).set_remove_replica_regions(Some(gone.clone()));
        let sent = send_once!(aws_sdk_secretsmanager, call).await.sent_once("secretsmanager:RemoveRegionsFromReplication");
        let removed = async || Ok(!regions().await?.iter().any(|region| gone.contains(region)));
        verified(sent, REPEATED, removed).await?;
        // A copy with another key takes the place of the old one, which is gone only after a while.
        while !removed().await? {
            operation.pause(Duration::from_secs(2), "waiting for the secret's copies to be gone").await?;
        }
    }
    let new: Vec<&Replica> = to.iter().filter(|replica| !from.contains(replica)).collect();
    if !new.is_empty() {
        let all = new.iter().map(|replica| replica.to_api()).collect();
        let call = aws.secrets().replicate_secret_to_regions().secret_id(id).set_add_replica_regions(Some(all));
        let sent = send_once!(aws_sdk_secretsmanager, call).await.sent_once("secretsmanager:ReplicateSecretToRegions");
        let added = async || {
            let now = regions().await?;
            Ok(new.iter().all(|replica| now.contains(&replica.region)))
        };
        verified(sent, REPEATED, added).await?;
    }
    Ok(())
}

/// What Secrets Manager says of a change of copies that was made already.
const REPEATED: &[&str] = &["InvalidParameterException", "InvalidRequestException"];
