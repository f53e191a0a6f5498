//! What is in buckets, repositories and vaults, as much as one call says; and in what Cloud Control manages, where it is known
//! what may be in it.

use crate::client::Aws;
use crate::cloud_control;
use crate::cloud_control::names::type_name;
use crate::cloud_control::search::Search;
use crate::error::{OrAbsent, OrFail};
use leoctl_core::engine::ports::Outcome;
use leoctl_core::model::place::Place;
use leoctl_core::plan::preflight::contents::{Count, Holder, Kind};

/// The most that one call of each lists.
const PAGE: i32 = 1000;

/// How much is in something; nothing in what is gone.
pub async fn count(aws: &Aws, holder: &Holder) -> Outcome<Count> {
    let (count, more) = match holder.kind {
        Kind::Bucket => objects(aws, &holder.name).await?,
        Kind::Repository => images(aws, &holder.name).await?,
        Kind::Vault => recovery_points(aws, &holder.name).await?,
        Kind::CloudControl => {
            let names = parts(aws, holder).await?;
            return Ok(Count { count: names.len(), more: false, names });
        }
    };
    Ok(Count { count, more, names: Vec::new() })
}

/// What names one and is not deleted by the same plan, by type and id.
async fn parts(aws: &Aws, holder: &Holder) -> Outcome<Vec<String>> {
    let Some(kind) = cloud_control::kind(holder.address.type_name()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (of, property) in &kind.knowledge.contains {
        let Some(part) = cloud_control::kind(&type_name(of)) else { continue };
        let ids = Search::new(aws, part).naming(property, &holder.name).await?;
        let place = |id: &String| Place {
            type_name: type_name(of),
            account: holder.site.account.clone(),
            region: holder.site.region.clone(),
            id: id.clone(),
        };
        let others = ids.into_iter().filter(|id| !holder.own.contains(&place(id)));
        found.extend(others.map(|id| format!("{of} {id}")));
    }
    Ok(found)
}

/// A bucket is empty when it has no versions and no delete markers (S3 API Reference, DeleteBucket).
async fn objects(aws: &Aws, bucket: &str) -> Outcome<(usize, bool)> {
    let call = aws.s3().list_object_versions().bucket(bucket).max_keys(PAGE);
    let found = call.send().await.or_fail("s3:ListBucketVersions").or_absent()?;
    Ok(found.map_or((0, false), |found| (found.versions().len() + found.delete_markers().len(), found.is_truncated() == Some(true))))
}

async fn images(aws: &Aws, repository: &str) -> Outcome<(usize, bool)> {
    let call = aws.ecr().describe_images().repository_name(repository).max_results(PAGE);
    let found = call.send().await.or_fail("ecr:DescribeImages").or_absent()?;
    Ok(found.map_or((0, false), |found| (found.image_details().len(), found.next_token().is_some())))
}

async fn recovery_points(aws: &Aws, vault: &str) -> Outcome<(usize, bool)> {
    let call = aws.backup().list_recovery_points_by_backup_vault().backup_vault_name(vault).max_results(PAGE);
    let found = call.send().await.or_fail("backup:ListRecoveryPointsByBackupVault").or_absent()?;
    Ok(found.map_or((0, false), |found| (found.recovery_points().len(), found.next_token().is_some())))
}
