//! Following the ends of sessions: one's own, or everybody's.
//!
//! Rule: whoever follows is judged again at each end. A session that is over is told of nothing more
//! than its own end, which is what its client waits for, and reads nothing by it. That it is told in any
//! case: it may have ended between the judgement and the place from which it follows. Nothing is
//! buffered for a slow follower: what it has not asked for yet stays in the database.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::error::{Denial, Reason};
use super::{Auth, Caller, Error, Viewer};
use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::session::{End, EndReason, Session};
use crate::domain::user::Role;
use crate::revocation::Watch;
use crate::store::FeedCursor;

/// How long to wait where the database is away, or it cannot be told whether a session still lives.
const RETRY: Duration = Duration::from_secs(1);

/// Whose sessions are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// The caller's own: behind this place, or from now on.
    Own(Option<FeedCursor>),
    /// Everybody's, likewise.
    All(Option<FeedCursor>),
}

/// A session that ended.
#[derive(Clone, Debug)]
pub struct SessionEnded {
    /// Which.
    pub session: Session,
    /// What ended it.
    pub reason: EndReason,
    /// When.
    pub at: Timestamp,
    /// From where to follow after this one.
    pub place: FeedCursor,
}

/// Somebody who follows ends.
pub struct Follower {
    auth: Arc<Auth>,
    caller: Caller,
    role: Option<Role>,
    viewer: Viewer,
    of: Option<UserId>,
    watch: Watch,
    place: FeedCursor,
    read: VecDeque<SessionEnded>,
    is_over: bool,
}

impl Auth {
    /// Follows ends, as a caller of this role may.
    ///
    /// # Errors
    /// [`Denial`], or a failure of the service.
    pub async fn follow(
        self: &Arc<Self>,
        caller: &Caller,
        role: Option<Role>,
        followed: Followed,
    ) -> Result<Follower, Error> {
        let viewer = self.authorize(caller, role)?;
        let (of, place) = match followed {
            Followed::Own(place) => (Some(viewer.user_id), place),
            Followed::All(_) if !viewer.is_admin() => return Err(Denial::Forbidden.into()),
            Followed::All(place) => (None, place),
        };
        // Watched before the place is asked for: an end in between is told.
        let watch = self.revocations.watch(of);
        let place = match place {
            Some(place) => place,
            None => self.store.last_place().await?,
        };
        let (auth, caller, read) = (Arc::clone(self), caller.clone(), VecDeque::new());
        Ok(Follower { auth, caller, role, viewer, of, watch, place, read, is_over: false })
    }
}

impl Follower {
    /// Who follows.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        self.viewer
    }

    /// The next end; `None` where this follower is told of no more.
    pub async fn next(&mut self) -> Option<SessionEnded> {
        while !self.is_over {
            if let Some(end) = self.read.pop_front() {
                if end.session.id == self.viewer.session_id {
                    self.is_over = true;
                    self.viewer = Viewer::stranger(end.session.id);
                    return Some(SessionEnded { session: end.session.outline(), ..end });
                }
                match self.auth.authorize(&self.caller, self.role) {
                    Ok(_) => return Some(end),
                    Err(denial) if tells_the_end(denial) => {}
                    Err(Denial::Stale(_)) => {
                        self.read.push_front(end);
                        tokio::time::sleep(RETRY).await;
                    }
                    Err(_) => self.is_over = true,
                }
                continue;
            }
            // Asked before reading: the row of an end that is known is there, unless it is that of a
            // floor, whose rows are ended after very many others.
            let has_ended = self.auth.authenticate(&self.caller).is_err_and(tells_the_end);
            let read =
                if has_ended && self.is_below_a_floor() { Ok(false) } else { self.read_on().await };
            let read = match read {
                Ok(false) if has_ended => self.read_own_end().await,
                read => read,
            };
            match read {
                Ok(true) => {}
                Ok(false) if has_ended => self.is_over = true,
                Ok(false) => self.watch.told().await,
                // The feed, which reads the same, has logged it.
                Err(Error::Unavailable(_)) => tokio::time::sleep(RETRY).await,
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "the ends of sessions cannot be followed");
                    self.is_over = true;
                }
            }
        }
        None
    }

    fn is_below_a_floor(&self) -> bool {
        let Viewer { user_id, session_id, .. } = self.viewer;
        self.auth.revocations.floor_over(user_id, session_id).is_some()
    }

    /// Reads on; whether there was, or may be, anything.
    async fn read_on(&mut self) -> Result<bool, Error> {
        let store = &self.auth.store;
        let found = store.ends_behind(&self.place, self.of).await?;
        if !found.ends.is_empty() {
            let ids: Vec<_> = found.ends.iter().map(|end| end.session_id).collect();
            let mut sessions = store.sessions_by_id(&ids).await?;
            // A session that is deleted already has no token that could be alive.
            let ends = found.ends.into_iter().filter_map(|end| {
                let session = sessions.remove(&end.session_id)?;
                Some(SessionEnded { session, reason: end.reason, at: end.at, place: end.place })
            });
            self.read.extend(ends);
        }
        self.place = found.place;
        Ok(found.more || !self.read.is_empty())
    }

    /// Reads the end of the follower's own session, which lies before the place or is that of a floor;
    /// whether there is, or will be, one.
    async fn read_own_end(&mut self) -> Result<bool, Error> {
        let id = self.viewer.session_id;
        let found = self.auth.sessions_by_id(&[id]).await?.remove(&id);
        let Some(session) = found else { return Ok(false) };
        if let Some(End { at, reason, .. }) = session.end {
            self.read.push_back(SessionEnded { session, reason, at, place: self.place.clone() });
        } else {
            tokio::time::sleep(RETRY).await;
        }
        Ok(true)
    }
}

/// Whether it is denied because the session of whoever asked has ended.
fn tells_the_end(denial: Denial) -> bool {
    matches!(denial, Denial::Unauthenticated(Reason::SessionEnded | Reason::UserInactive))
}
