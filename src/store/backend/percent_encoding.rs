//! Percent-encoding of URL components.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Invalid percent-encoding, or invalid UTF-8 once decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct NotEncoded;

pub(in crate::store) fn decode(text: &str) -> Result<String, NotEncoded> {
    let begins_encoded = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    // The library leaves invalid sequences as they are.
    if !text.split('%').skip(1).all(begins_encoded) {
        return Err(NotEncoded);
    }
    // PostgreSQL's protocol terminates strings with a zero byte.
    match percent_decode_str(text).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(NotEncoded),
    }
}

/// Encodes everything but letters and digits.
pub(in crate::store) fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
