//! Certificates as text: PEM (RFC 7468).

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// How many characters a line has (RFC 7468, section 2).
const LINE: usize = 64;

/// The certificates in a text, each in lines of equal length and nothing between them: other line breaks, and what tools write
/// around a certificate, mean nothing. A text without certificates is as it is.
pub fn canonical(text: &str) -> String {
    let blocks = contents(text);
    if blocks.is_empty() { text.to_owned() } else { blocks.iter().map(|block| written(block)).collect() }
}

/// Whether a text has certificates, each of which ends.
pub fn has_certificates(text: &str) -> bool {
    let blocks = contents(text);
    !blocks.is_empty() && blocks.len() == text.matches(BEGIN).count() && blocks.iter().all(|block| is_base64(block))
}

/// What stands between the beginning and the end of each certificate, without blanks.
fn contents(text: &str) -> Vec<String> {
    let ended = text.split(BEGIN).skip(1).filter_map(|rest| rest.split_once(END));
    ended.map(|(content, _)| content.split_whitespace().collect()).collect()
}

fn is_base64(content: &str) -> bool {
    !content.is_empty() && content.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
}

fn written(content: &str) -> String {
    let letters: Vec<char> = content.chars().collect();
    let lines: String = letters.chunks(LINE).map(|line| format!("{}\n", line.iter().collect::<String>())).collect();
    format!("{BEGIN}\n{lines}{END}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_and_what_stands_around_certificates_mean_nothing() {
        let block = |content: &str| format!("{BEGIN}{content}{END}");
        let (one, other) = ("A".repeat(70), "B".repeat(10));
        let as_aws_says = format!("{BEGIN}\n{}\n{}\n{END}\n{BEGIN}\n{other}\n{END}\n", "A".repeat(64), "A".repeat(6));
        let written =
            format!("Bag Attributes\r\n{}\r\nsubject=CN = x\n{}", block(&format!("\r\n{one}\r\n")), block(&format!("\n{other}\n")));
        assert_eq!(canonical(&written), as_aws_says);
        assert_eq!(canonical(&as_aws_says), as_aws_says);
        assert!(has_certificates(&written));
        assert_eq!(canonical("no certificate"), "no certificate");
    }

    #[test]
    fn what_does_not_end_or_is_a_key_is_no_certificate() {
        assert!(!has_certificates(""));
        assert!(!has_certificates(&format!("{BEGIN}\nAAAA\n")));
        assert!(!has_certificates(&format!("{BEGIN}\nAAAA\n{END}\n{BEGIN}\nAAAA\n")));
        assert!(!has_certificates(&format!("{BEGIN}\nnot base64!\n{END}\n")));
        assert!(!has_certificates("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
    }
}
