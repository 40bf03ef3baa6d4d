//! Percent-encoding, as URLs have it.

use std::fmt::Write;

/// A text that is not well encoded, or encodes no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotEncoded;

/// Reads percent-encoding; what is not well encoded, or no text, is refused.
pub(super) fn decode(text: &str) -> Result<String, NotEncoded> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let (Some(high), Some(low)) = (digit(), digit()) else {
                return Err(NotEncoded);
            };
            bytes.push(u8::try_from(high * 16 + low).unwrap_or(0));
        } else {
            bytes.push(byte);
        }
    }
    // The server's protocol ends texts with a zero.
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(NotEncoded),
    }
}

/// Writes all but letters and digits percent-encoded.
pub(super) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
