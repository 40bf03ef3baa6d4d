//! Random tokens of which only a digest is stored: challenge tokens and tokens of links.

use zeroize::Zeroizing;

use super::digest::sha256;
use super::encoding::{base64url, from_base64url};
use crate::entropy::{Entropy, random};
use crate::redacted::redacted_debug;

const BYTES: usize = 32;

/// 256 random bits in base64url, which are 43 characters; or a sealed token, which is longer.
#[derive(Clone)]
pub struct SecretToken(Zeroizing<String>);

redacted_debug!(SecretToken);

/// SHA-256 of a token. The token has too many bits to be found by its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenDigest(pub [u8; 32]);

impl SecretToken {
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let bytes = Zeroizing::new(random::<BYTES>(entropy));
        Self(Zeroizing::new(base64url(bytes.as_slice())))
    }

    /// A sealed token, which has no row.
    #[must_use]
    pub fn sealed(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The token that a client sent; `None` if the text cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        TokenDigest::of(text).map(|_| Self(Zeroizing::new(text.to_owned())))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn digest(&self) -> TokenDigest {
        TokenDigest(sha256(self.0.as_bytes()))
    }
}

impl TokenDigest {
    /// Digest of a token that a client sent; `None` if the text cannot be one.
    #[must_use]
    pub fn of(token: &str) -> Option<Self> {
        let bytes = from_base64url(token)?;
        (bytes.len() == BYTES).then(|| Self(sha256(token.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_token_is_found_by_its_digest_only() {
        let entropy = SeededEntropy::new(1);
        let (one, other) = (SecretToken::generate(&entropy), SecretToken::generate(&entropy));
        assert_eq!(one.as_str().len(), 43);
        assert_eq!(TokenDigest::of(one.as_str()), Some(one.digest()));
        assert_ne!(one.digest(), other.digest());
        for text in ["", "short", &format!("{}=", one.as_str()), &"!".repeat(43), &"A".repeat(44)] {
            assert_eq!(TokenDigest::of(text), None, "{text}");
        }
        assert_eq!(format!("{one:?}"), "SecretToken(…)");
    }
}
