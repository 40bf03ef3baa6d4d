//! Deletion of accounts, by their users and by administrators.

use super::Accounts;
use super::last_administrator::last_administrator;
use crate::auth::authority::{Actor, Admin};
use crate::auth::caller::Viewer;
use crate::auth::emails::NoticeKind;
use crate::auth::error::{Denial, Error, UnauthenticatedReason};
use crate::auth::input_field::Field;
use crate::auth::transport::Cookies;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::clock::Timestamp;
use crate::domain::audit::AuditKind;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::domain::user::{NAME_RESERVATION, User};
use crate::store::{EndSessions, NewEvent, NotDeleted, Scope};

/// Batches of client metadata that a deletion erases itself. A purge erases the others.
const MAX_BATCHES: usize = 20;

/// A deleted account.
#[derive(Debug)]
pub struct Deleted {
    pub user: User,
    /// Number of sessions that the deletion ended.
    pub ended: usize,
    /// When the reserved names are erased, too.
    pub erased_at: Timestamp,
}

impl Accounts {
    /// Deletes the viewer's account and ends its sessions. A cookie of one of them is cleared.
    ///
    /// # Errors
    /// `FORBIDDEN` for the last active administrator.
    pub async fn delete_own(&self, viewer: Viewer, cookies: &Cookies) -> Result<Deleted, Error> {
        // Without the address and the user agent, which are the user's.
        let session = Some(viewer.session_id());
        let user = viewer.user_id();
        match self.delete(user, Some(user), session, Origin::default()).await? {
            Ok(deleted) => {
                self.sessions.clear_cookie_of(user, cookies);
                Ok(deleted)
            }
            Err(NotDeleted::LastAdministrator) => Err(last_administrator(Field::Caller).into()),
            Err(NotDeleted::Missing) => {
                Err(Denial::Unauthenticated(UnauthenticatedReason::SessionEnded).into())
            }
        }
    }

    /// Deletes an account and ends its sessions.
    ///
    /// # Errors
    /// `NOT_FOUND`; `FORBIDDEN` for the administrator's own account and the last active administrator.
    pub async fn delete_user(
        &self,
        by: Admin,
        user: UserId,
        origin: Origin,
    ) -> Result<Deleted, Error> {
        if by.actor() == Actor::User(user) {
            const MESSAGE: &str = "This is your own account. Use `deleteAccount`.";
            return Err(UserError::new(UserErrorCode::Forbidden, Field::UserId, MESSAGE).into());
        }
        let deleted = match self.delete(user, by.user_id(), None, origin).await? {
            Ok(deleted) => deleted,
            Err(NotDeleted::LastAdministrator) => {
                return Err(last_administrator(Field::UserId).into());
            }
            Err(NotDeleted::Missing) => return Err(UserError::not_found(Field::UserId).into()),
        };
        self.ends.complete(by.actor()).await?;
        Ok(deleted)
    }

    /// Erases what a few batches reach. The account is deleted already, so a failure is no answer: a purge
    /// erases the rest.
    async fn erase(&self, user: UserId, now: Timestamp) {
        for _ in 0..MAX_BATCHES {
            match self.store.erase_batch(user, now).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(
                        error,
                        "erasing metadata of a deleted account failed; a purge repeats it"
                    );
                    return;
                }
            }
        }
    }

    async fn delete(
        &self,
        user: UserId,
        actor: Option<UserId>,
        session: Option<SessionId>,
        origin: Origin,
    ) -> Result<Result<Deleted, NotDeleted>, Error> {
        let now = self.now();
        let event = NewEvent {
            kind: AuditKind::AccountDeleted,
            at: now,
            user: Some(user),
            actor,
            session,
            origin: origin.clone(),
            detail: None,
        };
        let end = EndSessions {
            scope: Scope::User(user),
            reason: EndReason::AccountDeleted,
            at: now,
            actor,
            origin,
            note: None,
        };
        let found = self.store.users_by_id(&[user]).await?.remove(&user);
        let notice = found.and_then(|found| {
            let kind = NoticeKind::AccountDeleted;
            self.emails.notice(kind, &found, &Origin::default(), now)
        });
        let mails = notice.into_iter().collect();
        let (deleted, ending) = match self.store.delete_user(user, event, end, mails).await? {
            Ok(deleted) => deleted,
            Err(refused) => return Ok(Err(refused)),
        };
        self.note_change(&deleted);
        let ended = self.ends.finish(&Scope::User(user), now, ending).await?.count;
        self.erase(user, now).await;
        Ok(Ok(Deleted { user: deleted, ended, erased_at: now + NAME_RESERVATION }))
    }
}
