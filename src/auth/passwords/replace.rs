//! Replacement of a password by its own user, who has to know the current one.

use super::Passwords;
use super::admission::Admitted;
use super::hashing_queue::Replaced;
use super::new_password::NewPassword;
use crate::auth::caller::Viewer;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::crypto::password::PasswordHash;
use crate::domain::audit::AuditKind;
use crate::domain::origin::Origin;
use crate::domain::typed_password::TypedPassword;
use crate::domain::user::User;
use crate::store::{NewEvent, Settlement, VerifiedHash};

/// A new password, hashed, of a user who knew the current one. Holds the attempt's lock: it is dropped
/// once the password is changed and the counts are settled, so that the next attempt sees both.
pub(in crate::auth) struct Replacement {
    user: User,
    current: VerifiedHash,
    new: PasswordHash,
    admitted: Admitted,
}

impl Replacement {
    /// The account, as it was read a moment ago.
    pub(in crate::auth) fn user(&self) -> &User {
        &self.user
    }

    /// The hash that was verified: the account must still have it.
    pub(in crate::auth) fn current(&self) -> VerifiedHash {
        self.current.clone()
    }

    pub(in crate::auth) fn new_hash(&self) -> PasswordHash {
        self.new.clone()
    }

    /// Counts that were charged before the current password was known to be right.
    pub(in crate::auth) fn settlement(&self) -> Settlement {
        self.admitted.settlement()
    }
}

impl Passwords {
    /// Verifies the viewer's current password, and estimates and hashes the new one.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS`, `WEAK_PASSWORD`, `RATE_LIMITED`, `OVERLOADED`.
    pub(in crate::auth) async fn replace(
        &self,
        viewer: Viewer,
        current: &str,
        new: &str,
        origin: &Origin,
    ) -> Result<Replacement, Error> {
        let found = self.store.credentials(viewer.user_id()).await?;
        let found = found.ok_or_else(wrong_current_password)?;
        let new = NewPassword::new(new, self.min_length, &found.user.names);
        let password = TypedPassword::new(current);
        let current = found.password_hash;
        let (name, session) = (found.user.names.username().key(), viewer.session_id());
        let attempt = self.limits.confirmation(name, session, origin, || self.clock.now()).await?;
        let source = self.limits.source(origin);
        let admitted = self.admit_confirmation(attempt, viewer.user_id(), origin).await?;
        let permit = self.permit_for(&admitted, source).await?;
        // Without a password every current password is wrong, and costs as much.
        let dummy = || self.hashing.dummies().of(&self.limits.key, name);
        let hash = current.clone().unwrap_or_else(dummy);
        match (self.hashing.replace(permit, password, hash, new).await?, current) {
            (Replaced::By(new), Some(current)) => {
                let current = VerifiedHash::new(current, found.user.password_changed_at);
                Ok(Replacement { user: found.user, current, new, admitted })
            }
            (Replaced::By(_) | Replaced::WrongPassword, _) => {
                // The caller may have stolen the access token: the account's owner sees it in the audit.
                let event = NewEvent {
                    kind: AuditKind::LoginFailed,
                    at: self.clock.now(),
                    user: Some(viewer.user_id()),
                    actor: Some(viewer.user_id()),
                    session: Some(session),
                    origin: origin.clone(),
                    detail: Some("change of password"),
                };
                self.count_failure(admitted, event).await?;
                Err(wrong_current_password().into())
            }
            (Replaced::Weak(weak), _) => {
                self.store.settle(admitted.settlement()).await?;
                Err(UserError::weak(Field::NewPassword, &weak).into())
            }
        }
    }
}

pub(in crate::auth) fn wrong_current_password() -> UserError {
    const MESSAGE: &str = "The current password is wrong.";
    UserError::new(UserErrorCode::InvalidCredentials, Field::CurrentPassword, MESSAGE)
}
