//! The algorithms that access tokens are signed with.
//!
//! Rule: asymmetric ones only, by the names of RFC 7518, section 3.1, and RFC 8037. A resource
//! server checks tokens with a public key, and a public key must never be able to make one.

use crate::domain::words;

words! {
    /// How access tokens are signed.
    SigningAlgorithm {
        /// ECDSA over P-256: small, and every JWT library has it.
        Es256 = "ES256",
        /// Ed25519.
        EdDsa = "EdDSA",
        /// RSA with PKCS #1 v1.5 padding and 2048 bits, for what knows nothing newer.
        Rs256 = "RS256",
    }
}

impl SigningAlgorithm {
    /// The same in the words of the library.
    pub(super) fn jws(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

/// What an operator configures without saying so.
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
