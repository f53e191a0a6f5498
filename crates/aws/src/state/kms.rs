//! Data keys that a key of KMS keeps. `GenerateDataKey` gives one in the clear and encrypted, `Decrypt` the first from the
//! second; both are of the client that the type `kms_key` has anyway.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_kms::Client;
use aws_sdk_kms::types::DataKeySpec;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::unanswered::no_answer;
use leoctl_core::engine::no_answer::NoAnswer;
use leoctl_core::engine::ports::StoreError;
use leoctl_core::engine::sealed::{About, DataKey, Keeper, Method, What, refused};

/// What says of a data key which stack it is of. Policies may ask for these.
pub const STACK: &str = "leoctl:stack";
/// What says whether it is of a state or of a plan.
pub const WHAT: &str = "leoctl:what";
/// What says which state it is of.
const LINEAGE: &str = "leoctl:lineage";

/// A key of KMS.
#[derive(Debug)]
pub struct KmsKeeper {
    client: Client,
    key_id: String,
}

impl KmsKeeper {
    /// The key of this id, ARN or alias.
    pub fn new(client: Client, key_id: &str) -> Self {
        Self { client, key_id: key_id.to_owned() }
    }

    fn failed<E>(&self, action: &str, error: &SdkError<E, HttpResponse>) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let key = &self.key_id;
        if let Some(NoAnswer { cause, detail }) = no_answer(error) {
            return refused(format!("{action} with {key} got no answer: {cause}\n({detail})")).help(cause.advice());
        }
        let why = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{message} ({code})"),
            (Some(code), None) => code.to_owned(),
            _ => aws_smithy_types::error::display::DisplayErrorContext(error).to_string(),
        };
        let help = match error.code() {
            Some("AccessDeniedException") => {
                "it takes kms:Decrypt on the key, and to write kms:GenerateDataKey: `leoctl iam-policy` has both"
            }
            Some("IncorrectKeyException") => {
                "it was encrypted with another key: name that one under [stack.encryption.previous], then `leoctl state rotate`"
            }
            Some("InvalidCiphertextException") => "somebody has changed or exchanged it: restore it from an older version or a copy",
            Some("NotFoundException") => "`key_id` of [stack.encryption] is a key of KMS by ARN, id or alias, in the region that it says",
            Some("DisabledException" | "KMSInvalidStateException") => {
                "enable the key, or cancel its deletion: without it nothing that it encrypted can be read"
            }
            _ => "run the same command again once this is mended",
        };
        refused(format!("{action} with {key}: {why}")).help(help)
    }
}

/// What KMS binds a data key to: it opens for no other.
fn context(about: &About) -> HashMap<String, String> {
    let what = match about.what {
        What::State | What::Record => "state",
        What::Plan => "plan",
    };
    let mut context = HashMap::from([(STACK.to_owned(), about.stack.clone()), (WHAT.to_owned(), what.to_owned())]);
    // A plan of a stack that was never applied has none.
    if !about.lineage.is_empty() {
        context.insert(LINEAGE.to_owned(), about.lineage.clone());
    }
    context
}

#[async_trait]
impl Keeper for KmsKeeper {
    fn method(&self) -> Method {
        Method::Kms
    }

    fn keys(&self) -> Vec<String> {
        vec![self.key_id.clone()]
    }

    fn reads_itself(&self) -> Result<(), StoreError> {
        // Who may do what with the key, KMS says.
        Ok(())
    }

    async fn fresh(&self, about: &About) -> Result<(DataKey, Vec<u8>), StoreError> {
        let call = self.client.generate_data_key().key_id(&self.key_id).key_spec(DataKeySpec::Aes256);
        let made = call.set_encryption_context(Some(context(about))).send().await;
        let made = made.map_err(|error| self.failed("kms:GenerateDataKey", &error))?;
        let key = made.plaintext().and_then(|key| DataKey::of(key.as_ref()));
        let both = key.zip(made.ciphertext_blob().map(|blob| blob.as_ref().to_vec()));
        both.ok_or_else(|| refused(format!("kms:GenerateDataKey with {} gave no key of 256 bits", self.key_id)))
    }

    async fn opened(&self, about: &About, wrapped: &[u8]) -> Result<DataKey, StoreError> {
        // The key is named: what anybody else's key has encrypted is not read.
        let call = self.client.decrypt().key_id(&self.key_id).ciphertext_blob(wrapped.to_vec().into());
        let opened = call.set_encryption_context(Some(context(about))).send().await;
        let opened = opened.map_err(|error| self.failed("kms:Decrypt", &error))?;
        let key = opened.plaintext().and_then(|key| DataKey::of(key.as_ref()));
        key.ok_or_else(|| refused(format!("kms:Decrypt with {} gave no key of 256 bits", self.key_id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Scripted};

    fn about() -> About {
        About {
            what: What::Record,
            stack: "web".to_owned(),
            lineage: "l-1".to_owned(),
            serial: 1,
            number: Some(2),
            stack_file: None,
            named: None,
        }
    }

    #[tokio::test]
    async fn a_data_key_is_bound_to_its_stack_and_asked_of_the_named_key() {
        let answer = r#"{"Plaintext": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "CiphertextBlob": "d3JhcHBlZA==", "KeyId": "arn"}"#;
        let scripted = Scripted::new(move |_| Answer(200, Vec::new(), answer.to_owned()));
        let keeper = KmsKeeper::new(scripted.aws.kms().clone(), "alias/leoctl");
        let (made, wrapped) = keeper.fresh(&about()).await.unwrap();
        assert_eq!((made.bytes(), wrapped.as_slice()), (&[0; 32][..], &b"wrapped"[..]));
        assert_eq!(keeper.opened(&about(), &wrapped).await.unwrap(), made);
        for call in scripted.calls() {
            let asked: serde_json::Value = serde_json::from_str(&call.body).unwrap();
            assert_eq!(asked["KeyId"], "alias/leoctl");
            let bound = serde_json::json!({ "leoctl:stack": "web", "leoctl:what": "state", "leoctl:lineage": "l-1" });
            assert_eq!(asked["EncryptionContext"], bound);
        }
    }

    #[tokio::test]
    async fn what_another_key_encrypted_says_how_to_go_on() {
        let scripted = Scripted::new(|_| Answer::json_error("IncorrectKeyException"));
        let keeper = KmsKeeper::new(scripted.aws.kms().clone(), "k-1");
        let refused = keeper.opened(&about(), b"x").await.unwrap_err();
        assert!(refused.help[0].contains("[stack.encryption.previous]"), "{refused:?}");
    }
}
