//! Creation of accounts by administrators.

use super::Accounts;
use super::state::event;
use crate::auth::authority::Admin;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::passwords::NewAccount;
use crate::auth::sessions::name_taken;
use crate::auth::user_error::UserError;
use crate::domain::audit::AuditKind;
use crate::domain::origin::Origin;
use crate::domain::user::{Role, User};

impl Accounts {
    /// Creates an account.
    ///
    /// # Errors
    /// `INVALID_INPUT` for a name or the role, `USERNAME_TAKEN`, `EMAIL_TAKEN`, `WEAK_PASSWORD`, `OVERLOADED`;
    /// [`Denial::ReauthenticationRequired`](crate::auth::Denial) for another administrator by one whose login
    /// is not recent.
    pub async fn create(
        &self,
        by: Admin,
        account: NewAccount<'_>,
        origin: Origin,
    ) -> Result<User, Error> {
        if account.role == Role::Unknown {
            const MESSAGE: &str = "The role UNKNOWN cannot be assigned. Use USER or ADMIN.";
            return Err(UserError::invalid(Field::Role, MESSAGE).into());
        }
        if account.role == Role::Admin {
            by.require_recent(self.now())?;
        }
        let new = self.passwords.new_user(account).await?;
        let kind = AuditKind::UserCreated;
        let event = event(kind, new.id, by.user_id(), new.created_at, origin);
        Ok(self.store.create_user(new, event).await?.map_err(name_taken)?)
    }

    /// Creates the first account of an empty database; `false` where there is one already.
    ///
    /// # Errors
    /// `INVALID_INPUT` for a name, `WEAK_PASSWORD`, `OVERLOADED`.
    pub async fn create_first(&self, by: Admin, account: NewAccount<'_>) -> Result<bool, Error> {
        let new = self.passwords.new_user(account).await?;
        let (kind, origin) = (AuditKind::UserCreated, Origin::default());
        let event = event(kind, new.id, by.user_id(), new.created_at, origin);
        Ok(self.store.create_first_user(new, event).await?)
    }
}
