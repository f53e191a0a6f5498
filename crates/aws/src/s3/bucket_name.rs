//! Names that S3 gives to no bucket (S3 User Guide, "General purpose bucket naming rules").

const PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Why a name is none that a bucket can have.
pub fn problem(name: &str) -> Option<String> {
    if name.contains("..") {
        return Some("the name of a bucket has no two dots side by side".to_owned());
    }
    if name.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some("the name of a bucket has not the form of an IP address".to_owned());
    }
    let prefix = PREFIXES.iter().find(|prefix| name.starts_with(**prefix)).map(|prefix| format!("begins with `{prefix}`"));
    let suffix = SUFFIXES.iter().find(|suffix| name.ends_with(**suffix)).map(|suffix| format!("ends in `{suffix}`"));
    prefix.or(suffix).map(|how| format!("no bucket's name {how}: S3 keeps such names for itself"))
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn names_that_s3_keeps_for_itself_are_known() {
        for name in ["a..b", "192.168.1.1", "xn--abc", "sthree-a", "abc-s3alias", "abc--x-s3"] {
            assert!(problem(name).is_some(), "{name}");
        }
        for name in ["leo-prod-logs", "a.b.c", "my-s3alias-bucket", "1.2.3"] {
            assert_eq!(problem(name), None, "{name}");
        }
    }
}
