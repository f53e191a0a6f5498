//! Emptying a backup vault.

use std::time::Duration;

use aws_sdk_backup::types::{RecoveryPointByBackupVault, RecoveryPointStatus};

use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::repeat::Changing;
use leoctl_core::engine::ports::{Failure, FailureKind, Operation, Outcome};

/// The recovery points in a vault.
///
/// # Errors
/// When AWS does not list them.
pub async fn list(aws: &Aws, vault: &str) -> Outcome<Vec<RecoveryPointByBackupVault>> {
    let mut pages = aws.backup().list_recovery_points_by_backup_vault().backup_vault_name(vault).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = page.or_fail("backup:ListRecoveryPointsByBackupVault").or_absent()? else { break };
        found.extend(page.recovery_points.unwrap_or_default());
    }
    Ok(found)
}

/// Deletes the recovery points in a vault and waits until they are gone, which can take many minutes.
///
/// # Errors
/// When AWS keeps one, such as one that the vault's lock holds.
pub async fn delete(aws: &Aws, operation: &Operation, vault: &str) -> Outcome<()> {
    loop {
        let left = list(aws, vault).await?;
        if left.is_empty() {
            return Ok(());
        }
        (operation.progress.0)(format!("recovery points left: {}", left.len()));
        let mut refused = None;
        let mut going = 0_usize;
        if let Some(stuck) = left.iter().find(|point| point.status() == Some(&RecoveryPointStatus::Expired)) {
            return Err(expired(stuck));
        }
        for point in &left {
            match delete_one(aws, vault, point).await {
                Ok(()) => going += 1,
                // AWS refuses this one: what it is part of may have to go first, which another round finds out.
                Err(failure) if failure.code.as_deref() == Some("InvalidRequestException") => refused = Some(failure),
                Err(failure) => return Err(failure),
            }
        }
        if let (0, Some(refused)) = (going, refused) {
            let message = format!("{} recovery points in the vault {vault} cannot be deleted: {}", left.len(), refused.message);
            return Err(Failure { message, ..refused });
        }
        operation.pause(Duration::from_secs(5), "waiting for the recovery points to go").await?;
    }
}

/// AWS has tried to delete a recovery point and was not allowed to, which it says of the point and not of the call (Backup API
/// Reference, DeleteRecoveryPoint).
fn expired(point: &RecoveryPointByBackupVault) -> Failure {
    let arn = point.recovery_point_arn().unwrap_or_default();
    let why = point.status_message().map(|message| format!(" ({message})")).unwrap_or_default();
    let message = format!(
        "AWS could not delete the recovery point {arn}, which is EXPIRED{why}: give its backup role back, or delete the point by \
         hand as somebody who may"
    );
    Failure { operation: "backup:DeleteRecoveryPoint".to_owned(), ..Failure::new(FailureKind::Refused, message) }
}

/// Begins to delete a recovery point, if that has not begun.
async fn delete_one(aws: &Aws, vault: &str, point: &RecoveryPointByBackupVault) -> Outcome<()> {
    if point.status() == Some(&RecoveryPointStatus::Deleting) {
        return Ok(());
    }
    let arn = point.recovery_point_arn().unwrap_or_default();
    let call = aws.backup().delete_recovery_point().backup_vault_name(vault).recovery_point_arn(arn);
    // In another state something else is being done to it, which ends first (Backup API Reference, DeleteRecoveryPoint).
    let codes = ["ResourceNotFoundException", "InvalidResourceStateException"];
    call.send().await.or_done("backup:DeleteRecoveryPoint", &codes).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_that_aws_could_not_delete_is_named() {
        let point = RecoveryPointByBackupVault::builder().recovery_point_arn("arn:aws:ec2:eu-west-1::image/ami-1");
        let failure = expired(&point.status(RecoveryPointStatus::Expired).status_message("role deleted").build());
        assert!(failure.message.contains("arn:aws:ec2:eu-west-1::image/ami-1, which is EXPIRED (role deleted)"), "{}", failure.message);
        assert_eq!(failure.kind, FailureKind::Refused);
    }
}
