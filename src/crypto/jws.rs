//! JSON Web Signatures in compact form (RFC 7515, section 3.1): parsing, the header, signing, verifying.
//!
//! A parsed token is only well formed. Which type, key and claims are accepted is decided in
//! `access_token` and `refresh_token`.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};

use super::encoding::{base64url, from_base64url};
use super::error::{CryptoError, TokenError};
use crate::clock::Timestamp;

/// Longest token that is parsed. Tokens of this service have a tenth of it.
const MAX_BYTES: usize = 8 * 1024;

/// `typ` of access tokens (RFC 9068, section 2.1).
pub(super) const ACCESS: &str = "at+jwt";

/// `typ` of refresh tokens.
pub(super) const REFRESH: &str = "rt+jwt";

/// JOSE header. Other members, such as `jku` and `jwk`, are ignored.
#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub alg: String,
    #[serde(default)]
    pub kid: Option<String>,
    #[serde(default)]
    pub typ: Option<String>,
    /// Whether `crit` is present: extensions that must be understood (RFC 7515, section 4.1.11). This
    /// service supports none.
    #[serde(default, deserialize_with = "is_present", skip_serializing)]
    pub crit: bool,
}

impl Header {
    /// Whether `typ` is this media type, in any case, with or without `application/` (RFC 7515, section
    /// 4.1.9).
    pub(super) fn has_type(&self, media_type: &str) -> bool {
        const PREFIX: &str = "application/";
        let Some(typ) = self.typ.as_deref() else { return false };
        let typ = match typ.split_at_checked(PREFIX.len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
            _ => typ,
        };
        typ.eq_ignore_ascii_case(media_type)
    }
}

/// True for a member that is present, even with the value `null`, which an `Option` would not tell from
/// an absent one.
pub(super) fn is_present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

/// A `NumericDate` (RFC 7519, section 2). This service issues no token from before 1970.
pub(super) fn numeric_date(seconds: i64) -> Result<Timestamp, TokenError> {
    if seconds < 0 {
        return Err(TokenError::Invalid);
    }
    Ok(Timestamp::from_seconds(seconds))
}

/// Whether the header of a token says that this service issued it.
pub(super) fn says_ours(header: &Header) -> bool {
    header.has_type(ACCESS) || header.has_type(REFRESH)
}

/// A parsed token whose signature is not verified yet.
pub(super) struct Compact<'a> {
    pub header: Header,
    /// The first two segments, which are signed.
    message: &'a str,
    payload: Vec<u8>,
    signature: &'a str,
}

impl<'a> Compact<'a> {
    /// Parses three segments of base64url, the first of which is a JSON object.
    pub(super) fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_BYTES {
            return Err(TokenError::Malformed);
        }
        let read = || {
            let (message, signature) = token.rsplit_once('.')?;
            // A fourth segment would leave a dot in the payload, which base64url does not have.
            let (header, payload) = message.split_once('.')?;
            let header = from_object(&from_base64url(header)?)?;
            let payload = from_base64url(payload)?;
            from_base64url(signature)?;
            Some(Self { header, message, payload, signature })
        };
        read().ok_or(TokenError::Malformed)
    }

    /// Verifies the signature and parses the claims.
    pub(super) fn claims<C: DeserializeOwned>(&self, key: &JwsKey) -> Result<C, TokenError> {
        self.claims_by(&key.public, key.algorithm)
    }

    /// As [`Compact::claims`], with a key that only verifies.
    pub(super) fn claims_by<C: DeserializeOwned>(
        &self,
        key: &DecodingKey,
        algorithm: Algorithm,
    ) -> Result<C, TokenError> {
        if !is_signed(self.message, self.signature, key, algorithm) {
            return Err(TokenError::Invalid);
        }
        from_object(&self.payload).ok_or(TokenError::Invalid)
    }
}

/// Parses a JSON object. serde alone would also take an array of the struct's fields in order.
fn from_object<T: DeserializeOwned>(json: &[u8]) -> Option<T> {
    let is_object = json.trim_ascii_start().starts_with(b"{");
    is_object.then(|| serde_json::from_slice(json).ok()).flatten()
}

/// A key of one algorithm that signs and verifies.
pub(super) struct JwsKey {
    algorithm: Algorithm,
    private: EncodingKey,
    /// The parsed private key of ES256. `jsonwebtoken` parses the key and checks it against its public key
    /// for each signature, which takes longer than the signature.
    pair: Option<EcdsaKeyPair>,
    public: DecodingKey,
}

impl JwsKey {
    /// Makes a key and tests it with one signature, so that a broken key pair, or a library without a
    /// backend, fails when the service starts and not at the first login.
    pub(super) fn new(
        algorithm: Algorithm,
        private: EncodingKey,
        public: DecodingKey,
    ) -> Result<Self, CryptoError> {
        let pair = match algorithm {
            Algorithm::ES256 => {
                let kind = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let pair = EcdsaKeyPair::from_pkcs8(kind, private.as_bytes());
                Some(pair.map_err(|_| CryptoError("key does not match its algorithm"))?)
            }
            _ => None,
        };
        let key = Self { algorithm, private, pair, public };
        let signature = key.signature("proof")?;
        if key.verify("proof", &signature) && !key.verify("another", &signature) {
            Ok(key)
        } else {
            Err(CryptoError("key does not verify its own signature"))
        }
    }

    /// Private key in the encoding of `EncodingKey`: PKCS #8, or `RSAPrivateKey` for RSA.
    pub(super) fn private(&self) -> &[u8] {
        self.private.as_bytes()
    }

    /// Signs a header and claims, serialized in the order of their fields.
    pub(super) fn sign(
        &self,
        header: &Header,
        claims: &impl Serialize,
    ) -> Result<String, CryptoError> {
        const FAILED: CryptoError = CryptoError("encoding a token");
        let header = base64url(serde_json::to_vec(header).map_err(|_| FAILED)?);
        let claims = base64url(serde_json::to_vec(claims).map_err(|_| FAILED)?);
        let message = format!("{header}.{claims}");
        let signature = self.signature(&message)?;
        Ok(format!("{message}.{signature}"))
    }

    pub(super) fn signature(&self, message: &str) -> Result<String, CryptoError> {
        const FAILED: CryptoError = CryptoError("signing");
        let message = message.as_bytes();
        let Some(pair) = &self.pair else {
            let signed = jsonwebtoken::crypto::sign(message, &self.private, self.algorithm);
            return signed.map_err(|_| FAILED);
        };
        pair.sign(&SystemRandom::new(), message).map(base64url).map_err(|_| FAILED)
    }

    fn verify(&self, message: &str, signature: &str) -> bool {
        is_signed(message, signature, &self.public, self.algorithm)
    }
}

fn is_signed(message: &str, signature: &str, key: &DecodingKey, algorithm: Algorithm) -> bool {
    jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, algorithm)
        .is_ok_and(|verified| verified)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(token: &str) -> Option<TokenError> {
        Compact::parse(token).err()
    }

    #[test]
    fn a_text_that_is_not_three_segments_of_base64url_is_malformed() {
        let header = base64url(r#"{"alg":"ES256"}"#);
        assert_eq!(refusal(&format!("{header}.e30.AAAA")), None);
        assert_eq!(refusal(&format!("{header}.e30.")), None);
        let wrong = [
            String::new(),
            "hello".to_owned(),
            "..".to_owned(),
            format!("{header}.e30"),
            format!("{header}.e30.AAAA.AAAA"),
            format!("{header}.e30.AAAA."),
            format!(".{header}.e30.AAAA"),
            format!("{header}=.e30.AAAA"),
            format!("{header}.e3 0.AAAA"),
            format!("{header}.e30.AA/+"),
            format!("{header}.e30.AB"),
            format!(" {header}.e30.AAAA"),
            format!("{header}.{}.AAAA", "A".repeat(MAX_BYTES)),
        ];
        for token in &wrong {
            assert_eq!(refusal(token), Some(TokenError::Malformed), "{token}");
        }
    }

    #[test]
    fn a_header_is_a_json_object_that_names_an_algorithm_once() {
        let headers = [
            "",
            "null",
            "hello",
            "{}",
            r#"{"alg":5}"#,
            r#"{"alg":null}"#,
            r#"["ES256","kid","at+jwt"]"#,
            r#"{"alg":"ES256","kid":7}"#,
            r#"{"alg":"ES256","typ":["at+jwt"]}"#,
            r#"{"alg":"ES256","alg":"none"}"#,
            r#"{"alg":"ES256","typ":"at+jwt","typ":"at+jwt"}"#,
            r#"{"alg":"ES256"} {}"#,
        ];
        for header in headers {
            let token = format!("{}.e30.AAAA", base64url(header));
            assert_eq!(refusal(&token), Some(TokenError::Malformed), "{header}");
        }
        let deep = format!("{}.e30.AAAA", base64url(format!("{{\"x\":{}", "[".repeat(5_000))));
        assert_eq!(refusal(&deep), Some(TokenError::Malformed));
    }

    #[test]
    fn a_type_may_carry_its_prefix_and_any_case() {
        let says = |typ: Option<&str>| {
            let header =
                Header { alg: String::new(), kid: None, typ: typ.map(str::to_owned), crit: false };
            header.has_type(ACCESS)
        };
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
            assert!(says(Some(typ)), "{typ}");
        }
        for typ in ["", "JWT", "rt+jwt", "text/at+jwt", "application/", "at+jwt ", "äapplicationä"]
        {
            assert!(!says(Some(typ)), "{typ}");
        }
        assert!(!says(None));
    }

    #[test]
    fn a_pair_that_does_not_fit_is_not_a_key() {
        let (one, other) = (EncodingKey::from_secret(b"one"), DecodingKey::from_secret(b"other"));
        assert!(JwsKey::new(Algorithm::HS256, one.clone(), other).is_err());
        let other = DecodingKey::from_secret(b"one");
        assert!(JwsKey::new(Algorithm::ES256, one.clone(), other.clone()).is_err());
        assert!(JwsKey::new(Algorithm::HS256, one, other).is_ok());
    }
}
