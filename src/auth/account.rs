//! What a user does with an account and its sessions.

use super::error::{UserError, UserErrorCode};
use super::hashing::{NewPassword, Replaced};
use super::{Auth, Error, Viewer};
use crate::clock::Timestamp;
use crate::domain::audit::AuditKind;
use crate::domain::id::SessionId;
use crate::domain::origin::Origin;
use crate::domain::password::Password;
use crate::domain::session::{EndReason, Session, SessionName};
use crate::domain::user::User;
use crate::store::{EndSessions, NewEvent, Scope};

/// Somebody who is logged in, or has the token of somebody who is, does not know the password.
fn wrong_password(viewer: Viewer, at: Timestamp, origin: Origin) -> NewEvent {
    NewEvent {
        kind: AuditKind::LoginFailed,
        at,
        user: Some(viewer.user_id),
        actor: Some(viewer.user_id),
        session: Some(viewer.session_id),
        origin,
        detail: Some("change of password"),
    }
}

impl Auth {
    /// Changes the viewer's password, and ends the other sessions if asked to; returns how many.
    ///
    /// # Errors
    /// [`UserErrorCode::InvalidCredentials`] where the current password is another,
    /// [`UserErrorCode::WeakPassword`], [`UserErrorCode::RateLimited`], or a failure of the service.
    pub async fn change_password(
        &self,
        viewer: Viewer,
        current: &str,
        new: &str,
        end_others: bool,
        origin: Origin,
    ) -> Result<(User, usize), Error> {
        let wrong = || {
            const MESSAGE: &str = "the current password is another";
            let path = &["input", "currentPassword"];
            UserError::new(UserErrorCode::InvalidCredentials, path, MESSAGE)
        };
        let found = self.store.credentials(viewer.user_id).await?.ok_or_else(wrong)?;
        let new = NewPassword::new(new, self.policy.password_min_length, &found.user.names);
        let attempt = Password::attempt(current).ok_or_else(wrong)?;
        let hash = found.password_hash;
        let username = found.user.names.username().key();
        let now = || self.now();
        let guess = self.throttle.confirmation(username, viewer.session_id, &origin, now).await?;
        let source = self.throttle.source(&origin);
        let admitted = self.admit_confirmation(guess, viewer.user_id, &origin).await?;
        let core = self.core_for(&admitted, source).await?;
        let settlement = admitted.settlement();
        let new_hash = match self.hashing.replace(core, attempt, hash.clone(), new).await? {
            Replaced::By(new_hash) => new_hash,
            Replaced::WrongPassword => {
                self.count_failure(admitted, wrong_password(viewer, self.now(), origin)).await?;
                return Err(wrong().into());
            }
            Replaced::Weak(weak) => {
                self.store.settle(settlement).await?;
                return Err(UserError::weak(&["input", "newPassword"], &weak).into());
            }
        };
        let now = self.clock.now();
        let (user, session) = (viewer.user_id, viewer.session_id);
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
            origin,
            note: None,
        });
        let changed = self.store.set_password(user, Some(hash), new_hash, event, end).await?;
        self.store.settle(settlement).await?;
        // Somebody else changed it since it was read, so that this was not the current one.
        let (user, ending) = changed.ok_or_else(wrong)?;
        if !end_others {
            return Ok((user, 0));
        }
        let count = self.finish(&Scope::User(user.id), now, ending).await?.count;
        Ok((user, count))
    }

    /// Names one of the viewer's sessions.
    ///
    /// # Errors
    /// [`UserErrorCode::InvalidInput`] for the name, [`UserErrorCode::NotFound`] for the session, or a
    /// failure of the service.
    pub async fn rename_session(
        &self,
        viewer: Viewer,
        session: SessionId,
        name: &str,
    ) -> Result<Session, Error> {
        let name = SessionName::parse(name)
            .map_err(|error| UserError::invalid(&["input", "name"], error))?;
        let renamed = self.store.rename_session(viewer.user_id, session, name, self.now()).await?;
        renamed.ok_or_else(|| UserError::not_found(&["input", "sessionId"]).into())
    }

    /// Ends one of the viewer's sessions or, for an administrator, anybody's. One that is over
    /// already stays as it is.
    ///
    /// # Errors
    /// [`UserErrorCode::NotFound`] where there is none that the viewer may know of, or a failure of
    /// the service.
    pub async fn end_session(
        &self,
        viewer: Viewer,
        session: SessionId,
        origin: Origin,
    ) -> Result<Session, Error> {
        let not_found = || UserError::not_found(&["input", "sessionId"]);
        let found = self.session(viewer, session).await?.ok_or_else(not_found)?;
        let is_own = found.user_id == viewer.user_id;
        let end = EndSessions {
            scope: Scope::Own { user: found.user_id, session },
            reason: if is_own { EndReason::Logout } else { EndReason::Admin },
            at: self.now(),
            actor: Some(viewer.user_id),
            origin,
            note: None,
        };
        self.end(end, None).await?;
        Ok(self.session(viewer, session).await?.ok_or_else(not_found)?)
    }
}
