//! What a stack's files are encrypted with, as its file says.

use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt;

use super::args::Global;
use super::{CliError, session};
use crate::identity::{self, AgeKeeper, Identities};
use leoctl_aws::state::kms::KmsKeeper;
use leoctl_core::engine::sealed::{Keeper, Vault};
use leoctl_core::stack::Stack;
use leoctl_core::stack::encryption::{self, Encryption, KmsKey, With};

/// What stands between what is written of a stack and its files: in the sandbox, whose states are of nothing real, nothing.
pub async fn vault(global: &Global, path: &Path, stack: &Stack) -> Result<Vault, CliError> {
    match written(stack)?.filter(|_| !global.sandbox) {
        Some(written) => opened(global, path, stack, &written).await,
        None => Ok(Vault::default()),
    }
}

/// The same as far as files have the keys: nothing where it takes a key of KMS, which only AWS has.
pub fn vault_of_files(global: &Global, path: &Path, stack: &Stack) -> Result<Option<Vault>, CliError> {
    let Some(written) = written(stack)? else { return Ok(None) };
    if written.kms_keys().next().is_some() {
        return Ok(None);
    }
    // Keys in files are waited for by nobody.
    opened(global, path, stack, &written).now_or_never().transpose()
}

/// `[stack.encryption]`, when it is there.
pub fn written(stack: &Stack) -> Result<Option<Encryption>, CliError> {
    encryption::of(stack).map_err(|diagnostics| CliError::Diagnostics { diagnostics, sources: stack.sources.clone() })
}

async fn opened(global: &Global, path: &Path, stack: &Stack, written: &Encryption) -> Result<Vault, CliError> {
    let mut older = Vec::new();
    for with in &written.previous {
        older.push(keeper(global, path, stack, with).await?);
    }
    let keeper = keeper(global, path, stack, &written.with).await?;
    Ok(Vault::new(&stack.name, keeper, older).requiring(written.required))
}

async fn keeper(global: &Global, path: &Path, stack: &Stack, with: &With) -> Result<Arc<dyn Keeper>, CliError> {
    let keeper: Arc<dyn Keeper> = match with {
        With::Age { recipients, identity_file } => {
            let file = identity_file.as_deref().map(|file| identity::place(path, file));
            Arc::new(AgeKeeper::new(recipients, Identities::load(file.as_deref()))?)
        }
        With::Kms(key @ KmsKey { key_id, profile, .. }) => {
            let region = region(key).or(stack.region.as_deref());
            let aws = session::buckets(&session::settings(global), region, profile.as_deref()).await?;
            Arc::new(KmsKeeper::new(aws.kms().clone(), key_id))
        }
    };
    Ok(keeper)
}

/// The region of a key, as far as the key says it.
fn region(key: &KmsKey) -> Option<&str> {
    let of_arn = || key.key_id.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(2)).filter(|region| !region.is_empty());
    key.region.as_deref().or_else(of_arn)
}
