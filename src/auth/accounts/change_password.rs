//! Change of one's own password.

use super::Accounts;
use crate::auth::caller::Viewer;
use crate::auth::emails::NoticeKind;
use crate::auth::error::Error;
use crate::auth::passwords::wrong_current_password;
use crate::domain::audit::AuditKind;
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::domain::user::User;
use crate::store::{EndSessions, NewEvent, Scope};

impl Accounts {
    /// Changes the viewer's password, and ends the other sessions if asked to; returns their count.
    ///
    /// # Errors
    /// `INVALID_CREDENTIALS` for the current password, `WEAK_PASSWORD`, `RATE_LIMITED`, `OVERLOADED`.
    pub async fn change_password(
        &self,
        viewer: Viewer,
        current: &str,
        new: &str,
        end_others: bool,
        origin: Origin,
    ) -> Result<(User, usize), Error> {
        let replacement = self.passwords.replace(viewer, current, new, &origin).await?;
        let now = self.now();
        let (user, session) = (viewer.user_id(), viewer.session_id());
        let event = NewEvent {
            kind: AuditKind::PasswordChanged,
            at: now,
            user: Some(user),
            actor: Some(user),
            session: Some(session),
            origin: origin.clone(),
            detail: None,
        };
        let end = end_others.then_some(EndSessions {
            scope: Scope::Others { user, except: session },
            reason: EndReason::PasswordChanged,
            at: now,
            actor: Some(user),
            origin: origin.clone(),
            note: None,
        });
        let (verified, hash) = (Some(replacement.current()), replacement.new_hash());
        let notice =
            self.emails.notice(NoticeKind::PasswordChanged, replacement.user(), &origin, now);
        let mails = notice.into_iter().collect();
        let changed = self.store.set_password(user, verified, hash, event, end, mails).await?;
        self.store.settle(replacement.settlement()).await?;
        // Another caller has changed it since it was verified: this was not the current one any more.
        let (user, ending) = changed.ok_or_else(wrong_current_password)?;
        if !end_others {
            return Ok((user, 0));
        }
        let count = self.ends.finish(&Scope::User(user.id), now, ending).await?.count;
        Ok((user, count))
    }
}
