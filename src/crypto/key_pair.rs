//! Key pairs that access tokens are signed with.
//!
//! The private key leaves this module only sealed, bound to the key's `kid` and algorithm. A key that was
//! generated or loaded has been tested with one signature.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
    RsaPublicKeyComponents,
};
use jsonwebtoken::EncodingKey;
use serde::Serialize;
use serde_json::Value;

use super::algorithm::SigningAlgorithm;
use super::encoding::base64url;
use super::error::CryptoError;
use super::jws::{Header, JwsKey};
use super::public_key::PublicKey;
use super::secret::MasterSecrets;
use crate::entropy::Entropy;

pub struct KeyPair {
    kid: String,
    algorithm: SigningAlgorithm,
    public_jwk: Value,
    pair: JwsKey,
}

/// A key that was stored.
#[derive(Debug)]
pub struct UnsealedKey {
    pub key: KeyPair,
    /// Whether an older secret sealed it, so that it has to be sealed again.
    pub is_outdated: bool,
}

impl KeyPair {
    /// Generates a key pair with the cryptographic library's own randomness.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, CryptoError> {
        const FAILED: CryptoError = CryptoError("generating a key");
        match algorithm {
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
                let der = pair.and_then(|pair| pair.to_pkcs8v1()).map_err(|_| FAILED)?;
                Self::from_der(algorithm, der.as_ref())
            }
            SigningAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate();
                let der = pair.and_then(|pair| pair.to_pkcs8()).map_err(|_| FAILED)?;
                Self::from_der(algorithm, der.as_ref())
            }
            SigningAlgorithm::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048);
                let der = pair.and_then(|pair| pair.as_der()).map_err(|_| FAILED)?;
                Self::from_der(algorithm, rsa_private_key(der.as_ref()).ok_or(FAILED)?)
            }
        }
    }

    /// Parses the encoding that `EncodingKey` takes: PKCS #8, or `RSAPrivateKey` for RSA.
    fn from_der(algorithm: SigningAlgorithm, der: &[u8]) -> Result<Self, CryptoError> {
        const FAILED: CryptoError = CryptoError("reading a private key");
        let (public, private) = match algorithm {
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der);
                let pair = pair.map_err(|_| FAILED)?;
                let public = PublicKey::from_point(pair.public_key().as_ref())?;
                (public, EncodingKey::from_ec_der(der))
            }
            SigningAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| FAILED)?;
                let public = PublicKey::Ed25519 { x: base64url(pair.public_key()) };
                (public, EncodingKey::from_ed_der(der))
            }
            SigningAlgorithm::Rs256 => {
                let pair = RsaKeyPair::from_der(der).map_err(|_| FAILED)?;
                let numbers = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                let public = PublicKey::Rsa { n: base64url(numbers.n), e: base64url(numbers.e) };
                (public, EncodingKey::from_rsa_der(der))
            }
        };
        let pair = JwsKey::new(algorithm.jws(), private, public.decoding_key()?)?;
        let public_jwk = public.jwk(algorithm);
        Ok(Self { kid: public.thumbprint(), algorithm, public_jwk, pair })
    }

    /// The sealed private key, for storing.
    pub fn to_sealed(
        &self,
        secrets: &MasterSecrets,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        secrets.seal(&context(&self.kid, self.algorithm), self.pair.private(), entropy)
    }

    /// The key of a stored row. `None` if no secret opens it, or if it is not the key with this `kid`.
    #[must_use]
    pub fn from_sealed(
        secrets: &MasterSecrets,
        kid: &str,
        algorithm: SigningAlgorithm,
        sealed: &[u8],
    ) -> Option<UnsealedKey> {
        let opened = secrets.open(&context(kid, algorithm), sealed)?;
        let key = Self::from_der(algorithm, &opened.plain).ok()?;
        (key.kid == kid).then_some(UnsealedKey { key, is_outdated: !opened.by_current })
    }

    /// Thumbprint of the public key (RFC 7638).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    #[must_use]
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// Public key (RFC 7517).
    #[must_use]
    pub fn public_jwk(&self) -> &Value {
        &self.public_jwk
    }

    pub(super) fn pair(&self) -> &JwsKey {
        &self.pair
    }

    /// Signs a token with this `typ` and these claims.
    pub(super) fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, CryptoError> {
        let header = Header {
            alg: self.algorithm.as_str().to_owned(),
            kid: Some(self.kid.clone()),
            typ: Some(typ.to_owned()),
            crit: false,
        };
        self.pair.sign(&header, claims)
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("KeyPair");
        debug.field("kid", &self.kid).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Context that a sealed key is bound to.
fn context(kid: &str, algorithm: SigningAlgorithm) -> String {
    format!("signing key {} {kid}", algorithm.as_str())
}

/// The `RSAPrivateKey` (RFC 8017, appendix A.1.2) inside a PKCS #8 document (RFC 5958, section 2) of a key
/// of 2048 bits. aws-lc-rs exports PKCS #8 only, and `EncodingKey::from_rsa_der` takes `RSAPrivateKey` only.
/// The fields before it always have 26 bytes, of which the last four are its tag and length.
fn rsa_private_key(pkcs8: &[u8]) -> Option<&[u8]> {
    let (head, key) = pkcs8.split_at_checked(26)?;
    let [.., 0x04, 0x82, high, low] = *head else { return None };
    (usize::from(u16::from_be_bytes([high, low])) == key.len()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::test_fixtures;
    use crate::entropy::SeededEntropy;

    fn secrets(text: &str) -> MasterSecrets {
        MasterSecrets::parse(text).unwrap()
    }

    const OLD: &str = "0123456789abcdefghijklmnopqrstuv";
    const NEW: &str = "ZYXWVUTSRQPONMLKJIHGFEDCBA987654";

    #[test]
    fn a_key_of_every_algorithm_comes_back_out_of_its_seal() {
        let secrets = secrets(NEW);
        for key in test_fixtures::keys() {
            let sealed = key.to_sealed(&secrets, &SeededEntropy::new(1)).unwrap();
            let unsealed =
                KeyPair::from_sealed(&secrets, key.kid(), key.algorithm(), &sealed).unwrap();
            assert!(!unsealed.is_outdated);
            assert_eq!(unsealed.key.public_jwk(), key.public_jwk());
        }
    }

    #[test]
    fn a_seal_is_bound_to_the_keys_name_and_algorithm() {
        let (secrets, [key, other, _]) = (secrets(NEW), test_fixtures::keys());
        let sealed = key.to_sealed(&secrets, &SeededEntropy::new(1)).unwrap();
        let open = |kid: &str, algorithm| KeyPair::from_sealed(&secrets, kid, algorithm, &sealed);
        assert!(open(key.kid(), key.algorithm()).is_some());
        assert!(open(other.kid(), key.algorithm()).is_none());
        assert!(open(key.kid(), other.algorithm()).is_none());
        // Sealed under the `kid` of another key: the thumbprint does not match.
        let context = context(other.kid(), key.algorithm());
        let entropy = SeededEntropy::new(2);
        let swapped = secrets.seal(&context, key.pair.private(), &entropy).unwrap();
        assert!(KeyPair::from_sealed(&secrets, other.kid(), key.algorithm(), &swapped).is_none());
    }

    #[test]
    fn a_key_under_the_older_secret_asks_to_be_sealed_anew() {
        let (old, both) = (secrets(OLD), secrets(&format!("{NEW},{OLD}")));
        let [key, ..] = test_fixtures::keys();
        let sealed = key.to_sealed(&old, &SeededEntropy::new(1)).unwrap();
        let open = |sealed: &[u8]| KeyPair::from_sealed(&both, key.kid(), key.algorithm(), sealed);
        let unsealed = open(&sealed).unwrap();
        assert!(unsealed.is_outdated);
        let sealed = unsealed.key.to_sealed(&both, &SeededEntropy::new(2)).unwrap();
        assert!(!open(&sealed).unwrap().is_outdated);
    }

    #[test]
    fn only_public_members_are_published() {
        let expected = ["alg,crv,kid,kty,use,x,y", "alg,crv,kid,kty,use,x", "alg,e,kid,kty,n,use"];
        for (key, expected) in test_fixtures::keys().iter().zip(expected) {
            let jwk = key.public_jwk().as_object().unwrap();
            let mut members: Vec<&str> = jwk.keys().map(String::as_str).collect();
            members.sort_unstable();
            assert_eq!(members.join(","), expected);
            assert_eq!(jwk["kid"], key.kid());
            assert_eq!(jwk["alg"], key.algorithm().as_str());
            assert_eq!(jwk["use"], "sig");
        }
    }

    #[test]
    fn a_private_key_is_not_printed() {
        let [key, ..] = test_fixtures::keys();
        let expected = format!("KeyPair {{ kid: {:?}, algorithm: Es256, .. }}", key.kid());
        assert_eq!(format!("{key:?}"), expected);
    }
}
