//! The profiles of the AWS configuration.

use aws_types::os_shim_internal::{Env, Fs};

/// Names the profile where the command line names none (AWS SDKs and Tools Reference Guide, "Shared config and credentials
/// files").
const VARIABLE: &str = "AWS_PROFILE";
/// The profile that is meant when none is named, and need not be there.
const DEFAULT: &str = "default";

/// A profile that is asked for by name, and that no file of the AWS configuration has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no file of the AWS configuration has the profile `{name}`")]
pub struct UnknownProfile {
    /// The profile.
    pub name: String,
    /// Those that there are, in order.
    pub known: Vec<String>,
}

/// Checks that the profile is there that the command line or else the environment names: the SDK passes over one that is
/// not, and takes the credentials it finds next, of whatever account.
///
/// # Errors
/// When it is not there. Files that cannot be read are left to the SDK, which says what is wrong with them.
pub async fn check(asked: Option<&str>) -> Result<(), UnknownProfile> {
    let (fs, env) = (Fs::real(), Env::real());
    let Some(name) = asked.map(str::to_owned).or_else(|| env.get(VARIABLE).ok()) else { return Ok(()) };
    let Ok(profiles) = aws_config::profile::load(&fs, &env, &Default::default(), None).await else { return Ok(()) };
    is_among(name, profiles.profiles())
}

fn is_among<'a>(name: String, profiles: impl Iterator<Item = &'a str>) -> Result<(), UnknownProfile> {
    let mut known: Vec<String> = profiles.map(str::to_owned).collect();
    if name.is_empty() || name == DEFAULT || known.contains(&name) {
        return Ok(());
    }
    known.sort_unstable();
    Err(UnknownProfile { name, known })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_that_is_named_is_there() {
        let check = |name: &str| is_among(name.to_owned(), ["shop", "prod"].into_iter());
        assert_eq!(check("prod"), Ok(()));
        assert_eq!(check("default"), Ok(()));
        assert_eq!(check(""), Ok(()));
        assert_eq!(check("nope"), Err(UnknownProfile { name: "nope".to_owned(), known: vec!["prod".to_owned(), "shop".to_owned()] }));
    }
}
