//! Unlocking of an account whose attempts are limited.

use super::Accounts;
use super::state::event;
use crate::auth::authority::Admin;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::UserError;
use crate::domain::audit::AuditKind;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::user::User;

impl Accounts {
    /// Resets the counters of failed attempts on an account, from whichever address. Limits on addresses
    /// stay. Replicas that remember a refusal follow within a second.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn unlock(&self, by: Admin, user: UserId, origin: Origin) -> Result<User, Error> {
        let found = self.store.users_by_id(&[user]).await?.remove(&user);
        let found = found.filter(|found| !found.is_deleted());
        let found = found.ok_or_else(|| UserError::not_found(Field::UserId))?;
        let event = event(AuditKind::UserUnlocked, user, by.user_id(), self.now(), origin);
        self.store.reset_counters(self.passwords.counters_of(&found.names), event).await?;
        Ok(found)
    }
}
