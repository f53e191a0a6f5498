//! Names: how AWS's types and properties are called in stack files, which is how Terraform's awscc provider calls them.

/// What the names of these types begin with.
pub const PREFIX: &str = "awscc_";

/// Words that count as one, whatever their letters.
const WORDS: [(&str, &str); 4] =
    [("CloudFormation", "Cloudformation"), ("CloudFront", "Cloudfront"), ("CloudWatch", "Cloudwatch"), ("FSx", "Fsx")];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Letter {
    Upper,
    Lower,
    Digit,
    Other,
}

impl Letter {
    fn of(letter: u8) -> Self {
        match letter {
            b'A'..=b'Z' => Self::Upper,
            b'a'..=b'z' => Self::Lower,
            b'0'..=b'9' => Self::Digit,
            _ => Self::Other,
        }
    }
}

/// A property's name as an attribute's: `GlobalReplicationGroupDescription` is `global_replication_group_description`.
pub fn snake(property: &str) -> String {
    let text = WORDS.iter().fold(property.trim().to_owned(), |text, (from, to)| text.replace(from, to));
    let letters: Vec<(u8, Letter)> = text.bytes().map(|letter| (letter, Letter::of(letter))).collect();
    let mut name = String::with_capacity(text.len() + 8);
    for (at, (letter, kind)) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| letters.get(before)).map(|(_, kind)| *kind);
        let after = letters.get(at + 1).map(|(_, kind)| *kind);
        if *kind == Letter::Upper && after == Some(Letter::Lower) && before == Some(Letter::Upper) {
            name.push('_');
        }
        name.push(if *kind == Letter::Other { '_' } else { char::from(letter.to_ascii_lowercase()) });
        let ends = matches!(
            (kind, after),
            (Letter::Lower, Some(Letter::Upper | Letter::Digit)) | (Letter::Digit, Some(Letter::Upper | Letter::Lower))
        );
        if ends {
            name.push('_');
        }
    }
    name
}

/// The service that a type is of, by what AWS calls the type.
pub fn service(aws: &str) -> Option<&str> {
    aws.split("::").nth(1)
}

/// A type's name in stack files: `AWS::RDS::DBInstance` is `awscc_rds_db_instance`.
pub fn type_name(aws: &str) -> String {
    let mut parts = aws.split("::").skip(1);
    let service = parts.next().unwrap_or_default().to_ascii_lowercase();
    let rest: Vec<String> = parts.map(snake).collect();
    format!("{PREFIX}{service}_{}", rest.join("_"))
}

#[cfg(test)]
mod tests {
    use super::{snake, type_name};

    #[test]
    fn names_are_those_of_terraforms_provider() {
        for (property, name) in [
            ("GlobalReplicationGroupDescription", "global_replication_group_description"),
            ("DBInstanceIdentifier", "db_instance_identifier"),
            ("VpcId", "vpc_id"),
            ("CloudWatchLogsLogGroupArn", "cloudwatch_logs_log_group_arn"),
            ("S3BucketName", "s3_bucket_name"),
            ("Ipv6CidrBlock", "ipv_6_cidr_block"),
            ("EnableIAMDatabaseAuthentication", "enable_iam_database_authentication"),
            ("id", "id"),
        ] {
            assert_eq!(snake(property), name);
        }
        assert_eq!(type_name("AWS::RDS::DBInstance"), "awscc_rds_db_instance");
        assert_eq!(type_name("AWS::ApiGatewayV2::Api"), "awscc_apigatewayv2_api");
        assert_eq!(type_name("AWS::WAFv2::WebACL"), "awscc_wafv2_web_acl");
    }
}
