//! Base64 with the standard alphabet and padding (RFC 4648, section 4).

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The SHA-256 of a text.
pub fn sha256(text: &str) -> String {
    encode(&Sha256::digest(text.as_bytes()))
}

/// The bytes as base64.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let index = (group >> (18 - 6 * position) & 63) as usize;
            let letter = ALPHABET.get(index).copied().filter(|_| position <= chunk.len());
            text.push(letter.unwrap_or(b'=').into());
        }
    }
    text
}

/// What of the bytes' base64 is the same whatever stands before and after them, for each of the three places in a group
/// that they can begin at.
pub fn within(bytes: &[u8]) -> [String; 3] {
    [0, 1, 2].map(|before: usize| {
        let padded: Vec<u8> = std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
        let (from, to) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        encode(&padded).get(from..to).unwrap_or_default().to_owned()
    })
}

/// The bytes that are encoded; nothing when the text is not base64. Padding may be left out.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let letters = text.trim_end_matches('=').as_bytes();
    if letters.len() % 4 == 1 || text.len() - letters.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(letters.len() * 3 / 4);
    for chunk in letters.chunks(4) {
        let mut group = 0_u32;
        for letter in chunk {
            let index = ALPHABET.iter().position(|known| known == letter)?;
            group = group << 6 | u32::try_from(index).ok()?;
        }
        group <<= 6 * (4 - chunk.len());
        let all = [(group >> 16) as u8, (group >> 8) as u8, group as u8];
        bytes.extend(all.into_iter().take(chunk.len() - 1));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard() {
        // RFC 4648, section 10.
        for (plain, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(encode(plain.as_bytes()), encoded);
            assert_eq!(decode(encoded).unwrap(), plain.as_bytes());
        }
        assert_eq!(decode("Zm9vYg").unwrap(), b"foob");
        assert_eq!(decode("Zm9v!"), None);
    }
}
