//! Password of another account, set by an administrator.

use super::Accounts;
use super::state::event;
use crate::auth::authority::{Actor, Admin};
use crate::auth::emails::NoticeKind;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::sessions::end_by_admin;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::domain::audit::AuditKind;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::domain::user::User;
use crate::store::{EndSessions, Scope};

impl Accounts {
    /// Sets an account's password and ends all its sessions; returns their count.
    ///
    /// # Errors
    /// `NOT_FOUND`, `WEAK_PASSWORD`, `OVERLOADED`; `FORBIDDEN` for the administrator's own account, whose
    /// current password a stolen access token does not know.
    pub async fn set_password(
        &self,
        by: Admin,
        user: UserId,
        password: &str,
        origin: Origin,
    ) -> Result<(User, usize), Error> {
        if by.actor() == Actor::User(user) {
            const MESSAGE: &str = "This is your own account. Use `changePassword`, which requires the \
                                   current password.";
            return Err(UserError::new(UserErrorCode::Forbidden, Field::UserId, MESSAGE).into());
        }
        let not_found = || UserError::not_found(Field::UserId);
        let found = self.store.credentials(user).await?.ok_or_else(not_found)?;
        let hash = self.passwords.hash_new(password, &found.user.names).await?;
        let now = self.now();
        let kind = AuditKind::PasswordChanged;
        let event = event(kind, user, by.user_id(), now, origin.clone());
        let order = end_by_admin(by.user_id(), Scope::User(user), now, origin);
        let end = EndSessions { reason: EndReason::PasswordChanged, ..order };
        let notice =
            self.emails.notice(NoticeKind::PasswordChanged, &found.user, &Origin::default(), now);
        let mails = notice.into_iter().collect();
        let changed = self.store.set_password(user, None, hash, event, Some(end), mails).await?;
        let (user, ending) = changed.ok_or_else(not_found)?;
        let count = self.ends.finish(&Scope::User(user.id), now, ending).await?.count;
        self.ends.complete(by.actor()).await?;
        Ok((user, count))
    }
}
