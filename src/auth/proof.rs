//! Proof that a caller is a user: the argument of [`Sessions::open`](super::sessions::Sessions).
//!
//! Each method of login has one variant. The module that checks the method makes the variant's payload,
//! whose fields are private to it. A module that makes proofs does not open sessions, and a session
//! cannot be opened without a proof; a test holds both. A magic link, a passkey or another provider would
//! be a further variant, made in a module of its own beside `passwords`.

use super::passwords::{Registration, VerifiedPassword};
use crate::domain::id::UserId;
use crate::store::Grounds;

/// Evidence that the caller is this user.
#[derive(Debug)]
pub(super) enum Proof {
    /// The account's password, which was right a moment ago.
    Password(VerifiedPassword),
    /// An account that is created together with its first session.
    Registration(Registration),
}

/// Whether a proof is enough to open a session of its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sufficiency {
    Enough,
}

impl Proof {
    pub(super) fn user_id(&self) -> UserId {
        match self {
            Self::Password(password) => password.user_id(),
            Self::Registration(registration) => registration.user_id(),
        }
    }

    /// Conditions that the store checks in the transaction that opens the session.
    pub(super) fn grounds(&self) -> Grounds {
        match self {
            Self::Password(password) => password.grounds(),
            Self::Registration(registration) => registration.grounds(),
        }
    }

    /// The policy between a proof and a session. There is one factor, so each proof is enough; an account
    /// with a second factor will be asked for it here.
    pub(super) fn sufficiency(&self) -> Sufficiency {
        match self {
            Self::Password(_) | Self::Registration(_) => Sufficiency::Enough,
        }
    }
}
