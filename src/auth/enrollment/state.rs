//! [`Enrollments`]: the state that its use cases share.

use std::sync::Arc;

use super::recovery_codes::RecoveryCodes;
use crate::auth::emails::{Emails, NoticeKind};
use crate::auth::factors::SecondFactors;
use crate::auth::input_field::Field;
use crate::auth::sessions::{SessionEnds, Sessions};
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::{Clock, Timestamp};
use crate::domain::audit::AuditKind;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::second_factor::SecondFactorPolicy;
use crate::domain::user::User;
use crate::entropy::Entropy;
use crate::store::{Factors, NewEvent, NewMail, Store};

/// Second factors of accounts.
pub struct Enrollments {
    pub(in crate::auth) store: Arc<Store>,
    pub(in crate::auth) factors: Arc<SecondFactors>,
    pub(in crate::auth) sessions: Arc<Sessions>,
    pub(in crate::auth) ends: Arc<SessionEnds>,
    pub(in crate::auth) emails: Arc<Emails>,
    pub(in crate::auth) policy: SecondFactorPolicy,
    pub(in crate::auth) clock: Arc<dyn Clock>,
    pub(in crate::auth) entropy: Arc<dyn Entropy>,
}

impl Enrollments {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// # Errors
    /// `FORBIDDEN` where second factors are off.
    pub(super) fn require_on(&self) -> Result<(), UserError> {
        const MESSAGE: &str = "This service does not use second factors. None can be added.";
        if self.policy.is_on() {
            return Ok(());
        }
        Err(UserError::new(UserErrorCode::Forbidden, Field::Caller, MESSAGE))
    }

    /// New recovery codes for an account that has no factor; none for another one.
    pub(super) fn first_recovery_codes(&self, factors: &Factors) -> RecoveryCodes {
        if factors.exist() { RecoveryCodes::default() } else { self.new_recovery_codes() }
    }

    pub(super) fn new_recovery_codes(&self) -> RecoveryCodes {
        RecoveryCodes::generate(&*self.entropy)
    }

    pub(super) fn notice(
        &self,
        kind: NoticeKind,
        user: &User,
        origin: &Origin,
        at: Timestamp,
    ) -> Vec<NewMail> {
        self.emails.notice(kind, user, origin, at).into_iter().collect()
    }
}

/// The audit event of a change of the user's own factors.
pub(super) fn event(
    kind: AuditKind,
    user: UserId,
    session: Option<SessionId>,
    origin: Origin,
    detail: &'static str,
    at: Timestamp,
) -> NewEvent {
    NewEvent {
        kind,
        at,
        user: Some(user),
        actor: Some(user),
        session,
        origin,
        detail: Some(detail),
    }
}
