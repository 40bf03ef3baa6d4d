//! Activation and deactivation of accounts by administrators.

use super::Accounts;
use super::last_administrator::last_administrator;
use super::state::event;
use crate::auth::authority::{Actor, Admin};
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::sessions::end_by_admin;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::domain::audit::AuditKind;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::domain::user::User;
use crate::store::{EndSessions, LastAdministrator, Scope};

impl Accounts {
    /// Activates an account, or deactivates it and ends all its sessions; returns their count.
    ///
    /// # Errors
    /// `NOT_FOUND`; `FORBIDDEN` for the administrator's own account, and for that of the last active
    /// administrator.
    pub async fn set_active(
        &self,
        by: Admin,
        user: UserId,
        active: bool,
        origin: Origin,
    ) -> Result<(User, usize), Error> {
        if !active && by.actor() == Actor::User(user) {
            const MESSAGE: &str = "You cannot deactivate your own account.";
            return Err(UserError::new(UserErrorCode::Forbidden, Field::UserId, MESSAGE).into());
        }
        let kind = if active { AuditKind::UserActivated } else { AuditKind::UserDeactivated };
        let now = self.now();
        let event = event(kind, user, by.user_id(), now, origin.clone());
        let order = end_by_admin(by.user_id(), Scope::User(user), now, origin);
        let end = EndSessions { reason: EndReason::UserDeactivated, ..order };
        let changed = self.store.set_active(user, active, event, end).await?;
        let not_found = || UserError::not_found(Field::UserId);
        let (user, ending) = changed
            .map_err(|LastAdministrator| last_administrator(Field::UserId))?
            .ok_or_else(not_found)?;
        let count = self.ends.finish(&Scope::User(user.id), now, ending).await?.count;
        self.ends.complete(by.actor()).await?;
        Ok((user, count))
    }
}
