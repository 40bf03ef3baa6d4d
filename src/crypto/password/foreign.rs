//! Password hashes as other systems write them.

use super::argon2_hash::ForeignArgon2;
use super::bcrypt_hash::BcryptHash;
use super::fast_digest::{Algorithm, FastHash};
use super::foreign_error::ForeignHashError;
use super::pbkdf2_hash::{Digest, Pbkdf2Hash};
use super::scrypt_hash::ScryptHash;
use super::slow_hash::{Function, SlowHash};
use crate::redacted::redacted_debug;

/// Longest text of a hash in bytes.
const MAX_TEXT: usize = 512;

/// A hash of another system, with parameters within bounds.
///
/// | text | system |
/// | --- | --- |
/// | `pbkdf2_sha256$…`, `pbkdf2_sha1$…`, `argon2$argon2id$…`, `bcrypt$$2b$…`, `bcrypt_sha256$$2b$…`, `scrypt$…` | Django |
/// | `sha1$SALT$…`, `md5$SALT$…`, `sha1$$…`, `md5$$…`, 32 digits | Django; fast, so they are wrapped |
/// | `bcrypt:$2b$…`, also `$2a` and `$2y` | any |
/// | `$argon2id$…` (PHC) | any |
/// | `better-auth-scrypt:SALT:KEY` | better-auth |
/// | `keycloak-pbkdf2-sha256:ITERATIONS:SALT:HASH`, also `-sha1` and `-sha512` | Keycloak |
#[derive(Clone)]
pub struct ForeignHash(Kind);

#[derive(Clone)]
enum Kind {
    Slow(SlowHash),
    Fast(FastHash),
}

impl ForeignHash {
    /// Parses a hash strictly: each text has one reading, and each parameter has a bound.
    pub fn parse(text: &str) -> Result<Self, ForeignHashError> {
        if text.is_empty() || text.starts_with('!') {
            return Err(ForeignHashError::Unusable);
        }
        if text.len() > MAX_TEXT {
            return Err(ForeignHashError::Malformed);
        }
        if let Some(fast) = fast(text) {
            return Ok(Self(Kind::Fast(fast?)));
        }
        Ok(Self(Kind::Slow(SlowHash::new(text, slow(text)?))))
    }

    /// Name of the hasher of a text, for reports: what precedes the first `$` or `:`. `None` if that is no
    /// name.
    #[must_use]
    pub fn hasher_name(text: &str) -> Option<&str> {
        const MAX_NAME: usize = 40;
        let (name, _) = text.split_once(['$', ':'])?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        (!name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(is_name)).then_some(name)
    }

    /// Whether a guess takes less than a microsecond. Such a hash is wrapped before it is stored.
    #[must_use]
    pub fn is_fast(&self) -> bool {
        matches!(self.0, Kind::Fast(_))
    }

    pub(super) fn as_slow(&self) -> Result<&SlowHash, &FastHash> {
        match &self.0 {
            Kind::Slow(hash) => Ok(hash),
            Kind::Fast(hash) => Err(hash),
        }
    }
}

redacted_debug!(ForeignHash);

/// `None` if the text is not of a fast hasher.
fn fast(text: &str) -> Option<Result<FastHash, ForeignHashError>> {
    if let Some((name, rest)) = text.split_once('$') {
        return Some(FastHash::parse(Algorithm::parse(name)?, rest));
    }
    let is_md5 = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_md5.then(|| FastHash::parse_unsalted(Algorithm::Md5, text))
}

fn slow(text: &str) -> Result<Function, ForeignHashError> {
    const UNKNOWN: ForeignHashError = ForeignHashError::UnknownScheme;
    if text.starts_with("$argon2") {
        return ForeignArgon2::parse(text).map(Function::Argon2);
    }
    let (name, rest) = text.split_once(['$', ':']).ok_or(UNKNOWN)?;
    // The separator is part of the name: `scrypt:` is no hasher.
    match text.get(..=name.len()).unwrap_or_default() {
        "argon2$" => {
            let phc = text.get(name.len()..).unwrap_or_default();
            ForeignArgon2::parse(phc).map(Function::Argon2)
        }
        "bcrypt$" | "bcrypt:" => BcryptHash::parse(rest, false).map(Function::Bcrypt),
        "bcrypt_sha256$" => BcryptHash::parse(rest, true).map(Function::Bcrypt),
        "better-auth-scrypt:" => ScryptHash::parse_better_auth(rest).map(Function::Scrypt),
        "crypt$" => Err(ForeignHashError::DesCrypt),
        "keycloak-pbkdf2-sha1:" => keycloak(Digest::Sha1, rest),
        "keycloak-pbkdf2-sha256:" => keycloak(Digest::Sha256, rest),
        "keycloak-pbkdf2-sha512:" => keycloak(Digest::Sha512, rest),
        "pbkdf2_sha1$" => Pbkdf2Hash::parse_django(Digest::Sha1, rest).map(Function::Pbkdf2),
        "pbkdf2_sha256$" => Pbkdf2Hash::parse_django(Digest::Sha256, rest).map(Function::Pbkdf2),
        "scrypt$" => ScryptHash::parse_django(rest).map(Function::Scrypt),
        _ => Err(UNKNOWN),
    }
}

fn keycloak(digest: Digest, text: &str) -> Result<Function, ForeignHashError> {
    Pbkdf2Hash::parse_keycloak(digest, text).map(Function::Pbkdf2)
}
