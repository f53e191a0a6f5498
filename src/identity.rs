//! Data keys that recipients of age can open: who has the identity of one, from a file or the environment, reads what is
//! encrypted. Of age's format only its keys are taken; what they protect is in leoctl's own, which both ways of encrypting share.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use age::x25519::{Identity, Recipient};
use age::{Decryptor, Encryptor};
use async_trait::async_trait;

use crate::disk;
use leoctl_core::engine::ports::StoreError;
use leoctl_core::engine::sealed::{About, DataKey, Keeper, Method, refused};

/// The environment variable that identities may stand in.
pub const VARIABLE: &str = "LEOCTL_AGE_IDENTITY";
/// The longest file of identities, in bytes.
const LONGEST: u64 = 1 << 20;
/// The longest data key as age encrypts it: some bytes for each recipient.
const LONGEST_KEY: u64 = 1 << 20;

/// Identities, and where they were looked for.
#[derive(Default)]
pub struct Identities {
    found: Vec<Identity>,
    /// What could be told of the places without any.
    problems: Vec<String>,
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Identities").field("found", &self.found.len()).finish_non_exhaustive()
    }
}

impl Identities {
    /// Those of the environment and of a file. Nothing is said of a place without any until one is needed.
    pub fn load(file: Option<&Path>) -> Self {
        let mut all = Self::default();
        match std::env::var(VARIABLE) {
            Ok(text) if !text.trim().is_empty() => all.take(VARIABLE, &text),
            _ => all.problems.push(format!("{VARIABLE} is not set")),
        }
        if let Some(file) = file {
            // The stack file names it: a pipe there would never end.
            let text = disk::read_regular(file, LONGEST).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            match text {
                Ok(text) => all.take(&file.display().to_string(), &text),
                Err(error) => all.problems.push(format!("cannot read {}: {}", file.display(), disk::words(&error))),
            }
        }
        all
    }

    /// Takes the identities of a text, each a word or a line; comments are passed over.
    fn take(&mut self, place: &str, text: &str) {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        for (number, word) in lines.flat_map(str::split_whitespace).enumerate() {
            match word.parse() {
                Ok(identity) => self.found.push(identity),
                // Not a byte of it is shown: it may be a secret with a typing error.
                Err(_) => self.problems.push(format!("what stands in {place} at {} is no identity of age", number + 1)),
            }
        }
    }

    fn none_fits(&self, named: &[String]) -> StoreError {
        let looked = if self.found.is_empty() { self.problems.join("; ") } else { format!("none of the {} at hand is", self.found.len()) };
        refused(format!("it takes an identity of one of {}: {looked}", named.join(", "))).help(format!(
            "put the identity (`AGE-SECRET-KEY-…`) into {VARIABLE}, or name its file with `identity_file` in [stack.encryption.age]"
        ))
    }
}

/// Where an identity file is: relative to the stack file that names it, or from the home folder on.
pub fn place(stack_file: &Path, file: &str) -> PathBuf {
    match file.strip_prefix("~/") {
        Some(rest) => std::env::home_dir().unwrap_or_default().join(rest),
        None => disk::folder(stack_file).join(file),
    }
}

/// Keys of age.
#[derive(Debug)]
pub struct AgeKeeper {
    named: Vec<String>,
    recipients: Vec<Recipient>,
    identities: Identities,
}

impl AgeKeeper {
    /// Those of these recipients, which these identities open.
    ///
    /// # Errors
    /// When one is no recipient.
    pub fn new(named: &[String], identities: Identities) -> Result<Self, StoreError> {
        let parsed = named.iter().map(|name| {
            name.parse().map_err(|_| {
                refused(format!("{name} is no recipient of age that leoctl can encrypt to"))
                    .help("`age-keygen` prints one, `age1…`, with each identity that it makes")
            })
        });
        Ok(Self { named: named.to_vec(), recipients: parsed.collect::<Result<_, _>>()?, identities })
    }
}

#[async_trait]
impl Keeper for AgeKeeper {
    fn method(&self) -> Method {
        Method::Age
    }

    fn keys(&self) -> Vec<String> {
        self.named.clone()
    }

    fn reads_itself(&self) -> Result<(), StoreError> {
        let ours = |identity: &Identity| self.named.contains(&identity.to_public().to_string());
        if self.identities.found.iter().any(ours) { Ok(()) } else { Err(self.identities.none_fits(&self.named)) }
    }

    async fn fresh(&self, _: &About) -> Result<(DataKey, Vec<u8>), StoreError> {
        let key = DataKey::random();
        let failed = |why: String| refused(format!("cannot encrypt to {}: {why}", self.named.join(", ")));
        let recipients = self.recipients.iter().map(|recipient| recipient as &dyn age::Recipient);
        let encryptor = Encryptor::with_recipients(recipients).map_err(|error| failed(error.to_string()))?;
        let mut wrapped = Vec::new();
        let mut writer = encryptor.wrap_output(&mut wrapped).map_err(|error| failed(error.to_string()))?;
        let written = writer.write_all(key.bytes()).and_then(|()| writer.finish().map(drop));
        written.map_err(|error| failed(error.to_string()))?;
        Ok((key, wrapped))
    }

    async fn opened(&self, _: &About, wrapped: &[u8]) -> Result<DataKey, StoreError> {
        let broken = || refused("its data key is not as leoctl wrote it");
        let decryptor = Decryptor::new_buffered(wrapped).map_err(|_| broken())?;
        // One after the other: of several, one that does not fit is no failure of the others.
        let identities = self.identities.found.iter().map(|identity| identity as &dyn age::Identity);
        let reader = match decryptor.decrypt(identities) {
            Ok(reader) => reader,
            Err(age::DecryptError::NoMatchingKeys) => return Err(self.identities.none_fits(&self.named)),
            Err(_) => return Err(broken()),
        };
        let mut key = Vec::new();
        reader.take(LONGEST_KEY).read_to_end(&mut key).map_err(|_| broken())?;
        DataKey::of(&key).ok_or_else(broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use age::secrecy::ExposeSecret;
    use leoctl_core::engine::sealed::What;

    /// A new identity, and its recipient.
    fn generate() -> (String, String) {
        let identity = Identity::generate();
        (identity.to_string().expose_secret().to_owned(), identity.to_public().to_string())
    }

    fn about() -> About {
        About { what: What::State, stack: "s".into(), lineage: "l".into(), serial: 0, number: None, stack_file: None, named: None }
    }

    fn with(identities: &[&str]) -> Identities {
        let mut all = Identities::default();
        all.take("here", &identities.join("\n# a comment\n"));
        all
    }

    #[tokio::test]
    async fn every_recipient_can_open_what_is_kept_and_nobody_else() {
        let [(one, a), (two, b), (other, _)] = [generate(), generate(), generate()];
        let named = [a, b];
        let keeper = |identities| AgeKeeper::new(&named, identities).unwrap();
        let (key, wrapped) = keeper(with(&[&one])).fresh(&about()).await.unwrap();
        for identity in [&one, &two] {
            assert_eq!(keeper(with(&[&other, identity])).opened(&about(), &wrapped).await.unwrap(), key);
        }
        let refused = keeper(with(&[&other])).opened(&about(), &wrapped).await.unwrap_err();
        assert!(refused.message.contains("none of the 1 at hand is") && refused.help[0].contains(VARIABLE), "{refused:?}");
        assert!(keeper(with(&[&other])).opened(&about(), b"nothing").await.is_err());
    }

    #[tokio::test]
    async fn nothing_is_written_that_could_not_be_read_again() {
        let [(one, a), (other, _)] = [generate(), generate()];
        let keeper = |identities| AgeKeeper::new(std::slice::from_ref(&a), identities).unwrap();
        keeper(with(&[&one])).reads_itself().unwrap();
        keeper(with(&[&other])).reads_itself().unwrap_err();
        keeper(Identities::default()).reads_itself().unwrap_err();
    }

    #[test]
    fn what_is_no_identity_is_not_shown() {
        let wrong = with(&["AGE-SECRET-KEY-1MISTYPED"]);
        assert!(wrong.found.is_empty());
        let said = wrong.none_fits(&["age1x".to_owned()]).message;
        assert!(said.contains("is no identity of age") && !said.contains("MISTYPED"), "{said}");
    }

    #[test]
    fn an_identity_file_is_beside_the_stack_file_or_at_home() {
        assert_eq!(place(Path::new("stacks/a.toml"), "../keys.txt"), Path::new("stacks/../keys.txt"));
        assert!(place(Path::new("stacks/a.toml"), "~/keys.txt").ends_with("keys.txt"));
        assert!(!place(Path::new("stacks/a.toml"), "~/keys.txt").to_string_lossy().contains('~'));
    }
}
