//! Proof that a caller is a user: the argument of [`Sessions::open`](super::sessions::Sessions).
//!
//! Each method of login has one variant. The module that checks the method makes the variant's payload,
//! whose fields are private to it. A module that makes proofs does not open sessions, and a session
//! cannot be opened without a proof; a test holds both. Another provider would be a further variant, made in a
//! module of its own beside `passwords`, `challenges` and `factors`.

use super::challenges::EmailProof;
use super::factors::{EnrollmentProof, PasskeyProof, SecondStepProof};
use super::foreign_tokens::ForeignTokenProof;
use super::passwords::{Registration, VerifiedPassword};
use super::policy::Policy;
use crate::clock::Timestamp;
use crate::domain::audit::AuditKind;
use crate::domain::authentication::{Authentication, Method, Methods};
use crate::domain::challenge::LoginStep;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::user::{Role, User};
use crate::store::{Factors, FactorsMark, Grounds, PasswordMark};

/// Evidence that the caller is this user.
#[derive(Debug)]
pub(super) enum Proof {
    /// The account's password, which was right a moment ago.
    Password(Box<VerifiedPassword>),
    /// An account that is created together with its first session.
    Registration(Box<Registration>),
    /// A code or a link of a mail to the account's address.
    Email(Box<EmailProof>),
    /// A passkey, which is two factors in one.
    Passkey(Box<PasskeyProof>),
    /// A refresh token of another system, in which the user logged in.
    ForeignToken(Box<ForeignTokenProof>),
    /// A second factor, after one of the first three.
    SecondStep(Box<SecondStepProof>),
    /// A second factor that is added, after one of the first three.
    Enrollment(Box<EnrollmentProof>),
}

/// Whether a proof is enough to open a session of its account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sufficiency {
    Enough,
    /// A code by mail: the address has to be verified first, or an administrator removed all second factors.
    NeedsEmail,
    /// One of these.
    NeedsFactor(Vec<LoginStep>),
    /// A second factor has to be added.
    NeedsEnrollment,
}

impl Proof {
    pub(super) fn user_id(&self) -> UserId {
        match self {
            Self::Password(password) => password.user_id(),
            Self::Registration(registration) => registration.user_id(),
            Self::Email(email) => email.user_id(),
            Self::Passkey(passkey) => passkey.user().id,
            Self::ForeignToken(token) => token.user_id(),
            Self::SecondStep(step) => step.user_id(),
            Self::Enrollment(enrollment) => enrollment.user().id,
        }
    }

    /// Conditions that the store checks in the transaction that opens the session.
    pub(super) fn grounds(&self, at: Timestamp, origin: &Origin) -> Grounds {
        match self {
            Self::Password(password) => password.grounds(),
            Self::Registration(registration) => registration.grounds(),
            Self::Email(email) => email.grounds(at, origin),
            Self::Passkey(passkey) => passkey.grounds(),
            Self::ForeignToken(token) => token.grounds(at),
            Self::SecondStep(step) => step.grounds(at, origin),
            Self::Enrollment(enrollment) => enrollment.grounds(at, origin),
        }
    }

    /// What it shows.
    pub(super) fn shown(&self, at: Timestamp) -> Authentication {
        let methods = match self {
            Self::Password(_) | Self::Registration(_) => Methods::of(&[Method::Password]),
            Self::Email(email) => email.methods(),
            Self::Passkey(passkey) => return passkey.shown(at),
            Self::ForeignToken(token) => return token.shown(),
            Self::SecondStep(step) => return step.shown(at),
            Self::Enrollment(enrollment) => return enrollment.shown(at),
        };
        Authentication::single(methods, at)
    }

    /// Event of the session that it opens.
    pub(super) fn event(&self) -> AuditKind {
        match self {
            Self::Registration(_) => AuditKind::Registered,
            Self::ForeignToken(_) => AuditKind::TokenExchanged,
            _ => AuditKind::LoginSucceeded,
        }
    }

    /// The account, where the proof has read it.
    pub(super) fn user(&self) -> Option<&User> {
        match self {
            Self::Password(password) => Some(password.user()),
            Self::Passkey(passkey) => Some(passkey.user()),
            Self::SecondStep(step) => Some(step.user()),
            Self::Enrollment(enrollment) => Some(enrollment.user()),
            Self::Registration(_) | Self::Email(_) | Self::ForeignToken(_) => None,
        }
    }

    /// The mark of the second factors by which the proof is judged. The transaction that opens the session
    /// compares it.
    pub(super) fn factors(&self) -> Option<FactorsMark> {
        match self {
            Self::Password(password) => password.factors(),
            Self::Email(email) => email.factors(),
            Self::Registration(_)
            | Self::Passkey(_)
            | Self::ForeignToken(_)
            | Self::SecondStep(_)
            | Self::Enrollment(_) => None,
        }
    }

    /// The mark of the password that the transaction compares, for a device that is trusted by it.
    pub(super) fn password(&self) -> Option<PasswordMark> {
        match self {
            Self::Password(password) => Some(PasswordMark::of(password.hash())),
            Self::Email(email) => email.password(),
            _ => None,
        }
    }

    /// The policy between a proof and a session: what the account, with this role and these second factors,
    /// still has to show. Every way in ends here, so that none can forget it.
    pub(super) fn sufficiency(
        &self,
        policy: &Policy,
        role: Role,
        factors: &Factors,
    ) -> Sufficiency {
        // A token of another system goes on with a login of before, as a refresh does.
        if matches!(self, Self::SecondStep(_) | Self::Enrollment(_) | Self::ForeignToken(_)) {
            return Sufficiency::Enough;
        }
        if self.needs_email(policy) {
            return Sufficiency::NeedsEmail;
        }
        if !policy.second_factor.is_on() || matches!(self, Self::Passkey(_)) {
            return Sufficiency::Enough;
        }
        if factors.exist() {
            return Sufficiency::NeedsFactor(factors.steps());
        }
        if let Self::Password(password) = self
            && factors.reset_at.is_some()
            && password.user().email_verified_at.is_some()
        {
            return Sufficiency::NeedsEmail;
        }
        if policy.second_factor.requires(role) {
            return Sufficiency::NeedsEnrollment;
        }
        Sufficiency::Enough
    }

    /// Whether the address has to be verified first.
    fn needs_email(&self, policy: &Policy) -> bool {
        match self {
            // Whatever the policy is by now: the account would else have a session without its address.
            Self::Password(password) if password.awaits_email().is_some() => true,
            Self::Password(password) => {
                policy.refuse_unverified_email && password.user().has_unverified_email()
            }
            Self::Passkey(passkey) => {
                policy.refuse_unverified_email && passkey.user().has_unverified_email()
            }
            Self::Registration(_) => policy.refuse_unverified_email,
            // A mail verifies the address, and the others come after one of these, or after a login of before.
            Self::Email(_) | Self::SecondStep(_) | Self::Enrollment(_) | Self::ForeignToken(_) => {
                false
            }
        }
    }
}
