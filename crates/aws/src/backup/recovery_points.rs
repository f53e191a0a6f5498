//! Emptying a backup vault.

use std::time::Duration;

use aws_sdk_backup::types::{RecoveryPointByBackupVault, RecoveryPointStatus};

use crate::client::Aws;
use crate::error::{OrAbsent, OrFail};
use crate::repeat::Changing;
use leoctl_core::engine::ports::{Failure, Operation, Outcome};

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
