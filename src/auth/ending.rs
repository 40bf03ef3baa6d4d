//! Ending sessions, however many.
//!
//! Rule: whoever is told that sessions have ended may rely on it at once: this process refuses their
//! access tokens before it answers, and those of the sessions that it finds over. Where a floor was set
//! under very many sessions that is all that the answer waits for. Their rows are ended afterwards, by
//! any process of the service, or for some seconds by the command that set the floor; for as long as
//! that takes, what is read of such a session says already that it has ended, and so are those told who
//! follow from it; its entry, its event and what others are told follow with its row.

use std::time::Duration;

use tokio::sync::Notify;

use super::{Actor, Auth, Error};
use crate::clock::{Stopwatch, Timestamp};
use crate::domain::filter::SessionFilter;
use crate::domain::id::{SessionId, TokenId};
use crate::domain::origin::Origin;
use crate::domain::session::{EndReason, Session};
use crate::entropy::Entropy;
use crate::store::{
    self, AT_ONCE, Batch, EndSessions, EndedSession, Ending, Floor, Matching, NewEvent, Scope,
};

/// How long after its time an end is committed and seen at the latest, by clocks that are apart.
const COMMITTED: Duration = Duration::from_mins(1);

/// The most sessions that are named to whoever ended them.
const NAMED: usize = 100;

/// How long an administrator's order to end sessions with something in common goes on.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long those that are left are counted then: a request is answered within 30 seconds.
const COUNTED: Duration = Duration::from_secs(5);

/// How long a command ends rows itself.
const COMPLETED: Duration = Duration::from_secs(10);

/// How often unfinished floors are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// What an order to end sessions led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ended {
    /// How many it ended.
    pub count: usize,
    /// The newest of them, at most a hundred, the newest first.
    pub newest: Vec<SessionId>,
}

/// Who ends rows below floors, in this process.
pub(super) struct Worker {
    id: TokenId,
    wake: Notify,
}

impl Worker {
    pub(super) fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
        Self { id: TokenId::new(now, entropy), wake: Notify::new() }
    }
}

impl Auth {
    /// Ends sessions.
    pub(super) async fn end(
        &self,
        end: EndSessions,
        event: Option<NewEvent>,
    ) -> Result<Ended, Error> {
        let (scope, at) = (end.scope.clone(), end.at);
        let ending = self.store.end_sessions(end, event).await?;
        self.finish(&scope, at, ending).await
    }

    /// Takes note of what was ended just now, `at` this time, and says what that was.
    pub(super) async fn finish(
        &self,
        scope: &Scope,
        at: Timestamp,
        ending: Ending,
    ) -> Result<Ended, Error> {
        self.note_ending(scope, at, &ending).await?;
        self.count_ending(ending).await
    }

    /// Takes note of what was ended just now, `at` this time.
    pub(super) async fn note_ending(
        &self,
        scope: &Scope,
        at: Timestamp,
        ending: &Ending,
    ) -> Result<(), Error> {
        if let Some(floor) = ending.floor {
            // It covers what had ended before, too.
            self.revocations.add_floors(&[floor]);
            self.worker.wake.notify_one();
            return Ok(());
        }
        let is_one = matches!(scope, Scope::One(_) | Scope::Own { .. });
        if is_one && !ending.ended.is_empty() {
            self.note_ends(&ending.ended);
            return Ok(());
        }
        self.note_all_ends(scope, at, &ending.ended).await
    }

    /// Says how many sessions ended, and which.
    pub(super) async fn count_ending(&self, ending: Ending) -> Result<Ended, Error> {
        if let Some(floor) = ending.floor.filter(|_| ending.is_new) {
            let count = self.store.count_below(&floor).await?;
            return Ok(Ended { count, newest: self.store.newest_below(&floor, NAMED).await? });
        }
        let mut newest: Vec<_> = ending.ended.iter().map(|ended| ended.id).collect();
        let count = newest.len();
        newest.sort_unstable_by(|a, b| b.cmp(a));
        newest.truncate(NAMED);
        Ok(Ended { count, newest })
    }

    /// Takes note of what was ended just now, `at` this time, and of what had ended before, by
    /// whomever, before somebody relies on that it has.
    pub(super) async fn note_all_ends(
        &self,
        scope: &Scope,
        at: Timestamp,
        ended: &[EndedSession],
    ) -> Result<(), Error> {
        self.note_ends(ended);
        let now = self.now();
        // The clock may have been set in between; what was just ended has to be among what is found.
        let since = now.min(at) - self.revocations.staleness() - COMMITTED;
        let floors = self.revocations.floors_of(scope.user());
        let earlier = self.store.earlier_ends(scope, ended, since, now, &floors).await?;
        self.revocations.add(&earlier);
        Ok(())
    }

    /// Ends the live sessions that match: in one transaction where they are few; else batch by batch,
    /// and where that takes too long not all of them. Returns how many it found, and how many it ended;
    /// where there was no time to look at all, it found one more than it ended.
    pub(super) async fn end_found(
        &self,
        matching: &Matching,
        order: EndSessions,
    ) -> Result<(usize, usize), Error> {
        let (began, now) = (Stopwatch::start(), order.at);
        let (mut found, mut behind) = (Vec::new(), None);
        loop {
            let most = AT_ONCE + 1 - found.len();
            let more = self.store.find_matching(matching, behind, most, now).await?;
            found.extend(more.sessions);
            behind = more.behind;
            if behind.is_none() || found.len() > AT_ONCE || began.elapsed() > PATIENCE {
                break;
            }
        }
        if found.len() <= AT_ONCE && behind.is_none() {
            let order = EndSessions { scope: Scope::These(found), ..order };
            let count = self.end(order, None).await?.count;
            return Ok((count, count));
        }
        let mut ended = 0;
        loop {
            for some in found.chunks(self.store.rows_at_once()) {
                let batch = Stopwatch::start();
                let order = EndSessions { scope: Scope::These(some.to_vec()), ..order.clone() };
                let done = self.store.end_sessions(order, None).await?.ended;
                self.note_ends(&done);
                ended += done.len();
                self.rest_after(batch).await;
            }
            if behind.is_none() || began.elapsed() > PATIENCE {
                break;
            }
            let more = self.store.find_matching(matching, behind, AT_ONCE, now).await?;
            (found, behind) = (more.sessions, more.behind);
        }
        // Of what it found others may have ended some meanwhile.
        self.note_all_ends(&order.scope, now, &[]).await?;
        if behind.is_none() {
            return Ok((ended, ended));
        }
        let left = self.store.count_matching(matching, now);
        // Where they are too many to be counted, too, it is known that the search is not over.
        let left = tokio::time::timeout(COUNTED, left).await.unwrap_or(Ok(1))?;
        Ok((ended + left, ended))
    }

    /// Ends rows of what a command ended, for some seconds; a service does so by itself, and goes on
    /// with what is left.
    pub(super) async fn complete(&self, by: Actor) -> Result<(), Error> {
        match by {
            // All sessions are over already; nobody waits minutes to be told.
            Actor::Operator => {
                tokio::time::timeout(COMPLETED, self.end_rows()).await.unwrap_or(Ok(()))
            }
            Actor::User(_) => Ok(()),
        }
    }

    /// Ends the rows below all floors that are known, or waits for others who do.
    ///
    /// # Errors
    /// A failure of the service; what was ended by then stays ended.
    pub async fn end_rows(&self) -> Result<(), Error> {
        for floor in self.revocations.unfinished_floors() {
            while !self.end_rows_below(&floor).await? {
                tokio::time::sleep(INTERVAL).await;
            }
        }
        Ok(())
    }

    /// Ends the rows below whatever floor anybody sets, until the task is dropped. A failure is logged
    /// when it begins.
    pub async fn end_rows_forever(&self) {
        let mut failing = false;
        loop {
            // Also for floors that other processes set, and for what failed.
            let _ = tokio::time::timeout(INTERVAL, self.worker.wake.notified()).await;
            let mut failed = None;
            for floor in self.revocations.unfinished_floors() {
                failed = self.end_rows_below(&floor).await.err().or(failed);
            }
            if let (Some(error), false) = (&failed, failing) {
                let error: &dyn std::error::Error = error;
                tracing::error!(error, "sessions are over, but not all of their rows are ended");
            }
            failing = failed.is_some();
        }
    }

    /// Ends rows below a floor, a batch at a time, until there are none, or somebody else is at it;
    /// whether there are none.
    async fn end_rows_below(&self, floor: &Floor) -> Result<bool, store::Error> {
        loop {
            let batch = Stopwatch::start();
            match self.store.end_batch(floor.id, self.worker.id, self.now()).await? {
                Batch::Ended(ended) => self.note_ends(&ended),
                Batch::Last(ended, floor) => {
                    self.note_ends(&ended);
                    self.revocations.add_floors(&[floor]);
                    return Ok(true);
                }
                Batch::Elsewhere => return Ok(false),
                Batch::Done => return Ok(true),
            }
            self.rest_after(batch).await;
        }
    }

    async fn rest_after(&self, batch: Stopwatch) {
        tokio::time::sleep(batch.elapsed() * self.store.rests()).await;
    }

    /// The session as it stands, though its row may not say yet that it is over.
    pub(super) fn as_it_stands(&self, mut session: Session) -> Session {
        if session.end.is_none() && session.token.expires_at > self.now() {
            let floor = self.revocations.floor_over(session.user_id, session.id);
            session.end = floor.map(|floor| floor.end());
        }
        session
    }
}

/// The scope of all sessions that a filter shows, where that is one account's or everybody's.
pub(super) fn whole(filter: &SessionFilter, except: SessionId) -> Option<Scope> {
    let scope = match filter.user_id {
        Some(user) => Scope::Others { user, except },
        None => Scope::AllBut(except),
    };
    filter.is_of_owner_only().then_some(scope)
}

/// An administrator's order.
pub(super) fn order(by: Actor, scope: Scope, at: Timestamp, origin: Origin) -> EndSessions {
    EndSessions { scope, reason: EndReason::Admin, at, actor: by.user_id(), origin, note: None }
}
