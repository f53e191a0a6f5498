//! The resource type `iam_openid_connect_provider`.

use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{from_api, to_api};
use crate::client::{Aws, send_once};
use crate::error::{OrAbsent, OrFail, made_id};
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry, Tags};
use crate::tags::TagChange;
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::place::Scope;

/// Somebody outside whose word on who is who roles can trust, such as GitHub for its workflows
/// (`https://token.actions.githubusercontent.com`).
///
/// Import by ARN: `arn:aws:iam::…:oidc-provider/HOST`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IamOpenidConnectProvider {
    /// Its address, exactly the `iss` of its tokens, with a slash at its end where that has one; an account has one of each.
    #[schemars(extend("x-replace" = true, "pattern" = "^https://[^?#]+$", "x-form" = "a URL with `https://`"), length(max = 255))]
    url: String,
    /// Whom its tokens are for, the `aud` of them: `sts.amazonaws.com` for GitHub's.
    #[schemars(extend("default" = [], "x-set" = true), inner(length(max = 255)))]
    client_id_list: Vec<String>,
    /// Thumbprints of the certificates it is known by. AWS trusts the usual authorities anyway, and finds one out
    /// when none is written.
    #[schemars(extend("x-server" = true, "x-set" = true, "items" = {
        "type": "string",
        "pattern": "^[0-9a-fA-F]{40}$",
        "x-form": "the 40 hexadecimal digits of a SHA-1 hash",
        "maxLength": 40,
    }))]
    thumbprint_list: Option<Vec<String>>,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The ARN, which is also the id, and the `Federated` principal in policies.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

const SCHEME: &str = "https://";

impl IamOpenidConnectProvider {
    async fn read_one(aws: &Aws, arn: &str) -> Outcome<Option<Self>> {
        let call = aws.iam().get_open_id_connect_provider().open_id_connect_provider_arn(arn);
        let Some(found) = call.send().await.or_fail("iam:GetOpenIDConnectProvider").or_absent()? else { return Ok(None) };
        let url = found.url().unwrap_or_default();
        Ok(Some(Self {
            // IAM leaves the scheme out.
            url: if url.starts_with(SCHEME) { url.to_owned() } else { format!("{SCHEME}{url}") },
            client_id_list: found.client_id_list().to_vec(),
            thumbprint_list: Some(found.thumbprint_list().to_vec()).filter(|list| !list.is_empty()),
            tags: from_api(found.tags()),
            arn: arn.to_owned(),
        }))
    }
}

impl Resource for IamOpenidConnectProvider {
    const TYPE: &'static str = "iam_openid_connect_provider";
    const INFO: Info = Info {
        unique: &[&["url"]],
        scope: Scope::Global,
        transient: &[Retry::always("ConcurrentModification")],
        timeout: 300,
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:iam::{account}:oidc-provider/{url after ://}",
        plan: &[Grant::any(&["iam:ListOpenIDConnectProviders"]), Grant::itself(&["iam:GetOpenIDConnectProvider"])],
        apply: &[Grant::itself(&[
            "iam:AddClientIDToOpenIDConnectProvider",
            "iam:CreateOpenIDConnectProvider",
            "iam:DeleteOpenIDConnectProvider",
            "iam:RemoveClientIDFromOpenIDConnectProvider",
            "iam:TagOpenIDConnectProvider",
            "iam:UntagOpenIDConnectProvider",
            "iam:UpdateOpenIDConnectProviderThumbprint",
        ])],
    };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let read = try_join_all(ids.iter().map(async |arn| Ok(Self::read_one(aws, arn).await?.map(|read| (arn.clone(), read))))).await?;
        Ok(read.into_iter().flatten().collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(host) = wanted.text("url").map(|url| url.trim_start_matches(SCHEME)) else { return Ok(None) };
        let found = aws.iam().list_open_id_connect_providers().send().await.or_fail("iam:ListOpenIDConnectProviders")?;
        let arns = found.open_id_connect_provider_list.unwrap_or_default().into_iter().filter_map(|provider| provider.arn);
        Ok(wanted.pick(arns.filter(|arn| arn.split_once(":oidc-provider/").is_some_and(|(_, known)| known == host))))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .iam()
            .create_open_id_connect_provider()
            .url(&to.url)
            .set_client_id_list(Some(to.client_id_list.clone()).filter(|list| !list.is_empty()))
            .set_thumbprint_list(to.thumbprint_list.clone())
            .set_tags(to_api(&to.tags)?);
        let made = send_once!(aws_sdk_iam, call).await.sent_once("iam:CreateOpenIDConnectProvider")?;
        made_id("iam:CreateOpenIDConnectProvider", made.open_id_connect_provider_arn)
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { client_id_list, thumbprint_list, tags, url: _, arn: _ } = to;
        let iam = aws.iam();
        for client in client_id_list.iter().filter(|client| !from.client_id_list.contains(client)) {
            let call = iam.add_client_id_to_open_id_connect_provider().open_id_connect_provider_arn(id).client_id(client);
            call.send().await.idempotent("iam:AddClientIDToOpenIDConnectProvider")?;
        }
        for client in from.client_id_list.iter().filter(|client| !client_id_list.contains(client)) {
            let call = iam.remove_client_id_from_open_id_connect_provider().open_id_connect_provider_arn(id).client_id(client);
            call.send().await.idempotent("iam:RemoveClientIDFromOpenIDConnectProvider")?;
        }
        if let Some(list) = thumbprint_list.clone().filter(|_| *thumbprint_list != from.thumbprint_list) {
            let call = iam.update_open_id_connect_provider_thumbprint().open_id_connect_provider_arn(id).set_thumbprint_list(Some(list));
            call.send().await.idempotent("iam:UpdateOpenIDConnectProviderThumbprint")?;
        }
        let change = TagChange::between(&from.tags, tags);
        if let Some(set) = to_api(&change.set)? {
            let call = iam.tag_open_id_connect_provider().open_id_connect_provider_arn(id).set_tags(Some(set));
            call.send().await.idempotent("iam:TagOpenIDConnectProvider")?;
        }
        if !change.remove.is_empty() {
            let call = iam.untag_open_id_connect_provider().open_id_connect_provider_arn(id).set_tag_keys(Some(change.remove));
            call.send().await.idempotent("iam:UntagOpenIDConnectProvider")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        let call = aws.iam().delete_open_id_connect_provider().open_id_connect_provider_arn(id);
        call.send().await.or_gone("iam:DeleteOpenIDConnectProvider").map(drop)
    }
}
