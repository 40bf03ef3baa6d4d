//! One-time codes of eight digits, and the keyed digests by which they are stored.
//!
//! A code has so few digits that a plain digest of it could be tried out by anybody who has the rows. So it is
//! stored as an HMAC with a key that is derived from the master secret, together with the ID of its challenge.
//! Codes live for minutes: while the master secret is replaced, both secrets' keys are tried.

use aws_lc_rs::hmac;

use super::error::CryptoError;
use super::secret::MasterSecrets;
use crate::entropy::{Entropy, random};
use crate::redacted::redacted_debug;

const DIGITS: usize = 8;

/// Number of codes.
const CODES: u32 = 100_000_000;

/// Eight decimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeCode(String);

redacted_debug!(OneTimeCode);

/// First half of the HMAC-SHA-256 of a challenge and a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeMac(pub [u8; 16]);

impl OneTimeCode {
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        // Numbers above the last multiple of the number of codes would make some codes more likely.
        const BOUND: u32 = u32::MAX - u32::MAX % CODES;
        loop {
            let number = u32::from_be_bytes(random(entropy));
            if number < BOUND {
                return Self(format!("{:0DIGITS$}", number % CODES));
            }
        }
    }

    /// Parses a code as people type it, with spaces and hyphens between the digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 4 * DIGITS {
            return None;
        }
        let is_digit = |c: &char| c.is_ascii_digit();
        let is_between = |c: char| c.is_whitespace() || c == '-';
        if !text.chars().all(|c| is_digit(&c) || is_between(c)) {
            return None;
        }
        let digits: String = text.chars().filter(is_digit).collect();
        (digits.len() == DIGITS).then_some(Self(digits))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Keys of the digests, of the current master secret first.
pub struct CodeKeys {
    current: hmac::Key,
    older: Option<hmac::Key>,
}

redacted_debug!(CodeKeys);

impl CodeKeys {
    pub fn derive(secrets: &MasterSecrets) -> Result<Self, CryptoError> {
        let key = |secret: &super::secret::MasterSecret| {
            let key = secret.derive("one-time code v1")?;
            Ok::<_, CryptoError>(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
        };
        let mut secrets = secrets.iter();
        let current = secrets.next().ok_or(CryptoError("no master secret"))?;
        Ok(Self { current: key(current)?, older: secrets.next().map(key).transpose()? })
    }

    /// The digest to store.
    #[must_use]
    pub fn mac(&self, challenge: &[u8; 16], code: &OneTimeCode) -> CodeMac {
        mac(&self.current, challenge, code)
    }

    /// The digests that a stored one may be, twice the same without an older secret.
    #[must_use]
    pub fn macs(&self, challenge: &[u8; 16], code: &OneTimeCode) -> [CodeMac; 2] {
        let older = self.older.as_ref().unwrap_or(&self.current);
        [self.mac(challenge, code), mac(older, challenge, code)]
    }
}

fn mac(key: &hmac::Key, challenge: &[u8; 16], code: &OneTimeCode) -> CodeMac {
    let mut context = hmac::Context::with_key(key);
    context.update(challenge);
    context.update(code.0.as_bytes());
    let mut mac = [0; 16];
    mac.copy_from_slice(&context.sign().as_ref()[..16]);
    CodeMac(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    const OLD: &str = "0123456789abcdefghijklmnopqrstuv";
    const NEW: &str = "ZYXWVUTSRQPONMLKJIHGFEDCBA987654";

    fn keys(secrets: &str) -> CodeKeys {
        CodeKeys::derive(&MasterSecrets::parse(secrets).unwrap()).unwrap()
    }

    #[test]
    fn a_code_has_eight_digits_and_is_read_as_people_type_it() {
        let entropy = SeededEntropy::new(1);
        for _ in 0..1_000 {
            let code = OneTimeCode::generate(&entropy);
            assert_eq!(OneTimeCode::parse(code.as_str()), Some(code));
        }
        for text in ["0123 4567", " 01234567\n", "0123-4567", "0 1 2 3 4 5 6 7"] {
            assert_eq!(OneTimeCode::parse(text).unwrap().as_str(), "01234567", "{text}");
        }
        for text in ["", "1234567", "123456789", "1234567a", "１２３４５６７８", "1234.5678"]
        {
            assert_eq!(OneTimeCode::parse(text), None, "{text}");
        }
        let many = "1".repeat(1_000);
        assert_eq!(OneTimeCode::parse(&many), None);
    }

    #[test]
    fn first_digits_are_equally_likely() {
        let entropy = SeededEntropy::new(2);
        let mut counts = [0_u32; 10];
        for _ in 0..10_000 {
            let first = OneTimeCode::generate(&entropy).0.as_bytes()[0] - b'0';
            counts[usize::from(first)] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_digest_is_bound_to_its_challenge_and_survives_a_change_of_the_secret() {
        let code = OneTimeCode::parse("01234567").unwrap();
        let (old, both) = (keys(OLD), keys(&format!("{NEW},{OLD}")));
        let stored = old.mac(&[1; 16], &code);
        assert!(both.macs(&[1; 16], &code).contains(&stored));
        assert!(!both.macs(&[2; 16], &code).contains(&stored));
        assert!(!keys(NEW).macs(&[1; 16], &code).contains(&stored));
        assert_eq!(old.macs(&[1; 16], &code), [stored; 2]);
        assert_eq!(format!("{both:?} {code:?}"), "CodeKeys(…) OneTimeCode(…)");
    }
}
