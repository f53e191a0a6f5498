//! What checks before an apply ask, one file for each. Nothing here changes anything, nor reads a secret's value.

mod contents;
mod image;
pub mod interfaces;
mod permissions;
mod secret;

use async_trait::async_trait;

use super::registry::AwsProvider;
use leoctl_core::engine::ports::{Inspector, Outcome};
use leoctl_core::plan::preflight::certificate::Certificate;
use leoctl_core::plan::preflight::contents::{Count, Holder};
use leoctl_core::plan::preflight::image::{Image, Standing};
use leoctl_core::plan::preflight::permission::{Denied, Needed};
use leoctl_core::plan::preflight::secret::{Scheduled, WantedSecret};
use leoctl_core::plan::preflight::security_group::{Groups, Interface};

#[async_trait]
impl Inspector for AwsProvider {
    async fn scheduled_secret(&self, wanted: &WantedSecret) -> Outcome<Option<Scheduled>> {
        secret::scheduled(self.at(&wanted.site)?.as_ref(), &wanted.name).await
    }

    async fn contents(&self, holder: &Holder) -> Outcome<Count> {
        contents::count(self.at(&holder.site)?.as_ref(), holder).await
    }

    async fn image(&self, image: &Image) -> Outcome<Standing> {
        image::standing(self.at(&image.site)?.as_ref(), image).await
    }

    async fn certificate(&self, certificate: &Certificate) -> Outcome<Option<String>> {
        let found = super::acm::describe(self.at(&certificate.site)?.as_ref(), &certificate.arn).await?;
        Ok(found.map(|found| found.status().map_or("of no status", |status| status.as_str()).to_owned()))
    }

    async fn interfaces(&self, groups: &Groups) -> Outcome<Vec<Interface>> {
        interfaces::with_groups(self.at(&groups.site)?.as_ref(), groups).await
    }

    async fn denied(&self, account: &str, needed: &[Needed]) -> Outcome<Denied> {
        permissions::denied(self, account, needed).await
    }
}
