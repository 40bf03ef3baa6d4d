//! A user's own sessions: renamed, or ended one by one.

use super::Sessions;
use crate::auth::caller::Viewer;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::UserError;
use crate::domain::id::SessionId;
use crate::domain::origin::Origin;
use crate::domain::session::{EndReason, Session, SessionName};
use crate::store::{EndSessions, Scope};

impl Sessions {
    /// Renames one of the viewer's active sessions.
    ///
    /// # Errors
    /// `INVALID_INPUT` for the name, `NOT_FOUND` for the session.
    pub async fn rename(
        &self,
        viewer: Viewer,
        session: SessionId,
        name: &str,
    ) -> Result<Session, Error> {
        let name =
            SessionName::parse(name).map_err(|error| UserError::invalid(Field::Name, error))?;
        let user = viewer.user_id();
        let renamed = self.store.rename_session(user, session, name, self.now()).await?;
        renamed.ok_or_else(|| UserError::not_found(Field::SessionId).into())
    }

    /// Ends one of the viewer's sessions or, for an administrator, any session. One that has ended already
    /// stays as it is.
    ///
    /// # Errors
    /// `NOT_FOUND` where there is none that the viewer may see.
    pub async fn end_one(
        &self,
        viewer: Viewer,
        session: SessionId,
        origin: Origin,
    ) -> Result<Session, Error> {
        let not_found = || UserError::not_found(Field::SessionId);
        let found = self.find(viewer, session).await?.ok_or_else(not_found)?;
        let is_own = found.user_id == viewer.user_id();
        let end = EndSessions {
            scope: Scope::Own { user: found.user_id, session },
            reason: if is_own { EndReason::Logout } else { EndReason::Admin },
            at: self.now(),
            actor: Some(viewer.user_id()),
            origin,
            note: None,
        };
        self.ends.end(end, None).await?;
        Ok(self.find(viewer, session).await?.ok_or_else(not_found)?)
    }

    async fn find(&self, viewer: Viewer, id: SessionId) -> Result<Option<Session>, Error> {
        let found = self.ends.sessions_by_id(&[id]).await?.remove(&id);
        Ok(found.filter(|session| viewer.may_see(session.user_id)))
    }
}
