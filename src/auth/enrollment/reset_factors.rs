//! Removal of all second factors of an account by an administrator, for a user who lost them.

use super::Enrollments;
use crate::auth::authority::{Actor, Admin};
use crate::auth::emails::NoticeKind;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::sessions::end_by_admin;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::domain::audit::{AuditKind, Note};
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::domain::user::User;
use crate::entropy::random;
use crate::store::{EndSessions, FactorsMark, NewEvent, ResetFactors, Scope};

impl Enrollments {
    /// Removes all factors and ends all sessions; returns their count. The next login by the password asks for a
    /// code by mail, where the address is verified: the administrator alone lets nobody in.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` for the note; `FORBIDDEN` for the administrator's own account, whose second
    /// factor a stolen session does not have.
    pub async fn reset_factors(
        &self,
        by: Admin,
        user: UserId,
        note: Option<&str>,
        origin: Origin,
    ) -> Result<(User, usize), Error> {
        if by.actor() == Actor::User(user) {
            const MESSAGE: &str = "This is your own account. Use `removeTotp`.";
            return Err(UserError::new(UserErrorCode::Forbidden, Field::UserId, MESSAGE).into());
        }
        let not_found = || UserError::not_found(Field::UserId);
        let found = self.store.users_by_id(&[user]).await?.remove(&user);
        let found = found.filter(|found| !found.is_deleted()).ok_or_else(not_found)?;
        let note = note.map(Note::parse).transpose();
        let note = note.map_err(|error| UserError::invalid(Field::Note, error))?;
        let at = self.now();
        let event = NewEvent {
            kind: AuditKind::FactorRemoved,
            at,
            user: Some(user),
            actor: by.user_id(),
            session: None,
            origin: origin.clone(),
            detail: Some("all, by an administrator"),
        };
        let end = end_by_admin(by.user_id(), Scope::User(user), at, origin);
        let end = EndSessions { reason: EndReason::FactorsReset, note, ..end };
        let order = ResetFactors {
            user,
            mark: FactorsMark(random(&*self.entropy)),
            end,
            // The user did not ask from here.
            mails: self.notice(NoticeKind::FactorsReset, &found, &Origin::default(), at),
        };
        let reset = self.store.reset_factors(order, event).await?;
        let (user, ending) = reset.ok_or_else(not_found)?;
        let count = self.ends.finish(&Scope::User(user.id), at, ending).await?.count;
        self.ends.complete(by.actor()).await?;
        Ok((user, count))
    }
}
