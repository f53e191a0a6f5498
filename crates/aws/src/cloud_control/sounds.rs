//! What the name of a property tells of its value, where the schema does not say it.

/// Whether a property names a KMS key, of which AWS answers with the ARN.
pub fn names_key(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    matches!(name.as_str(), "kmskeyid" | "kmskeyarn" | "kmskey" | "kmsmasterkeyid")
}

/// Whether texts in a list are in no order, by its name: what something is in, which services answer in an order of their own.
/// Zones that are preferred are in one.
pub fn sounds_unordered(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ends = ["SecurityGroupIds", "SecurityGroups", "SecurityGroupIdList", "SubnetIds", "Subnets"];
    name == "AvailabilityZones" || ends.iter().any(|end| name.ends_with(end))
}

/// Whether what AWS never returns is none all the same, by its name: where something is, or what it is called.
pub fn sounds_public(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ends = [
        "Arn",
        "ARN",
        "Arns",
        "Id",
        "Ids",
        "Identifier",
        "Name",
        "Bucket",
        "S3Key",
        "Uri",
        "URI",
        "Url",
        "URL",
        "Version",
        "Mode",
        "Type",
        "Region",
        "Time",
        "Status",
    ];
    ends.iter().any(|end| name.ends_with(end))
}

/// Whether something is a secret, by its name.
pub fn sounds_secret(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    [
        "password",
        "secret",
        "token",
        "credential",
        "credentials",
        "privatekey",
        "authkey",
        "apikey",
        "passphrase",
        "secretkey",
        "keymaterial",
    ]
    .iter()
    .any(|end| name.ends_with(end) || name.contains("password"))
}
