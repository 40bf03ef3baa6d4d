//! Recovery codes: what lets a user in who has lost the other second factors.
//!
//! A code has 80 random bits, so an ordinary digest of it cannot be tried out. The digest depends on no secret
//! of the service: a code on paper outlives them all.

use super::digest::sha256;
use crate::entropy::{Entropy, random};
use crate::redacted::redacted_debug;

/// Crockford's alphabet: without I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const CHARS: usize = 16;

/// Number of codes that an account gets at once.
pub const CODES: usize = 10;

/// Sixteen characters of Crockford's base32.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode(String);

redacted_debug!(RecoveryCode);

/// SHA-256 of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryCodeDigest(pub [u8; 32]);

impl RecoveryCode {
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let bits =
            random::<10>(entropy).iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let digit = |at: usize| usize::try_from(bits >> (5 * at) & 31).unwrap_or(0);
        Self((0..CHARS).map(|at| char::from(ALPHABET[digit(at)])).collect())
    }

    /// A new set of codes.
    #[must_use]
    pub fn generate_all(entropy: &dyn Entropy) -> [Self; CODES] {
        std::array::from_fn(|_| Self::generate(entropy))
    }

    /// Parses a code as people type it: in any case, with spaces and hyphens, and with the letters that are
    /// easily taken for digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 8 * CHARS {
            return None;
        }
        let mut code = String::with_capacity(CHARS);
        for c in text.chars().filter(|c| !c.is_whitespace() && *c != '-') {
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                c => c,
            };
            if !c.is_ascii() || !ALPHABET.contains(&(c as u8)) {
                return None;
            }
            code.push(c);
        }
        (code.len() == CHARS).then_some(Self(code))
    }

    /// The code as people read it: in fours.
    #[must_use]
    pub fn to_text(&self) -> String {
        let fours: Vec<_> = (0..CHARS).step_by(4).map(|at| &self.0[at..at + 4]).collect();
        fours.join("-")
    }

    #[must_use]
    pub fn digest(&self) -> RecoveryCodeDigest {
        RecoveryCodeDigest(sha256(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let entropy = SeededEntropy::new(1);
        for code in (0..100).map(|_| RecoveryCode::generate(&entropy)) {
            let text = code.to_text();
            assert_eq!((text.len(), text.matches('-').count()), (19, 3), "{text}");
            let lower = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            for typed in [text.clone(), code.0.clone(), lower] {
                assert_eq!(RecoveryCode::parse(&typed).as_ref(), Some(&code), "{typed}");
            }
        }
        for text in ["", "0123", "0123-4567-89AB-CDEU", "0123-4567-89AB-CDEFG", &"0".repeat(500)] {
            assert_eq!(RecoveryCode::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_codes_of_a_set_differ_in_all_their_bits() {
        let codes = RecoveryCode::generate_all(&SeededEntropy::new(2));
        let mut texts: Vec<_> = codes.iter().map(RecoveryCode::to_text).collect();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), CODES);
        for at in 0..CHARS {
            assert!(codes.iter().any(|code| code.0.as_bytes()[at] != codes[0].0.as_bytes()[at]));
        }
    }
}
