//! The names of a KMS key. AWS takes any of them and answers with the key's ARN (KMS Developer Guide, "Key identifiers").

/// Whether a name is an alias, which is given from one key to another, and says nothing of what was encrypted before.
pub fn is_alias(name: &str) -> bool {
    name.starts_with("alias/") || name.contains(":alias/")
}

/// Whether a name can be one of the key with an ARN: its id, or an alias in its account and region, of which only KMS knows
/// whose it is.
pub fn may_name(name: &str, key: &str) -> bool {
    let Some((place, id)) = key.split_once(":key/") else { return false };
    match name.split_once(":alias/") {
        Some((alias_place, _)) => alias_place == place,
        None => name == id || name.starts_with("alias/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_id_and_the_aliases_of_its_place_as_names() {
        let key = "arn:aws:kms:eu-west-1:111111111111:key/1234";
        for name in ["1234", "alias/app", "arn:aws:kms:eu-west-1:111111111111:alias/app"] {
            assert!(may_name(name, key), "{name}");
        }
        for name in [
            "5678",
            "arn:aws:kms:eu-west-1:111111111111:key/5678",
            "arn:aws:kms:us-east-1:111111111111:alias/app",
            "arn:aws:kms:eu-west-1:222222222222:alias/app",
        ] {
            assert!(!may_name(name, key), "{name}");
        }
        // Where AWS keeps what was written, another alias is another value.
        assert!(!may_name("alias/app", "arn:aws:kms:eu-west-1:111111111111:alias/old"));
    }
}
