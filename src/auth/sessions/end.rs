//! Ending of sessions, however many.
//!
//! An answer that sessions have ended holds at once: before it is given, this process refuses their access
//! tokens and those of the sessions that it finds ended. For very many sessions only a floor is set before
//! the answer. Their rows are ended afterwards, by any process of the service, or for some seconds by the
//! command that set the floor. In the meantime every read of such a session shows its end already; its
//! blacklist entry, its audit event and the subscription's event follow with its row.

use std::time::Duration;

use super::session_ends::SessionEnds;
use crate::auth::error::Error;
use crate::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::store::{EndSessions, EndedSession, Ending, NewEvent, Scope};

/// Upper bound of the time until an end is committed and seen, plus the clock skew between processes.
const COMMIT_DELAY: Duration = Duration::from_mins(1);

/// Longest list of ended sessions in an answer.
const MAX_NAMED: usize = 100;

/// Outcome of an order to end sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::auth) struct Ended {
    pub count: usize,
    /// The newest first, at most a hundred.
    pub newest: Vec<SessionId>,
}

impl SessionEnds {
    pub(in crate::auth) async fn end(
        &self,
        end: EndSessions,
        event: Option<NewEvent>,
    ) -> Result<Ended, Error> {
        let (scope, at) = (end.scope.clone(), end.at);
        let ending = self.store.end_sessions(end, event).await?;
        self.finish(&scope, at, ending).await
    }

    /// Notes what was ended at this time, and counts it.
    pub(in crate::auth) async fn finish(
        &self,
        scope: &Scope,
        at: Timestamp,
        ending: Ending,
    ) -> Result<Ended, Error> {
        self.note_ending(scope, at, &ending).await?;
        self.count_ending(ending).await
    }

    /// Notes what was ended at this time.
    pub(in crate::auth) async fn note_ending(
        &self,
        scope: &Scope,
        at: Timestamp,
        ending: &Ending,
    ) -> Result<(), Error> {
        if let Some(floor) = ending.floor {
            // It covers what had ended before, too.
            self.revocations.add_floors(&[floor]);
            self.new_floor.notify_one();
            return Ok(());
        }
        let is_one = matches!(scope, Scope::One(_) | Scope::Own { .. });
        if is_one && !ending.ended.is_empty() {
            self.note(&ending.ended);
            return Ok(());
        }
        self.note_all_ends(scope, at, &ending.ended).await
    }

    pub(in crate::auth) async fn count_ending(&self, ending: Ending) -> Result<Ended, Error> {
        if let Some(floor) = ending.floor.filter(|_| ending.is_new) {
            let count = self.store.count_below(&floor).await?;
            return Ok(Ended { count, newest: self.store.newest_below(&floor, MAX_NAMED).await? });
        }
        let mut newest: Vec<_> = ending.ended.iter().map(|ended| ended.id).collect();
        let count = newest.len();
        newest.sort_unstable_by(|a, b| b.cmp(a));
        newest.truncate(MAX_NAMED);
        Ok(Ended { count, newest })
    }

    /// Notes what was ended at this time, and what other processes had ended before: the caller relies on
    /// all of it being refused.
    pub(in crate::auth) async fn note_all_ends(
        &self,
        scope: &Scope,
        at: Timestamp,
        ended: &[EndedSession],
    ) -> Result<(), Error> {
        self.note(ended);
        let now = self.now();
        // The clock may have been set in between; what was just ended has to be among what is found.
        let since = now.min(at) - self.revocations.staleness() - COMMIT_DELAY;
        let floors = self.revocations.floors_of(scope.user());
        let earlier = self.store.recent_ends(scope, ended, since, now, &floors).await?;
        self.revocations.add(&earlier);
        Ok(())
    }
}

/// An order by an administrator, or by the service itself.
pub(in crate::auth) fn end_by_admin(
    by: Option<UserId>,
    scope: Scope,
    at: Timestamp,
    origin: Origin,
) -> EndSessions {
    EndSessions { scope, reason: EndReason::Admin, at, actor: by, origin, note: None }
}
