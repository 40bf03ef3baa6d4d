//! Removal of the authenticator app.

use super::Enrollments;
use super::state::event;
use crate::auth::caller::Viewer;
use crate::auth::emails::NoticeKind;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::domain::audit::AuditKind;
use crate::domain::origin::Origin;
use crate::domain::second_factor::FactorKind;
use crate::domain::user::User;
use crate::entropy::random;
use crate::store::{ChangeFactors, FactorChange, FactorsMark};

impl Enrollments {
    /// Removes the app. The recovery codes of an account without another factor are removed, too.
    ///
    /// # Errors
    /// `NOT_FOUND` without an app; `LAST_CREDENTIAL` where the account needs a factor;
    /// [`Denial::ReauthenticationRequired`](crate::auth::Denial).
    pub async fn remove_totp(&self, viewer: Viewer, origin: Origin) -> Result<User, Error> {
        let (user, factors) = self.may_change(viewer).await?;
        if factors.totp_since.is_none() {
            return Err(UserError::not_found(Field::Caller).into());
        }
        let is_last = factors.passkeys == 0;
        if is_last && self.policy.requires(user.role) {
            return Err(last_credential().into());
        }
        let at = self.now();
        let notice = NoticeKind::FactorRemoved(FactorKind::AuthenticatorApp);
        let order = ChangeFactors {
            user: user.id,
            current: factors.mark,
            next: FactorsMark(random(&*self.entropy)),
            change: FactorChange::RemoveTotp { is_last },
            mails: self.notice(notice, &user, &origin, at),
            at,
        };
        let session = Some(viewer.session_id());
        let detail = FactorKind::AuthenticatorApp.as_str();
        let event = event(AuditKind::FactorRemoved, user.id, session, origin, detail, at);
        // Changed by another request since it was read.
        let changed = self.store.change_factors(order, event).await?;
        Ok(changed.ok_or_else(|| UserError::not_found(Field::Caller))?)
    }
}

/// The error for the last factor of an account that needs one.
pub(super) fn last_credential() -> UserError {
    const MESSAGE: &str =
        "The account needs a second factor. Add another one before you remove this one.";
    UserError::new(UserErrorCode::LastCredential, Field::Caller, MESSAGE)
}
