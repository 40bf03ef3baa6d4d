//! A passkey gets another name, or is removed.

use super::Enrollments;
use super::change::Change;
use super::register_passkey::parse_name;
use super::remove_totp::last_credential;
use crate::auth::caller::Viewer;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::UserError;
use crate::domain::id::PasskeyId;
use crate::domain::origin::Origin;
use crate::domain::second_factor::FactorKind;
use crate::domain::user::User;
use crate::store::{FactorChange, Factors, StoredPasskey};

impl Enrollments {
    /// Renames one of the viewer's passkeys.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` for the name.
    pub async fn rename_passkey(
        &self,
        viewer: Viewer,
        id: PasskeyId,
        name: &str,
    ) -> Result<StoredPasskey, Error> {
        let name = parse_name(name)?;
        let renamed = self.store.rename_passkey(viewer.user_id(), id, name).await?;
        Ok(renamed.ok_or_else(|| UserError::not_found(Field::PasskeyId))?)
    }

    /// Removes one of the viewer's passkeys. The recovery codes of an account without another factor are
    /// removed, too.
    ///
    /// # Errors
    /// `NOT_FOUND`; `LAST_CREDENTIAL` where the account needs a factor, or has no other way in;
    /// [`Denial::ReauthenticationRequired`](crate::auth::Denial).
    pub async fn remove_passkey(
        &self,
        viewer: Viewer,
        id: PasskeyId,
        origin: Origin,
    ) -> Result<User, Error> {
        let not_found = || UserError::not_found(Field::PasskeyId);
        let (user, factors) = self.may_change(viewer).await?;
        let found = self.store.passkey(id).await?;
        found.filter(|passkey| passkey.user == user.id).ok_or_else(not_found)?;
        let is_last = factors.passkeys <= 1 && factors.totp_since.is_none();
        if self.is_last_credential(&user, &factors, is_last).await? {
            return Err(last_credential().into());
        }
        let change =
            if is_last { FactorChange::RemoveAll } else { FactorChange::RemovePasskey(id) };
        let change = Change::removal(FactorKind::Passkey, change);
        let changed = self.change_factors(viewer, (&user, factors.mark), change, origin).await?;
        Ok(changed.ok_or_else(not_found)?)
    }

    /// Whether the account needs this passkey: as its last factor, or as its only way in.
    async fn is_last_credential(
        &self,
        user: &User,
        factors: &Factors,
        is_last_factor: bool,
    ) -> Result<bool, Error> {
        if is_last_factor && self.policy.requires(user.role) {
            return Ok(true);
        }
        if factors.passkeys > 1 || user.email_verified_at.is_some() {
            return Ok(false);
        }
        let found = self.store.credentials(user.id).await?;
        Ok(found.is_none_or(|found| found.password_hash.is_none()))
    }
}
