//! Stored password hashes.

use zeroize::Zeroizing;

use super::foreign::ForeignHash;
use super::phc_text::PhcText;
use super::scheme::PasswordScheme;
use super::slow_hash::SlowHash;
use super::wrapped_digest::WrappedDigest;
use crate::domain::password::Password;
use crate::domain::typed_password::TypedPassword;
use crate::redacted::redacted_debug;

/// A stored hash, of this service or of another system.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PasswordHash(Kind);

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Own(PhcText),
    Wrapped(WrappedDigest),
    Foreign(SlowHash),
}

impl PasswordHash {
    /// Parses a stored hash. `None` if it is not a complete hash of the scheme, or a foreign one beyond the
    /// bounds.
    #[must_use]
    pub fn parse(scheme: PasswordScheme, text: &str) -> Option<Self> {
        match scheme {
            PasswordScheme::Argon2id => PhcText::parse(text).map(Self::own),
            PasswordScheme::WrappedDigest => WrappedDigest::parse(text).map(Self::wrapped),
            PasswordScheme::Argon2
            | PasswordScheme::Bcrypt
            | PasswordScheme::Pbkdf2
            | PasswordScheme::Scrypt => {
                let foreign = ForeignHash::parse(text).ok()?;
                let hash = foreign.as_slow().ok().filter(|hash| hash.scheme() == scheme)?;
                Some(Self::foreign(hash.clone()))
            }
        }
    }

    pub(super) fn own(hash: PhcText) -> Self {
        Self(Kind::Own(hash))
    }

    pub(super) fn wrapped(hash: WrappedDigest) -> Self {
        Self(Kind::Wrapped(hash))
    }

    pub(super) fn foreign(hash: SlowHash) -> Self {
        Self(Kind::Foreign(hash))
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.0
    }

    /// The text that [`PasswordHash::parse`] reads.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Kind::Own(hash) => hash.as_str(),
            Kind::Wrapped(hash) => hash.as_str(),
            Kind::Foreign(hash) => hash.as_str(),
        }
    }

    /// Algorithm that verifies a password against this hash.
    #[must_use]
    pub fn scheme(&self) -> PasswordScheme {
        match &self.0 {
            Kind::Own(_) => PasswordScheme::Argon2id,
            Kind::Wrapped(_) => PasswordScheme::WrappedDigest,
            Kind::Foreign(hash) => hash.scheme(),
        }
    }

    /// A hash with the same scheme and parameters that no known password has. Verifying it takes as long.
    #[must_use]
    pub fn dummy(&self) -> Self {
        Self(match &self.0 {
            Kind::Own(hash) => Kind::Own(hash.dummy()),
            Kind::Wrapped(hash) => Kind::Wrapped(hash.dummy()),
            Kind::Foreign(hash) => Kind::Foreign(hash.dummy()),
        })
    }

    /// Memory in bytes that a verification takes beyond what hashes of this service take.
    #[must_use]
    pub fn foreign_memory(&self) -> u64 {
        match &self.0 {
            Kind::Own(_) | Kind::Wrapped(_) => 0,
            Kind::Foreign(hash) => hash.memory(),
        }
    }

    /// How often a wrong password is hashed: in each form that the hash may be of.
    #[must_use]
    pub fn tries(&self, password: &TypedPassword) -> usize {
        self.forms(password).len().max(1)
    }

    /// Forms of a password to try, in this order.
    pub(super) fn forms(&self, password: &TypedPassword) -> Vec<Zeroizing<String>> {
        match &self.0 {
            Kind::Own(_) => password.password().map(Password::into_text).into_iter().collect(),
            Kind::Wrapped(_) => password.as_typed_and_nfc(),
            Kind::Foreign(hash) => hash.forms(password),
        }
    }
}

redacted_debug!(PasswordHash);
