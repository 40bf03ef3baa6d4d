//! Proof by a factor that is added during a login.

use crate::auth::challenges::spend_step;
use crate::clock::Timestamp;
use crate::domain::authentication::{Authentication, FactorUsed};
use crate::domain::origin::Origin;
use crate::domain::user::User;
use crate::store::{AddFactor, Challenge, Grounds};

/// Proof by a factor that is added during a login, for opening a session.
#[derive(Debug)]
pub struct EnrollmentProof {
    challenge: Challenge,
    user: User,
    order: AddFactor,
    kind: FactorUsed,
}

impl EnrollmentProof {
    /// The factor of this order is added for the challenge.
    pub(in crate::auth) fn new(
        challenge: Challenge,
        user: User,
        order: AddFactor,
        kind: FactorUsed,
    ) -> Self {
        Self { challenge, user, order, kind }
    }

    pub(in crate::auth) fn user(&self) -> &User {
        &self.user
    }

    pub(in crate::auth) fn shown(&self, at: Timestamp) -> Authentication {
        Authentication::with_new_factor(self.challenge.shown, self.kind, at)
    }

    /// Conditions that the store checks when it opens the session.
    pub(in crate::auth) fn grounds(&self, at: Timestamp, origin: &Origin) -> Grounds {
        let spend = spend_step(&self.challenge, self.user.id, at, origin);
        Grounds::Enrollment(spend, Box::new(self.order.clone()))
    }
}
