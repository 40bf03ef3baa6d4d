//! Code of a mail: eight digits that the recipient types.

use serde::{Deserialize, Serialize};

use crate::redacted::redacted_debug;

/// Exactly eight ASCII digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailCode(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A code must have 8 digits.")]
pub struct MailCodeError;

redacted_debug!(MailCode);

impl MailCode {
    const DIGITS: usize = 8;

    pub fn parse(text: &str) -> Result<Self, MailCodeError> {
        let is_code = text.len() == Self::DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_code { Ok(Self(text.to_owned())) } else { Err(MailCodeError) }
    }

    /// The code in sample mails.
    pub(super) fn sample() -> Self {
        Self("01234567".to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MailCode {
    type Error = MailCodeError;

    fn try_from(text: String) -> Result<Self, MailCodeError> {
        Self::parse(&text)
    }
}

impl From<MailCode> for String {
    fn from(code: MailCode) -> Self {
        code.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_eight_digits() {
        assert_eq!(MailCode::parse("01234567").unwrap().as_str(), "01234567");
        for text in ["", "1234567", "123456789", "1234 678", "1234567a", "１2345678", "12345678\n"]
        {
            assert_eq!(MailCode::parse(text), Err(MailCodeError), "{text}");
        }
    }

    #[test]
    fn a_code_is_not_printed_for_developers() {
        assert_eq!(format!("{:?}", MailCode::parse("01234567").unwrap()), "MailCode(…)");
    }
}
