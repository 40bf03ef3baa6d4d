//! Signing algorithms of access tokens, by their names in RFC 7518, section 3.1, and RFC 8037.
//!
//! All are asymmetric: a resource server verifies tokens with a public key, which must not be able to sign.

use crate::domain::words;

words! {
    /// Signing algorithm of access tokens.
    SigningAlgorithm {
        /// ECDSA over P-256: short signatures, and every JWT library supports it.
        Es256 = "ES256",
        /// Ed25519.
        EdDsa = "EdDSA",
        /// RSA with PKCS #1 v1.5 padding and 2048 bits, for resource servers without ES256.
        Rs256 = "RS256",
    }
}

impl SigningAlgorithm {
    pub(super) fn jws(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

/// ES256, which every JWT library supports.
impl Default for SigningAlgorithm {
    fn default() -> Self {
        Self::Es256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symmetric_algorithm_or_none_cannot_be_named() {
        for word in ["HS256", "none", "None", "es256", "PS256", ""] {
            assert_eq!(SigningAlgorithm::parse(word), None, "{word}");
        }
    }

    #[test]
    fn both_names_of_an_algorithm_are_one() {
        for &algorithm in SigningAlgorithm::ALL {
            let word = serde_json::to_value(algorithm.jws()).unwrap();
            assert_eq!(word, algorithm.as_str());
            assert_eq!(SigningAlgorithm::parse(algorithm.as_str()), Some(algorithm));
        }
    }
}
