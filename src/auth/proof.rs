//! Proof that a caller is a user: the argument of [`Sessions::open`](super::sessions::Sessions).
//!
//! Each method of login has one variant. The module that checks the method makes the variant's payload,
//! whose fields are private to it. A module that makes proofs does not open sessions, and a session
//! cannot be opened without a proof; a test holds both. A passkey or another provider would be a further
//! variant, made in a module of its own beside `passwords` and `challenges`.

use super::challenges::EmailProof;
use super::passwords::{Registration, VerifiedPassword};
use super::policy::Policy;
use crate::clock::Timestamp;
use crate::domain::audit::AuditKind;
use crate::domain::authentication::{Authentication, Method, Methods};
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::store::Grounds;

/// Evidence that the caller is this user.
#[derive(Debug)]
pub(super) enum Proof {
    /// The account's password, which was right a moment ago.
    Password(VerifiedPassword),
    /// An account that is created together with its first session.
    Registration(Registration),
    /// A code or a link of a mail to the account's address.
    Email(EmailProof),
}

/// Whether a proof is enough to open a session of its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sufficiency {
    Enough,
    /// The address has to be verified first.
    NeedsEmail,
}

impl Proof {
    pub(super) fn user_id(&self) -> UserId {
        match self {
            Self::Password(password) => password.user_id(),
            Self::Registration(registration) => registration.user_id(),
            Self::Email(email) => email.user_id(),
        }
    }

    /// Conditions that the store checks in the transaction that opens the session.
    pub(super) fn grounds(&self, at: Timestamp, origin: &Origin) -> Grounds {
        match self {
            Self::Password(password) => password.grounds(),
            Self::Registration(registration) => registration.grounds(),
            Self::Email(email) => email.grounds(at, origin),
        }
    }

    /// What it shows.
    pub(super) fn shown(&self, at: Timestamp) -> Authentication {
        let methods = match self {
            Self::Password(_) | Self::Registration(_) => Methods::of(&[Method::Password]),
            Self::Email(email) => email.methods(),
        };
        Authentication::single(methods, at)
    }

    /// Event of the session that it opens.
    pub(super) fn event(&self) -> AuditKind {
        match self {
            Self::Password(_) | Self::Email(_) => AuditKind::LoginSucceeded,
            Self::Registration(_) => AuditKind::Registered,
        }
    }

    /// The policy between a proof and a session: what the account still has to show. Every way in ends here,
    /// so that none can forget it.
    pub(super) fn sufficiency(&self, policy: &Policy) -> Sufficiency {
        // Whatever the policy is by now: the account would else have a session without its address.
        if let Self::Password(password) = self
            && password.awaits_email().is_some()
        {
            return Sufficiency::NeedsEmail;
        }
        if !policy.refuse_unverified_email {
            return Sufficiency::Enough;
        }
        let needs_email = match self {
            Self::Password(password) => password.has_unverified_email(),
            Self::Registration(_) => true,
            // It verifies the address.
            Self::Email(_) => false,
        };
        if needs_email { Sufficiency::NeedsEmail } else { Sufficiency::Enough }
    }
}
