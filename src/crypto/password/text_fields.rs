//! Fields of the text forms of password hashes, read strictly.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::foreign_error::ForeignHashError;

/// A decimal number without sign or leading zeros.
pub(super) fn decimal(text: &str) -> Result<u32, ForeignHashError> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.is_empty()
        && (text == "0" || !text.starts_with('0'));
    if !is_number {
        return Err(ForeignHashError::Malformed);
    }
    text.parse().map_err(|_| ForeignHashError::TooExpensive)
}

/// Canonical base64 with padding.
pub(super) fn base64(text: &str) -> Result<Vec<u8>, ForeignHashError> {
    STANDARD.decode(text).map_err(|_| ForeignHashError::Malformed)
}

pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(text: &str) -> Result<Vec<u8>, ForeignHashError> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(ForeignHashError::Malformed);
    }
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    pairs.iter().map(byte).collect::<Option<_>>().ok_or(ForeignHashError::Malformed)
}

/// A salt as Django writes it: any text without `$`, which is hashed as UTF-8.
pub(super) fn salt(text: &str) -> Result<String, ForeignHashError> {
    let is_salt = !text.is_empty() && !text.contains(|c: char| c == '$' || c.is_control());
    if is_salt { Ok(text.to_owned()) } else { Err(ForeignHashError::Malformed) }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::encoding::to_hex;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!((decimal("0"), decimal("4294967295")), (Ok(0), Ok(u32::MAX)));
        for text in ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "0x1", "\u{661}"] {
            assert_eq!(decimal(text), Err(ForeignHashError::Malformed), "{text}");
        }
        assert_eq!(decimal("4294967296"), Err(ForeignHashError::TooExpensive));
    }

    #[test]
    fn bytes_have_one_spelling() {
        assert_eq!(hex("00ff1a"), Ok(vec![0, 255, 26]));
        assert_eq!(to_hex(&[0, 255, 26]), "00ff1a");
        assert_eq!(base64(&to_base64(&[1, 2])), Ok(vec![1, 2]));
        for text in ["0", "0g", "FF", "é", "0x"] {
            assert_eq!(hex(text), Err(ForeignHashError::Malformed), "{text}");
        }
        for text in ["AQI", "AQJ=", "AQI= ", "AQ_=", "é"] {
            assert_eq!(base64(text), Err(ForeignHashError::Malformed), "{text}");
        }
    }

    #[test]
    fn a_salt_cannot_run_into_its_neighbours() {
        assert_eq!(salt("a b é").as_deref(), Ok("a b é"));
        for text in ["", "a$b", "a\0", "a\n"] {
            assert_eq!(salt(text), Err(ForeignHashError::Malformed), "{text}");
        }
    }
}
