//! Public keys as JSON Web Keys (RFC 7517).
//!
//! A key's `kid` is its thumbprint (RFC 7638), so that two keys never have the same `kid`.

use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};

use super::algorithm::SigningAlgorithm;
use super::digest::sha256;
use super::encoding::base64url;
use super::error::CryptoError;

/// A public key, with its numbers in base64url.
pub(super) enum PublicKey {
    P256 {
        x: String,
        y: String,
    },
    Ed25519 {
        x: String,
    },
    /// Modulus and exponent.
    Rsa {
        n: String,
        e: String,
    },
}

impl PublicKey {
    /// Parses a point of P-256 in uncompressed form (SEC 1, section 2.3.3).
    pub(super) fn from_point(point: &[u8]) -> Result<Self, CryptoError> {
        match point {
            [4, numbers @ ..] if numbers.len() == 64 => {
                let (x, y) = numbers.split_at(32);
                Ok(Self::P256 { x: base64url(x), y: base64url(y) })
            }
            _ => Err(CryptoError("public key is not a point on P-256")),
        }
    }

    /// The required members, in lexicographic order, as the thumbprint needs them.
    fn required(&self) -> Value {
        match self {
            Self::P256 { x, y } => json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y }),
            Self::Ed25519 { x } => json!({ "crv": "Ed25519", "kty": "OKP", "x": x }),
            Self::Rsa { n, e } => json!({ "e": e, "kty": "RSA", "n": n }),
        }
    }

    /// The thumbprint (RFC 7638, section 3).
    pub(super) fn thumbprint(&self) -> String {
        base64url(sha256(self.required().to_string().as_bytes()))
    }

    /// The JWK as it is published.
    pub(super) fn jwk(&self, algorithm: SigningAlgorithm) -> Value {
        let mut jwk = self.required();
        jwk["alg"] = algorithm.as_str().into();
        jwk["kid"] = self.thumbprint().into();
        jwk["use"] = "sig".into();
        jwk
    }

    pub(super) fn decoding_key(&self) -> Result<DecodingKey, CryptoError> {
        match self {
            Self::P256 { x, y } => DecodingKey::from_ec_components(x, y),
            Self::Ed25519 { x } => DecodingKey::from_ed_components(x),
            Self::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
        }
        .map_err(|_| CryptoError("reading a public key"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rsa_thumbprint_is_that_of_rfc_7638() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc\
                 _BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR\
                 0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTW\
                 hAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = PublicKey::Rsa { n: n.to_owned(), e: "AQAB".to_owned() };
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn an_ed25519_thumbprint_is_that_of_rfc_8037() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned();
        let thumbprint = PublicKey::Ed25519 { x }.thumbprint();
        assert_eq!(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_point_keeps_its_leading_zeros() {
        let mut point = [0; 65];
        point[0] = 4;
        let key = PublicKey::from_point(&point).unwrap();
        let zeros = "A".repeat(43);
        assert_eq!(key.jwk(SigningAlgorithm::Es256)["x"], zeros);
        assert!(PublicKey::from_point(&point[..64]).is_err());
        assert!(PublicKey::from_point(&[2; 33]).is_err());
    }
}
