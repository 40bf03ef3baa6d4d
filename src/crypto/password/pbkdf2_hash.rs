//! PBKDF2 hashes of Django and Keycloak (RFC 8018, section 5.2).
//!
//! - Django: `pbkdf2_sha256$ITERATIONS$SALT$BASE64`, also `pbkdf2_sha1`. The output is as long as the digest.
//! - Keycloak: `keycloak-pbkdf2-sha256:ITERATIONS:BASE64:BASE64`, also `-sha1` and `-sha512`; salt, then output,
//!   which may be longer than the digest.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;

use super::foreign_error::ForeignHashError;
use super::text_fields::{base64, decimal, salt, to_base64};

/// Most iterations, those of each block of the output counted: about 4 seconds.
const MAX_ITERATIONS: u32 = 10_000_000;

/// Lengths of Keycloak's outputs in bytes. With fewer bytes other passwords would match as well.
const OUTPUT_LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;

#[derive(Clone)]
pub(super) struct Pbkdf2Hash {
    digest: Digest,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl Digest {
    fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

impl Pbkdf2Hash {
    /// What follows `pbkdf2_sha256$`.
    pub(super) fn parse_django(digest: Digest, text: &str) -> Result<Self, ForeignHashError> {
        let [iterations, salt_text, output] = fields(text, '$')?;
        let output = base64(output)?;
        if output.len() != digest.len() {
            return Err(ForeignHashError::Malformed);
        }
        Self::new(digest, iterations, salt(salt_text)?.into_bytes(), output)
    }

    /// What follows `keycloak-pbkdf2-sha256:`.
    pub(super) fn parse_keycloak(digest: Digest, text: &str) -> Result<Self, ForeignHashError> {
        let [iterations, salt, output] = fields(text, ':')?;
        let (salt, output) = (base64(salt)?, base64(output)?);
        if salt.is_empty() || !OUTPUT_LENGTHS.contains(&output.len()) {
            return Err(ForeignHashError::Malformed);
        }
        Self::new(digest, iterations, salt, output)
    }

    fn new(
        digest: Digest,
        iterations: &str,
        salt: Vec<u8>,
        output: Vec<u8>,
    ) -> Result<Self, ForeignHashError> {
        let iterations = NonZeroU32::new(decimal(iterations)?);
        let iterations = iterations.ok_or(ForeignHashError::Malformed)?;
        let blocks = u32::try_from(output.len().div_ceil(digest.len())).unwrap_or(u32::MAX);
        if iterations.get().saturating_mul(blocks) > MAX_ITERATIONS {
            return Err(ForeignHashError::TooExpensive);
        }
        Ok(Self { digest, iterations, salt, output })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let algorithm = self.digest.algorithm();
        pbkdf2::verify(algorithm, self.iterations, &self.salt, password, &self.output).is_ok()
    }

    pub(super) fn dummy(&self) -> Self {
        Self { salt: vec![0; 16], output: vec![0; self.output.len()], ..self.clone() }
    }

    /// Keycloak's form: Django's has no salts of other bytes than text.
    pub(super) fn text(&self) -> String {
        let (digest, iterations) = (self.digest.word(), self.iterations);
        let (salt, output) = (to_base64(&self.salt), to_base64(&self.output));
        format!("keycloak-pbkdf2-{digest}:{iterations}:{salt}:{output}")
    }
}

fn fields(text: &str, separator: char) -> Result<[&str; 3], ForeignHashError> {
    let fields: Vec<&str> = text.split(separator).collect();
    fields.try_into().map_err(|_| ForeignHashError::Malformed)
}
