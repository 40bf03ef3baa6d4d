//! Reuse of a rotated refresh token, and its consequences.

use super::Sessions;
use super::end::end_by_admin;
use crate::auth::emails::NoticeKind;
use crate::auth::error::Error;
use crate::clock::Timestamp;
use crate::domain::audit::AuditKind;
use crate::domain::origin::Origin;
use crate::domain::session::{EndReason, Session};
use crate::store::{EndSessions, KnownToken, NewEvent, Scope};

impl Sessions {
    /// Ends a session whose replaced token was used again: one of the two clients that have it is a thief,
    /// and the service cannot know which. The user is told in the same transaction.
    pub(super) async fn end_reused(
        &self,
        session: &Session,
        origin: Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        let user = session.user_id;
        let account = self.store.users_by_id(&[user]).await?.remove(&user);
        let notice = account.and_then(|account| {
            self.emails.notice(NoticeKind::RefreshReused, &account, &origin, now)
        });
        let event = NewEvent {
            kind: AuditKind::RefreshReused,
            at: now,
            user: Some(user),
            actor: None,
            session: Some(session.id),
            origin: origin.clone(),
            detail: None,
        };
        let scope = Scope::One(session.id);
        let end = EndSessions {
            scope: scope.clone(),
            reason: EndReason::RefreshReused,
            at: now,
            actor: None,
            origin,
            note: None,
        };
        let notices = notice.into_iter().collect();
        let ending = self.store.end_sessions_and_tell(end, Some(event), notices).await?;
        self.ends.finish(&scope, now, ending).await?;
        Ok(())
    }

    /// Ends a session whose token the database does not know yet. Nobody stole it: an older copy of the
    /// database was restored. The outstanding token of that copy may be in anybody's hands by now.
    pub(super) async fn end_outlived(
        &self,
        known: &KnownToken,
        origin: Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        tracing::warn!(
            session = %known.session.id,
            "a refresh token is newer than its session in the database; if the database was \
             restored from a backup, run sallyport recover"
        );
        let end = end_by_admin(None, Scope::One(known.session.id), now, origin);
        self.ends.end(end, None).await?;
        Ok(())
    }
}
