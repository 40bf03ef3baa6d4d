//! Removal of the authenticator app.

use super::Enrollments;
use super::change::Change;
use crate::auth::caller::Viewer;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::domain::origin::Origin;
use crate::domain::second_factor::FactorKind;
use crate::domain::user::User;
use crate::store::FactorChange;

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
        let change = if is_last { FactorChange::RemoveAll } else { FactorChange::RemoveTotp };
        let change = Change::removal(FactorKind::AuthenticatorApp, change);
        let changed = self.change_factors(viewer, (&user, factors.mark), change, origin).await?;
        Ok(changed.ok_or_else(|| UserError::not_found(Field::Caller))?)
    }
}

/// The error for the last factor of an account that needs one.
pub(super) fn last_credential() -> UserError {
    const MESSAGE: &str =
        "The account needs a second factor. Add another one before you remove this one.";
    UserError::new(UserErrorCode::LastCredential, Field::Caller, MESSAGE)
}
