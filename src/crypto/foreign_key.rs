//! Keys of another system's tokens: a shared secret, or a public key in PEM. They only verify.

use jsonwebtoken::{Algorithm, DecodingKey};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::domain::words;
use crate::redacted::redacted_debug;

words! {
    /// Signature algorithm of another system's tokens (RFC 7518, section 3.1; RFC 8037).
    ForeignAlgorithm {
        Hs256 = "HS256",
        Hs384 = "HS384",
        Hs512 = "HS512",
        Rs256 = "RS256",
        Rs384 = "RS384",
        Rs512 = "RS512",
        Es256 = "ES256",
        Es384 = "ES384",
        EdDsa = "EdDSA",
    }
}

impl ForeignAlgorithm {
    /// Whether the key that verifies is a secret, which signs, too.
    #[must_use]
    pub fn has_secret(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    fn of_jwt(self) -> Algorithm {
        match self {
            Self::Hs256 => Algorithm::HS256,
            Self::Hs384 => Algorithm::HS384,
            Self::Hs512 => Algorithm::HS512,
            Self::Rs256 => Algorithm::RS256,
            Self::Rs384 => Algorithm::RS384,
            Self::Rs512 => Algorithm::RS512,
            Self::Es256 => Algorithm::ES256,
            Self::Es384 => Algorithm::ES384,
            Self::EdDsa => Algorithm::EdDSA,
        }
    }

    /// The algorithm of the public key (RFC 3279, RFC 5480, RFC 8410), and its curve where it has one.
    fn public_key(self) -> Option<(&'static str, Option<&'static str>)> {
        const RSA: &str = "1.2.840.113549.1.1.1";
        const ELLIPTIC_CURVE: &str = "1.2.840.10045.2.1";
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => None,
            Self::Rs256 | Self::Rs384 | Self::Rs512 => Some((RSA, None)),
            Self::Es256 => Some((ELLIPTIC_CURVE, Some("1.2.840.10045.3.1.7"))),
            Self::Es384 => Some((ELLIPTIC_CURVE, Some("1.3.132.0.34"))),
            Self::EdDsa => Some(("1.3.101.112", None)),
        }
    }
}

/// A key of one algorithm.
#[derive(Clone)]
pub struct ForeignKey {
    pub(super) algorithm: ForeignAlgorithm,
    key: DecodingKey,
}

redacted_debug!(ForeignKey);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignKeyError {
    /// An empty or very short secret can be guessed from one token.
    #[error("the secret has fewer than 16 bytes")]
    ShortSecret,
    /// Everybody has the public key, and would sign with it as if it were the secret.
    #[error(
        "the file is a key in PEM, and the algorithm takes a secret; set algorithm as in the other system"
    )]
    PemAsSecret,
    #[error("the file is not a public key in PEM (-----BEGIN PUBLIC KEY-----)")]
    NoPublicKey,
    #[error("the public key is not of this algorithm")]
    AnotherAlgorithm,
}

/// What a key in PEM begins with (RFC 7468, section 2).
const PEM: &[u8] = b"-----BEGIN ";

impl ForeignKey {
    const MIN_SECRET: usize = 16;

    /// Parses the content of a key file: for HS256 and its siblings the secret, where a line end at the end does
    /// not count; else a public key in PEM (RFC 7468, section 13).
    pub fn parse(algorithm: ForeignAlgorithm, content: &[u8]) -> Result<Self, ForeignKeyError> {
        let Some((kind, curve)) = algorithm.public_key() else {
            if content.windows(PEM.len()).any(|part| part == PEM) {
                return Err(ForeignKeyError::PemAsSecret);
            }
            let secret = content.strip_suffix(b"\n").unwrap_or(content);
            let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
            if secret.len() < Self::MIN_SECRET {
                return Err(ForeignKeyError::ShortSecret);
            }
            return Ok(Self { algorithm, key: DecodingKey::from_secret(secret) });
        };
        let der = SubjectPublicKeyInfoDer::from_pem_slice(content);
        let der = der.map_err(|_| ForeignKeyError::NoPublicKey)?;
        let info = SubjectPublicKeyInfoRef::try_from(der.as_ref());
        let info = info.map_err(|_| ForeignKeyError::NoPublicKey)?;
        let is = |found: ObjectIdentifier, name: &str| {
            ObjectIdentifier::new(name).is_ok_and(|known| known == found)
        };
        let has_curve = |curve| {
            let found = info.algorithm.parameters_oid();
            found.is_ok_and(|found| is(found, curve))
        };
        if !is(info.algorithm.oid, kind) || !curve.is_none_or(has_curve) {
            return Err(ForeignKeyError::AnotherAlgorithm);
        }
        let bytes = info.subject_public_key.as_bytes().ok_or(ForeignKeyError::NoPublicKey)?;
        let key = match algorithm {
            ForeignAlgorithm::Es256 | ForeignAlgorithm::Es384 => DecodingKey::from_ec_der(bytes),
            ForeignAlgorithm::EdDsa => DecodingKey::from_ed_der(bytes),
            _ => DecodingKey::from_rsa_der(bytes),
        };
        Ok(Self { algorithm, key })
    }

    pub(super) fn parts(&self) -> (&DecodingKey, Algorithm) {
        (&self.key, self.algorithm.of_jwt())
    }
}
