//! Codes of authenticator apps (TOTP, RFC 6238): SHA-1, six digits, 30 seconds, which every app can compute.
//!
//! A code is accepted one step early or late. Whoever accepts it has to note its step: a step is accepted once
//! (section 5.2), which the store decides.

use totp_rs::{Algorithm, Builder, Totp};
use zeroize::Zeroizing;

use super::error::CryptoError;
use crate::clock::Timestamp;
use crate::entropy::{Entropy, random};
use crate::redacted::redacted_debug;

/// 160 bits, as RFC 4226, section 4, recommends.
const SECRET_BYTES: usize = 20;

const DIGITS: u8 = 6;

/// Seconds.
const STEP: u64 = 30;

/// Steps before and after the current one whose codes are accepted.
const SKEW: u16 = 1;

/// Secret that an authenticator app shares with the service.
pub struct TotpSecret(Zeroizing<[u8; SECRET_BYTES]>);

redacted_debug!(TotpSecret);

/// Six decimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpCode(String);

redacted_debug!(TotpCode);

impl TotpCode {
    /// Parses a code as people type it, with spaces and hyphens between the digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_between = |c: char| c.is_whitespace() || c == '-';
        if text.len() > 4 * usize::from(DIGITS)
            || !text.chars().all(|c| c.is_ascii_digit() || is_between(c))
        {
            return None;
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        (digits.len() == usize::from(DIGITS)).then_some(Self(digits))
    }
}

impl TotpSecret {
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(Zeroizing::new(random(entropy)))
    }

    /// `None` for bytes of another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The secret as people type it into an app: base32 without padding.
    pub fn base32(&self) -> Result<Zeroizing<String>, CryptoError> {
        Ok(Zeroizing::new(self.totp("", "")?.secret().to_base32()))
    }

    /// The URI that an app reads from a QR code. A colon, which separates issuer and account in it, is replaced.
    pub fn uri(&self, issuer: &str, account: &str) -> Result<Zeroizing<String>, CryptoError> {
        let uri = self.totp(&issuer.replace(':', " "), &account.replace(':', " "))?.to_url();
        uri.map(Zeroizing::new).map_err(|_| CryptoError("the URI of an authenticator app"))
    }

    /// The step that this code is of, if it is the current one or next to it.
    pub fn step_of(&self, code: &TotpCode, now: Timestamp) -> Result<Option<i64>, CryptoError> {
        let Ok(seconds) = u64::try_from(now.as_seconds()) else { return Ok(None) };
        let step = self.totp("", "")?.check(&code.0, seconds);
        Ok(step.and_then(|step| i64::try_from(step).ok()))
    }

    fn totp(&self, issuer: &str, account: &str) -> Result<Totp, CryptoError> {
        let issuer = (!issuer.is_empty()).then_some(issuer);
        let builder = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_skew(SKEW)
            .with_step_duration(STEP)
            .with_account_name(account)
            .with_issuer(issuer)
            .with_secret(self.as_bytes().to_vec());
        builder.build().map_err(|_| CryptoError("the settings of an authenticator app"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of RFC 6238, appendix B, for SHA-1, with six digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let code = TotpCode::parse(code).unwrap();
            let step_at = |at: i64| secret.step_of(&code, Timestamp::from_seconds(at)).unwrap();
            let step = Some(seconds / 30);
            assert_eq!(step_at(seconds), step);
            assert_eq!((step_at(seconds - 30), step_at(seconds + 30)), (step, step));
            assert_eq!((step_at(seconds - 60), step_at(seconds + 60)), (None, None));
        }
    }

    #[test]
    fn a_code_has_six_digits_and_is_read_as_people_type_it() {
        for text in ["012345", "012 345", " 012-345\n"] {
            assert_eq!(TotpCode::parse(text).unwrap().0, "012345", "{text}");
        }
        for text in ["", "12345", "1234567", "12345a", "１２３４５６", &"1".repeat(1_000)] {
            assert_eq!(TotpCode::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_uri_names_the_service_and_the_account() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        let uri = secret.uri("auth.example.com", "ada@example.com").unwrap();
        let expected = "otpauth://totp/auth.example.com:ada%40example.com?\
                        secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=auth.example.com";
        assert_eq!(uri.as_str(), expected);
        assert_eq!(secret.base32().unwrap().as_str(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(secret.uri("localhost:8000", "a:b").unwrap().contains("localhost%208000:a%20b"));
        assert!(!format!("{secret:?}").contains("GEZ"));
    }
}
