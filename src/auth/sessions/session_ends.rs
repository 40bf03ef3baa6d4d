//! Ended sessions, in the database and in this process's memory.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::auth::error::Error;
use crate::clock::{Clock, Timestamp};
use crate::domain::id::{SessionId, TokenId};
use crate::domain::session::Session;
use crate::entropy::Entropy;
use crate::metrics::Metrics;
use crate::revocation::Revocations;
use crate::store::{EndedSession, Store};

/// Ends of sessions: ordered, noted in memory, and completed in the database.
pub struct SessionEnds {
    pub(super) store: Arc<Store>,
    pub(super) revocations: Arc<Revocations>,
    pub(super) metrics: Arc<Metrics>,
    /// Holder of the leases under which this process ends rows.
    pub(super) worker: TokenId,
    pub(super) new_floor: Notify,
    pub(super) clock: Arc<dyn Clock>,
}

impl SessionEnds {
    pub(in crate::auth) fn new(
        store: Arc<Store>,
        revocations: Arc<Revocations>,
        metrics: Arc<Metrics>,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> Self {
        let worker = TokenId::new(clock.now(), entropy);
        Self { store, revocations, metrics, worker, new_floor: Notify::new(), clock }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Notes sessions that this process has ended: the guard refuses their access tokens from now on.
    pub(in crate::auth) fn note(&self, ended: &[EndedSession]) {
        self.revocations.add(ended);
        for session in ended {
            self.metrics.session_end(session.reason);
        }
    }

    /// Notes the end of a session that was read, if it has ended.
    pub(in crate::auth) fn note_end_of(&self, session: &Session) {
        self.revocations.add(EndedSession::of(session).as_slice());
    }

    /// The sessions with these ids that exist, each with its end. Who may see them is for the caller to
    /// decide.
    pub(in crate::auth) async fn sessions_by_id(
        &self,
        ids: &[SessionId],
    ) -> Result<HashMap<SessionId, Session>, Error> {
        let found = self.store.sessions_by_id(ids).await?.into_iter();
        Ok(found.map(|(id, session)| (id, self.with_end(session))).collect())
    }

    /// The session with its end, which its row may not have yet: of very many sessions that end at once
    /// the rows are ended afterwards.
    pub(in crate::auth) fn with_end(&self, mut session: Session) -> Session {
        if session.end.is_none() && session.token.expires_at > self.now() {
            let floor = self.revocations.floor_over(session.user_id, session.id);
            session.end = floor.map(|floor| floor.end());
        }
        session
    }
}
