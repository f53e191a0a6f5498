//! The resource type `key_pair`.

use aws_sdk_ec2::types::{KeyType, ResourceType};
use aws_smithy_types::Blob;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{filter, in_chunks, specification, tags, update_tags};
use crate::client::{Aws, send_once};
use crate::error::OrFail;
use crate::permissions::{Grant, Permissions};
use crate::repeat::Changing;
use crate::resource::{Info, Resource, Tags};
use leoctl_core::engine::ports::{Operation, Outcome, Wanted};

/// A public key that instances let in over SSH. Its private key was made with `ssh-keygen` and stays where it is.
///
/// Import by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyPair {
    /// The name, unique in account and region.
    #[schemars(extend("x-replace" = true), length(max = 255))]
    name: String,
    // EC2 takes ED25519 and RSA keys (EC2 User Guide, "Create a key pair for your Amazon EC2 instance").
    /// The public key as OpenSSH writes it, `ssh-ed25519 AAAA…` or `ssh-rsa AAAA…`: the one line of a `.pub` file. The
    /// comment behind the key means nothing.
    #[schemars(extend("x-replace" = true, "x-format" = "ssh-public-key"))]
    public_key: String,
    /// Tags.
    #[schemars(extend("default" = {}))]
    tags: Tags,
    /// The id, `key-…`.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    key_pair_id: String,
    /// `ed25519` or `rsa`.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    key_type: String,
    /// The fingerprint: SHA-256 of an ED25519 key, MD5 of an RSA key.
    #[serde(default)]
    #[schemars(extend("x-computed" = true))]
    key_fingerprint: String,
}

impl Resource for KeyPair {
    const TYPE: &'static str = "key_pair";
    const INFO: Info = Info { unique: &[&["name"]], ..Info::DEFAULT };
    const PERMISSIONS: Permissions = Permissions {
        arn: "arn:{partition}:ec2:{region}:{account}:key-pair/{name}",
        plan: &[Grant::any(&["ec2:DescribeKeyPairs"])],
        apply: &[
            Grant::itself(&["ec2:DeleteKeyPair", "ec2:ImportKeyPair"]),
            // Tagged by its id, which AWS chooses.
            Grant::on(&["ec2:CreateTags", "ec2:DeleteTags"], &["arn:{partition}:ec2:{region}:{account}:key-pair/*"]),
        ],
    };

    async fn read(aws: &Aws, ids: &[String]) -> Outcome<Vec<(String, Self)>> {
        let found = in_chunks("key-name", ids, |only| async move {
            let call = aws.ec2().describe_key_pairs().filters(only).include_public_key(true);
            Ok(call.send().await.or_fail("ec2:DescribeKeyPairs")?.key_pairs.unwrap_or_default())
        });
        let found = found.await?;
        let read = found.iter().map(|pair| {
            let name = pair.key_name().unwrap_or_default().to_owned();
            let read = Self {
                public_key: pair.public_key().unwrap_or_default().to_owned(),
                tags: tags(pair.tags()),
                key_pair_id: pair.key_pair_id().unwrap_or_default().to_owned(),
                key_type: pair.key_type().map_or("", KeyType::as_str).to_owned(),
                key_fingerprint: pair.key_fingerprint().unwrap_or_default().to_owned(),
                name: name.clone(),
            };
            (name, read)
        });
        Ok(read.collect())
    }

    async fn find(aws: &Aws, wanted: &Wanted) -> Outcome<Option<String>> {
        let Some(name) = wanted.text("name") else { return Ok(None) };
        let call = aws.ec2().describe_key_pairs().filters(filter("key-name", &[name.to_owned()]));
        let found = call.send().await.or_fail("ec2:DescribeKeyPairs")?;
        Ok(wanted.pick(found.key_pairs().iter().filter_map(|pair| pair.key_name().map(str::to_owned))))
    }

    async fn create(aws: &Aws, _: &Operation, to: &Self) -> Outcome<String> {
        let call = aws
            .ec2()
            .import_key_pair()
            .key_name(&to.name)
            .public_key_material(Blob::new(to.public_key.as_bytes()))
            .tag_specifications(specification(ResourceType::KeyPair, &to.tags));
        send_once!(aws_sdk_ec2, call).await.sent_once("ec2:ImportKeyPair")?;
        Ok(to.name.clone())
    }

    async fn update(aws: &Aws, _: &Operation, _: &str, from: &Self, to: &Self) -> Outcome<()> {
        let Self { tags, name: _, public_key: _, key_pair_id: _, key_type: _, key_fingerprint: _ } = to;
        update_tags(aws.ec2(), &from.key_pair_id, &from.tags, tags).await
    }

    async fn delete(aws: &Aws, _: &Operation, id: &str, _: Option<&Self>) -> Outcome<()> {
        aws.ec2().delete_key_pair().key_name(id).send().await.or_gone("ec2:DeleteKeyPair").map(drop)
    }
}
