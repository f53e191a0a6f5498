//! The form of what is written encrypted: a header in the clear, which says what it is and who can open it, and the rest
//! under a data key. The header is authenticated with the rest, so that nothing of one can be put in front of another.

use std::path::PathBuf;

use chacha20poly1305::aead::{Aead, AeadCore, KeyInit, OsRng, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};

use crate::model::base64;

/// The version of this form.
const FORMAT: u32 = 1;
/// How everything that is encrypted begins, but for blanks.
const MARK: &str = "\"leoctl_encrypted\"";

/// What something that is encrypted is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A state, or a copy of one.
    State,
    /// A record of a journal.
    Record,
    /// A saved plan.
    Plan,
}

/// What of something that is encrypted stands in the clear: enough to find it again, and nothing that the stack wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// What it is.
    pub what: What,
    /// The stack's name.
    pub stack: String,
    /// The lineage of the state.
    pub lineage: String,
    /// The serial of the state; of a record that of the state its journal was begun on.
    pub serial: u64,
    /// Its number among the records of its journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The stack file of a plan: it says how the plan is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_file: Option<PathBuf>,
    /// The same from where the plan was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<PathBuf>,
}

/// How data keys are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Encrypted to recipients of age.
    Age,
    /// Encrypted by a key of KMS.
    Kms,
}

impl Method {
    /// Its name in stack files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Kms => "kms",
        }
    }
}

/// A data key: what encrypts is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey([u8; 32]);

impl DataKey {
    /// A new one.
    pub fn random() -> Self {
        Self(XChaCha20Poly1305::generate_key(&mut OsRng).into())
    }

    /// One of these bytes; none when they are not as many as a key has.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("DataKey(…)")
    }
}

/// A data key as it is kept: what it takes to open it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrapped {
    /// How.
    pub method: Method,
    /// Recipients, or the key of KMS.
    pub keys: Vec<String>,
    /// The encrypted data key, in base64.
    pub key: String,
}

/// Something encrypted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    #[serde(rename = "leoctl_encrypted")]
    format: u32,
    /// What it is.
    pub about: About,
    /// Its data key.
    pub with: Wrapped,
    nonce: String,
    data: String,
}

/// Why something encrypted is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It is not of this form.
    #[error("it begins as something that leoctl has encrypted, and cannot be read further")]
    Malformed,
    /// It was written by a newer leoctl.
    #[error("it was encrypted by a newer leoctl (its form is {0}, and this one reads {FORMAT})")]
    Newer(u32),
    /// It is not what was encrypted.
    #[error("it is not as leoctl wrote it: something in it was changed, cut off, or put there from elsewhere")]
    NotAuthentic,
}

/// Whether a text is encrypted. A clear text costs the look at its first characters.
pub fn is_sealed(text: &str) -> bool {
    text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(MARK))
}

impl Envelope {
    /// Reads what stands in the clear, and nothing of it is believed yet.
    ///
    /// # Errors
    /// When it is not of this form.
    pub fn parse(text: &str) -> Result<Self, EnvelopeError> {
        #[derive(Deserialize)]
        struct Version {
            leoctl_encrypted: u32,
        }
        let Version { leoctl_encrypted: format } = serde_json::from_str(text).map_err(|_| EnvelopeError::Malformed)?;
        if format > FORMAT {
            return Err(EnvelopeError::Newer(format));
        }
        serde_json::from_str(text).map_err(|_| EnvelopeError::Malformed)
    }

    /// Encrypts a text under a data key. Every call has a nonce of its own, of a length at which none comes twice.
    ///
    /// # Errors
    /// When the text is longer than any state.
    pub fn seal(about: About, with: Wrapped, key: &DataKey, text: &str) -> Result<Self, EnvelopeError> {
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let mut sealed = Self { format: FORMAT, about, with, nonce: base64::encode(&nonce), data: String::new() };
        let payload = Payload { msg: text.as_bytes(), aad: &sealed.header()? };
        let data = cipher(key).encrypt(&nonce, payload).map_err(|_| EnvelopeError::Malformed)?;
        sealed.data = base64::encode(&data);
        Ok(sealed)
    }

    /// The text.
    ///
    /// # Errors
    /// When anything of it, its header included, is not what was encrypted with this key.
    pub fn open(&self, key: &DataKey) -> Result<String, EnvelopeError> {
        let nonce = base64::decode(&self.nonce).filter(|nonce| nonce.len() == XNonce::default().len());
        let (nonce, data) = nonce.zip(base64::decode(&self.data)).ok_or(EnvelopeError::NotAuthentic)?;
        let payload = Payload { msg: &data, aad: &self.header()? };
        let text = cipher(key).decrypt(XNonce::from_slice(&nonce), payload).map_err(|_| EnvelopeError::NotAuthentic)?;
        String::from_utf8(text).map_err(|_| EnvelopeError::NotAuthentic)
    }

    /// What is written.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn render(&self) -> Result<String, EnvelopeError> {
        serde_json::to_string(self).map(|text| text + "\n").map_err(|_| EnvelopeError::Malformed)
    }

    /// What stands in the clear, as it is authenticated.
    fn header(&self) -> Result<Vec<u8>, EnvelopeError> {
        serde_json::to_vec(&(self.format, &self.about, &self.with)).map_err(|_| EnvelopeError::Malformed)
    }
}

fn cipher(key: &DataKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(Key::from_slice(key.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn about() -> About {
        About { what: What::State, stack: "web".into(), lineage: "l".into(), serial: 3, number: None, stack_file: None, named: None }
    }

    fn sealed(text: &str) -> (DataKey, String) {
        let key = DataKey::random();
        let with = Wrapped { method: Method::Age, keys: vec!["age1x".into()], key: "a2V5".into() };
        let sealed = Envelope::seal(about(), with, &key, text).unwrap();
        (key, sealed.render().unwrap())
    }

    #[test]
    fn what_is_sealed_is_opened_and_shows_nothing_of_itself() {
        let (key, written) = sealed("{\"marker\": \"MARKER\"}");
        assert!(is_sealed(&written) && !written.contains("MARKER"));
        assert!(!is_sealed("{\"format_version\": 2, \"leoctl_encrypted\": 1}"));
        assert_eq!(Envelope::parse(&written).unwrap().open(&key).unwrap(), "{\"marker\": \"MARKER\"}");
        assert!(!format!("{key:?}").contains(&format!("{:?}", key.bytes())));
    }

    #[test]
    fn the_same_text_is_never_written_twice_the_same() {
        let key = DataKey::random();
        let with = Wrapped { method: Method::Kms, keys: vec![], key: String::new() };
        let twice = [(); 2].map(|()| Envelope::seal(about(), with.clone(), &key, "text").unwrap().data);
        assert_ne!(twice[0], twice[1]);
    }

    #[test]
    fn another_stack_lineage_serial_kind_number_or_key_is_not_authentic() {
        let (key, written) = sealed("text");
        for (from, to) in [
            ("\"web\"", "\"shop\""),
            ("\"lineage\":\"l\"", "\"lineage\":\"m\""),
            ("\"serial\":3", "\"serial\":4"),
            ("\"what\":\"state\"", "\"what\":\"plan\""),
            ("\"serial\":3", "\"serial\":3,\"number\":0"),
            ("age1x", "age1y"),
            ("\"age\"", "\"kms\""),
        ] {
            let changed = written.replace(from, to);
            assert_ne!(changed, written, "{from}");
            assert_eq!(Envelope::parse(&changed).unwrap().open(&key), Err(EnvelopeError::NotAuthentic), "{from}");
        }
        assert_eq!(Envelope::parse(&written).unwrap().open(&DataKey::random()), Err(EnvelopeError::NotAuthentic));
        assert_eq!(Envelope::parse(&written.replace(":1,", ":2,")).map(drop), Err(EnvelopeError::Newer(2)));
        assert_eq!(Envelope::parse(&written.replace("\"about\"", "\"x\":1,\"about\"")).map(drop), Err(EnvelopeError::Malformed));
    }

    proptest! {
        #[test]
        fn a_byte_that_is_changed_or_cut_off_is_seen(at in 0_usize..1000, by in 1_u8..=255) {
            let (key, written) = sealed("a state of some length, so that there is something to change");
            let mut bytes = written.trim_end().as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = bytes[at].wrapping_add(by);
            let opened = |text: &str| Envelope::parse(text).and_then(|sealed| sealed.open(&key));
            if let Ok(text) = String::from_utf8(bytes) {
                // Where the change means the same, as an escape would, it is the same envelope.
                prop_assert!(opened(&text).is_err() || opened(&text) == opened(&written));
            }
            let cut: String = written.chars().take(at).collect();
            prop_assert!(opened(&cut).is_err());
        }
    }
}
