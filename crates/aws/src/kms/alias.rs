//! The resource type `kms_alias`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::{Aws, send_once};
use crate::error::OrFail;
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Retry};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};
use leoctl_core::model::path::Path;
use leoctl_core::model::schema::{HangsOn, Named};
use leoctl_core::model::value::Value;

/// A name for a KMS key, which can be given to another key without anybody noticing.
///
/// Import by name: `alias/NAME`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KmsAlias {
    /// The name, unique in account and region. `alias/aws/` is AWS's own.
    #[schemars(extend("x-replace" = true, "pattern" = "^alias/[a-zA-Z0-9/_-]+$", "x-form" = "`alias/` and then letters, digits and /_-"), length(max = 256))]
    name: String,
    /// The id of the key, not its ARN.
    #[schemars(extend("pattern" = "^[a-zA-Z0-9-]+$", "x-form" = "the id of a key, not its ARN"))]
    target_key_id: String,
    /// The ARN.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    arn: String,
}

/// Why AWS refuses a name (KMS API Reference, CreateAlias, AliasName).
fn name_problem(name: &str) -> Option<&'static str> {
    name.starts_with("alias/aws/").then_some("names that begin with `alias/aws/` are AWS's own")
}

impl Resource for KmsAlias {
    const TYPE: &'static str = "kms_alias";
    // A key made a moment ago (KMS Developer Guide, "AWS KMS eventual consistency").
    const INFO: Info = Info {
        unique: &[&["name"]],
        propagating: &[Retry::after("NotFoundException", &["kms:CreateAlias", "kms:UpdateAlias"])],
        timeout: 300,
        hangs_on: &[HangsOn { attribute: &["target_key_id"], names: Named::Attribute("kms_key", "id") }],
        ..Info::DEFAULT
    };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:kms:{region}:{account}:{name}",
        plan: &[Grant::any(&["kms:ListAliases"])],
        apply: &[
            Grant::itself(&["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]),
            Grant::key("target_key_id", &["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]),
        ],
    };

    fn check(desired: &Value) -> Vec<(Path, String)> {
        let problem = desired.get("name").and_then(Value::as_str).and_then(name_problem);
        problem.map(|problem| (Path::attribute("name"), problem.to_owned())).into_iter().collect()
    }

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let mut pages = aws.kms().list_aliases().limit(100).into_paginator().send();
        let mut read = Vec::new();
        while let Some(page) = pages.next().await {
            for alias in page.or_fail("kms:ListAliases")?.aliases() {
                let Some(name) = alias.alias_name().filter(|name| ids.iter().any(|id| id == name)) else { continue };
                let target_key_id = alias.target_key_id().unwrap_or_default().to_owned();
                let arn = alias.alias_arn().unwrap_or_default().to_owned();
                read.push((name.to_owned(), Self { name: name.to_owned(), target_key_id, arn }));
            }
            if read.len() >= ids.len() {
                break;
            }
        }
        Ok(read)
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        Ok(wanted.pick(Self::read(aws, &[name.to_owned()]).await?.into_iter().map(|(id, _)| id)))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws.kms().create_alias().alias_name(&to.name).target_key_id(&to.target_key_id);
        send_once!(aws_sdk_kms, call).await.sent_once("kms:CreateAlias")?;
        Ok(to.name.clone())
    }

    async fn update(aws: &Aws, _: &Operation, id: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { target_key_id, name: _, arn: _ } = to;
        if *target_key_id != from.target_key_id {
            aws.kms().update_alias().alias_name(id).target_key_id(target_key_id).send().await.idempotent("kms:UpdateAlias")?;
        }
        Ok(())
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.kms().delete_alias().alias_name(id).send().await.or_gone("kms:DeleteAlias").map(drop)
    }
}
