//! The SDK itself, to look at an emulator or change it past leoctl.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;

/// Clients' configuration for an emulator's us-east-1, in the account whose number is the access key.
pub async fn config(endpoint: &str, account: &str) -> SdkConfig {
    let credentials = Credentials::new(account, "test", None, None, "test");
    let loader = aws_config::defaults(BehaviorVersion::latest()).region(Region::new("us-east-1"));
    let loader = loader.http_client(leoctl_aws::fence::Fence::default().client(8));
    loader.endpoint_url(endpoint).credentials_provider(credentials).load().await
}
