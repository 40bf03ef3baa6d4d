//! Renewed proof of the user in a live session.
//!
//! Fields that require a fresh login (`freshWithin`) are open to the session again, without another session:
//! the new access token has the time of the proof in the claim `auth_time`, and refreshes keep it.

use super::Sessions;
use super::token_issuer::SignedIn;
use crate::auth::caller::Viewer;
use crate::auth::error::{Denial, Error, UnauthenticatedReason};
use crate::domain::audit::AuditKind;
use crate::domain::origin::Origin;
use crate::store::{NewEvent, Reauthenticate};

impl Sessions {
    /// Verifies the viewer's password and issues an access token of the same session with a new
    /// `auth_time`. The refresh token stays.
    ///
    /// # Errors
    /// `INVALID_PROOF`, also if the password was changed in the meantime; `RATE_LIMITED`, `OVERLOADED`;
    /// [`Denial::Unauthenticated`] if the session has ended.
    pub async fn reauthenticate(
        &self,
        viewer: Viewer,
        password: &str,
        origin: Origin,
    ) -> Result<SignedIn, Error> {
        let confirmed = self.passwords.confirm(viewer, password, &origin).await?;
        let now = self.now();
        self.tokens.check_signing(now)?;
        let order = Reauthenticate {
            session: viewer.session_id(),
            user: viewer.user_id(),
            verified: confirmed.hash(),
            access_expires_at: self.tokens.access_expiry(now),
            at: now,
            settlement: confirmed.settlement(),
        };
        let event = NewEvent {
            kind: AuditKind::Reauthenticated,
            at: now,
            user: Some(viewer.user_id()),
            actor: Some(viewer.user_id()),
            session: Some(viewer.session_id()),
            origin: origin.clone(),
            detail: Some("password"),
        };
        let Some(done) = self.store.reauthenticate(order, event).await? else {
            let id = viewer.session_id();
            let session = self.store.sessions_by_id(&[id]).await?.remove(&id);
            let session = session.map(|session| self.ends.with_end(session));
            if !session.is_some_and(|session| session.is_live(now)) {
                return Err(Denial::Unauthenticated(UnauthenticatedReason::SessionEnded).into());
            }
            return Err(self.passwords.refuse_outdated_proof(confirmed, viewer, &origin).await);
        };
        self.tokens.issue(done.session, done.role, now, false)
    }
}
