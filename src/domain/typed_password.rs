//! Password as it was typed, before it is known which hash it is compared with.
//!
//! Hashes of this service are of a [`Password`]: NFC, at most 256 characters. Other systems hash the bytes that
//! were typed, or another normal form, at any length.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::password::Password;
use crate::redacted::redacted_debug;

/// Longest text in bytes that is compared with a hash of another system.
pub const MAX_BYTES: usize = 4096;

/// Text of a login attempt. A text of more than [`MAX_BYTES`] is not kept: it is nobody's password.
#[derive(Clone)]
pub struct TypedPassword(Option<Zeroizing<String>>);

impl TypedPassword {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self((text.len() <= MAX_BYTES).then(|| Zeroizing::new(text.to_owned())))
    }

    /// The text as a password of this service. `None` if it is too long for one.
    #[must_use]
    pub fn password(&self) -> Option<Password> {
        Password::attempt(self.0.as_ref()?)
    }

    /// The text as it was typed, then in NFC if that differs. Empty if the text is too long.
    #[must_use]
    pub fn as_typed_and_nfc(&self) -> Vec<Zeroizing<String>> {
        let Some(text) = &self.0 else { return Vec::new() };
        let normal = Zeroizing::new(text.nfc().collect::<String>());
        if normal == *text { vec![normal] } else { vec![text.clone(), normal] }
    }

    /// The text in NFKC. `None` if it is too long.
    #[must_use]
    pub fn nfkc(&self) -> Option<Zeroizing<String>> {
        self.0.as_ref().map(|text| Zeroizing::new(text.nfkc().collect()))
    }
}

redacted_debug!(TypedPassword);

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(text: &str) -> Vec<String> {
        let forms = TypedPassword::new(text).as_typed_and_nfc();
        forms.iter().map(|form| form.to_string()).collect()
    }

    #[test]
    fn the_bytes_that_were_typed_come_first_and_nfc_second() {
        assert_eq!(forms("cafe\u{301}"), ["cafe\u{301}", "caf\u{e9}"]);
        assert_eq!(forms("caf\u{e9}"), ["caf\u{e9}"]);
        assert_eq!(forms(""), [""]);
        let typed = TypedPassword::new("\u{fb01}ne cafe\u{301}");
        assert_eq!(typed.nfkc().unwrap().as_str(), "fine caf\u{e9}");
    }

    #[test]
    fn a_longer_text_than_a_password_of_this_service_may_be_one_elsewhere() {
        let typed = TypedPassword::new(&"x".repeat(MAX_BYTES));
        assert!(typed.password().is_none());
        assert_eq!(typed.as_typed_and_nfc().len(), 1);
        assert!(TypedPassword::new(&"x".repeat(256)).password().is_some());
        let longer = TypedPassword::new(&"x".repeat(MAX_BYTES + 1));
        assert!(longer.password().is_none() && longer.nfkc().is_none());
        assert!(longer.as_typed_and_nfc().is_empty());
    }

    #[test]
    fn it_is_not_printed() {
        assert_eq!(format!("{:?}", TypedPassword::new("hunter2")), "TypedPassword(…)");
    }
}
