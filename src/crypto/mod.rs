//! Secrets and what is made of them: sealed keys, password hashes, signed tokens.
//!
//! Owns every key of the service and all use of the cryptographic libraries. Rule: a library signs,
//! seals and hashes; what a token must say to be believed is decided here, from `now` and from what
//! this service writes itself. `jsonwebtoken` checks signatures and nothing else, because its own
//! validation asks the system clock, forgives a minute, and overlooks `typ`, `crit` and a missing
//! `aud`. No token chooses the algorithm or the key that it is checked with: its `kid` only names
//! one of the service's keys, and the key knows its algorithm.

pub mod access_token;
pub mod algorithm;
pub mod blind_index;
pub mod digest;
pub mod key_pair;
pub mod key_ring;
pub mod password;
pub mod refresh_token;
pub mod secret;

mod hash_memory;
mod jws;
mod public_key;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod hostile_access_tokens;
#[cfg(test)]
mod hostile_refresh_tokens;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Why a token is not accepted. Nothing finer leaves this module: which check failed helps only
/// whoever is forging one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no JWT in compact form, or longer than any of ours.
    #[error("this is not a token")]
    Malformed,
    /// Its signature or one of its claims is wrong.
    #[error("this token is not valid")]
    Invalid,
    /// It was right in every respect and has run out.
    #[error("this token has expired")]
    Expired,
    /// It is a token for something else, such as a refresh token where an access token belongs.
    #[error("this is not the type of token that belongs here")]
    WrongType,
}

/// A cryptographic library did not do its part: a broken key, no memory, or no backend. It never
/// says anything about a password or a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cryptography failed: {0}")]
pub struct CryptoError(&'static str);

/// base64url without padding (RFC 7515, section 2).
fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a base64url text; `None` for any but the canonical spelling.
fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
