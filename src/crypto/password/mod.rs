//! Password hashes: Argon2id of this service, and hashes that came from other systems.
//!
//! A new hash is always Argon2id. A hash of another system is verified as that system does, and a right password
//! is [`Verdict::RightButOutdated`], so that a login replaces the hash. Fast hashes (MD5, SHA-1) are wrapped:
//! Argon2id over the digest ([`Hashing::wrap`]). None is stored as it is.
//!
//! A login with an unknown name costs as much as one with a wrong password: callers verify a
//! [`PasswordHash::dummy`] in place of the hash that does not exist. A hash takes tens of milliseconds or more
//! and much memory, so callers run it off the threads that answer requests, and bound how many run at a time.

mod argon2_hash;
mod bcrypt_hash;
mod fast_digest;
mod foreign;
mod foreign_error;
mod hash;
mod hashing;
mod pbkdf2_hash;
mod phc_text;
mod scheme;
mod scrypt_hash;
mod slow_hash;
mod text_fields;
mod wrapped_digest;

pub use foreign::ForeignHash;
pub use foreign_error::ForeignHashError;
pub use hash::PasswordHash;
pub use hashing::{Hashing, HashingError, Verdict};
pub use scheme::PasswordScheme;
#[cfg(test)]
mod foreign_tests;
#[cfg(test)]
mod vector_tests;
