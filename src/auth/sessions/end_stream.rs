//! Stream of sessions as they end: the caller's own, or all.
//!
//! The caller is authorized again for each event. A session that has ended is sent no event but its own
//! end, which its client waits for, and reads nothing by it. That event is sent in any case: the session
//! may have ended between the authorization and the cursor from which it follows. Nothing is buffered for
//! a slow client: events that it has not asked for stay in the database.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::Sessions;
use super::session_ends::SessionEnds;
use crate::auth::authority::Requirement;
use crate::auth::caller::{Caller, Viewer};
use crate::auth::error::{Denial, Error, UnauthenticatedReason};
use crate::auth::guard::Guard;
use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::session::{End, EndReason, Session};
use crate::revocation::{EndWatcher, Revocations};
use crate::store::{FeedCursor, Store};

/// Wait where the database is away, or the ended sessions are not known.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Sessions that are followed, after a cursor or from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    Own(Option<FeedCursor>),
    All(Option<FeedCursor>),
}

/// Event of a session that ended.
#[derive(Clone, Debug)]
pub struct SessionEnded {
    pub session: Session,
    pub reason: EndReason,
    pub at: Timestamp,
    /// Cursor of this event.
    pub cursor: FeedCursor,
}

pub struct EndStream {
    guard: Arc<Guard>,
    ends: Arc<SessionEnds>,
    revocations: Arc<Revocations>,
    store: Arc<Store>,
    caller: Caller,
    required: Requirement,
    viewer: Viewer,
    /// The followed user; `None`: all users.
    of: Option<UserId>,
    watch: EndWatcher,
    cursor: FeedCursor,
    read: VecDeque<SessionEnded>,
    is_over: bool,
}

impl Sessions {
    /// Follows the ends of sessions.
    ///
    /// # Errors
    /// [`Denial`] where the caller is less than required, or follows all users without being an
    /// administrator.
    pub async fn follow_ends(
        &self,
        caller: &Caller,
        required: Requirement,
        followed: Followed,
    ) -> Result<EndStream, Error> {
        let viewer = self.guard.authorize(caller, &required)?;
        let (of, cursor) = match followed {
            Followed::Own(cursor) => (Some(viewer.user_id()), cursor),
            Followed::All(_) if !viewer.is_admin() => return Err(Denial::Forbidden.into()),
            Followed::All(cursor) => (None, cursor),
        };
        // Before the last cursor is read: an end in between must wake the stream.
        let watch = self.revocations.watch(of);
        let cursor = match cursor {
            Some(cursor) => cursor,
            None => self.store.latest_feed_cursor().await?,
        };
        Ok(EndStream {
            guard: Arc::clone(&self.guard),
            ends: Arc::clone(&self.ends),
            revocations: Arc::clone(&self.revocations),
            store: Arc::clone(&self.store),
            caller: caller.clone(),
            required,
            viewer,
            of,
            watch,
            cursor,
            read: VecDeque::new(),
            is_over: false,
        })
    }
}

impl EndStream {
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        self.viewer
    }

    /// The next event; `None` after the last one.
    pub async fn next(&mut self) -> Option<SessionEnded> {
        while !self.is_over {
            if let Some(end) = self.read.pop_front() {
                if end.session.id == self.viewer.session_id() {
                    self.is_over = true;
                    self.viewer = Viewer::stranger(end.session.id);
                    return Some(SessionEnded { session: end.session.outline(), ..end });
                }
                match self.guard.authorize(&self.caller, &self.required) {
                    Ok(_) => return Some(end),
                    Err(denial) if is_session_end(denial) => {}
                    Err(Denial::Stale(_)) => {
                        self.read.push_front(end);
                        tokio::time::sleep(RETRY_INTERVAL).await;
                    }
                    Err(_) => self.is_over = true,
                }
                continue;
            }
            // Before the read: the row of an end that is known now will be found, unless the end is a
            // floor's, whose rows are ended after very many others.
            let has_ended = self.guard.authenticate(&self.caller).is_err_and(is_session_end);
            let read =
                if has_ended && self.is_below_a_floor() { Ok(false) } else { self.read_on().await };
            let read = match read {
                Ok(false) if has_ended => self.read_own_end().await,
                read => read,
            };
            match read {
                Ok(true) => {}
                Ok(false) if has_ended => self.is_over = true,
                Ok(false) => self.watch.changed().await,
                // The feed, which reads the same, has logged it.
                Err(Error::Unavailable(_)) => tokio::time::sleep(RETRY_INTERVAL).await,
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "reading ended sessions for a subscription failed");
                    self.is_over = true;
                }
            }
        }
        None
    }

    fn is_below_a_floor(&self) -> bool {
        self.revocations.floor_over(self.viewer.user_id(), self.viewer.session_id()).is_some()
    }

    /// Reads the next events; whether there was, or may be, another.
    async fn read_on(&mut self) -> Result<bool, Error> {
        let found = self.store.ends_after(&self.cursor, self.of).await?;
        if !found.entries.is_empty() {
            let ids: Vec<_> = found.entries.iter().map(|end| end.session_id).collect();
            let mut sessions = self.store.sessions_by_id(&ids).await?;
            // A session that has been deleted has no valid token left.
            let ends = found.entries.into_iter().filter_map(|end| {
                let session = sessions.remove(&end.session_id)?;
                Some(SessionEnded { session, reason: end.reason, at: end.at, cursor: end.cursor })
            });
            self.read.extend(ends);
        }
        self.cursor = found.cursor;
        Ok(found.has_more || !self.read.is_empty())
    }

    /// Reads the end of the caller's own session, which lies before the cursor or is a floor's; whether
    /// there is, or will be, one.
    async fn read_own_end(&mut self) -> Result<bool, Error> {
        let id = self.viewer.session_id();
        let found = self.ends.sessions_by_id(&[id]).await?.remove(&id);
        let Some(session) = found else { return Ok(false) };
        if let Some(End { at, reason, .. }) = session.end {
            let cursor = self.cursor.clone();
            self.read.push_back(SessionEnded { session, reason, at, cursor });
        } else {
            tokio::time::sleep(RETRY_INTERVAL).await;
        }
        Ok(true)
    }
}

/// Whether the caller is denied because its session has ended.
fn is_session_end(denial: Denial) -> bool {
    matches!(
        denial,
        Denial::Unauthenticated(
            UnauthenticatedReason::SessionEnded | UnauthenticatedReason::UserInactive
        )
    )
}
