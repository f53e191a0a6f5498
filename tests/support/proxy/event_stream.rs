//! Answers that go on, as AWS writes them (Amazon Transcribe Developer Guide, "Event stream encoding").

use serde_json::{Value as Json, json};

/// An answer of these events; one that has ended, or goes on without saying more.
pub fn answer(events: &[(&str, Json)], ended: bool) -> Vec<u8> {
    let mut body = message("initial-response", &json!({}));
    events.iter().for_each(|(kind, payload)| body.extend(message(kind, payload)));
    let length = if ended { body.len() } else { body.len() + 1_000_000 };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nContent-Length: {length}\r\n\r\n");
    [head.into_bytes(), body].concat()
}

fn message(kind: &str, payload: &Json) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in [(":message-type", "event"), (":event-type", kind), (":content-type", "application/json")] {
        headers.push(u8::try_from(name.len()).unwrap());
        headers.extend(name.bytes());
        // A text, with its length.
        headers.push(7);
        headers.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend(value.bytes());
    }
    let payload = payload.to_string().into_bytes();
    let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let mut message = [length(headers.len() + payload.len() + 16), length(headers.len())].concat();
    message.extend(checksum(&message).to_be_bytes());
    message.extend(headers);
    message.extend(payload);
    message.extend(checksum(&message).to_be_bytes());
    message
}

/// CRC-32.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}
