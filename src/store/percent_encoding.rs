//! Percent-encoding, as URLs have it.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// A text that is not well encoded, or encodes no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotEncoded;

/// Reads percent-encoding; what is not well encoded, or no text, is refused.
pub(super) fn decode(text: &str) -> Result<String, NotEncoded> {
    let begins_encoded = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    // The library leaves as it is what is not well encoded.
    if !text.split('%').skip(1).all(begins_encoded) {
        return Err(NotEncoded);
    }
    // The server's protocol ends texts with a zero.
    match percent_decode_str(text).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(NotEncoded),
    }
}

/// Writes all but letters and digits percent-encoded.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
