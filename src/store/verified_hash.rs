//! Condition that an account has the password that was verified a moment ago.

use crate::clock::Timestamp;
use crate::crypto::password::{PasswordHash, PasswordScheme};

/// A hash that a password was verified with, and when the account's password was last changed then.
///
/// A hash of another system that was verified holds as long as the password is the same: also after another login
/// has replaced it by one of this service, which changes no password. So first logins at the same time all
/// succeed.
#[derive(Clone, Debug)]
pub struct VerifiedHash {
    hash: PasswordHash,
    changed_at: Option<Timestamp>,
}

impl VerifiedHash {
    #[must_use]
    pub fn new(hash: PasswordHash, changed_at: Option<Timestamp>) -> Self {
        Self { hash, changed_at }
    }

    pub(in crate::store) fn as_str(&self) -> &str {
        self.hash.as_str()
    }

    /// Scheme of a hash that may have replaced it.
    pub(in crate::store) fn replaced_by(&self) -> Option<&'static str> {
        let own = PasswordScheme::Argon2id;
        (self.hash.scheme() != own).then_some(own.as_str())
    }

    pub(in crate::store) fn changed_at(&self) -> Option<i64> {
        self.changed_at.map(Timestamp::as_micros)
    }
}

/// Condition that an account's password is the one that was verified: the hash, [`VerifiedHash::replaced_by`] and
/// [`VerifiedHash::changed_at`].
macro_rules! is_verified {
    ($hash:literal, $replaced_by:literal, $changed_at:literal) => {
        concat!(
            "(hash = ",
            $hash,
            " OR scheme = ",
            $replaced_by,
            " AND changed_at IS NOT DISTINCT FROM ",
            $changed_at,
            ")"
        )
    };
}
pub(in crate::store) use is_verified;
