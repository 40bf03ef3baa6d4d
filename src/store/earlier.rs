//! The ends that stand already.
//!
//! Rule: who ends what has ended is told that it has, and may rely on that at once; so the process
//! must know of it by then, though it may not have read it yet, as after an answer that was lost. What
//! ended longer ago the feed has read, or it is stale and nobody is let in: to read all there is, which
//! may be a million, would take longer than an answer may.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use super::conditions::{Arg, Conditions, bind_all};
use super::feed::read_end;
use super::{EndedSession, Error, Floor, Result, Scope, Store, counted};
use crate::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};

/// How long before its time a row may be gone, by clocks that are apart.
const PURGED: Duration = Duration::from_mins(2);

impl Scope {
    /// Whose sessions, where they are one user's.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match *self {
            Self::Own { user, .. } | Self::User(user) | Self::Others { user, .. } => Some(user),
            Self::One(_) | Self::All | Self::AllBut(_) | Self::These(_) => None,
        }
    }

    /// Adds which ends are of this scope: more than those, rather than fewer.
    fn add_to(&self, conditions: &mut Conditions) {
        match self {
            Self::One(session) | Self::Own { session, .. } => {
                conditions.and("session_id = ?", [Arg::Uuid(session.as_uuid())]);
            }
            Self::User(user) | Self::Others { user, .. } => {
                conditions.and("user_id = ?", [Arg::Uuid(user.as_uuid())]);
            }
            Self::All | Self::AllBut(_) | Self::These(_) => {}
        }
    }
}

impl Store {
    /// The sessions of a scope that ended after `since` and of which an access token may be alive, but
    /// for those that are known to be below one of these floors; none where they are no more than
    /// `known`, those that whoever asks has just ended. To hand over a thousand rows takes as long as
    /// to write them.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn earlier_ends(
        &self,
        scope: &Scope,
        known: &[EndedSession],
        since: Timestamp,
        now: Timestamp,
        floors: &[Floor],
    ) -> Result<Vec<EndedSession>> {
        let mut conditions = Conditions::after(0);
        conditions.and("until > ?", [Arg::Int(now.as_micros())]);
        conditions.and("ended_at > ?", [Arg::Int(since.as_micros())]);
        scope.add_to(&mut conditions);
        for floor in floors {
            let [below, except] = [Some(floor.below), floor.except]
                .map(|id| Arg::Uuid(id.map_or(Uuid::nil(), SessionId::as_uuid)));
            match floor.user {
                None => conditions.and("session_id >= ? OR session_id = ?", [below, except]),
                Some(user) => conditions.and(
                    "session_id >= ? OR session_id = ? OR user_id <> ?",
                    [below, except, Arg::Uuid(user.as_uuid())],
                ),
            }
        }
        let these = conditions.sql().to_owned();
        // One that a purge by a clock ahead could have deleted by now must not stand for another.
        let known = known.iter().filter(|ended| ended.until > now + PURGED).count();
        let known = i64::try_from(known).unwrap_or(i64::MAX);
        conditions.and("counted.ends > ?", [Arg::Int(known)]);
        let sql = format!(
            "SELECT session_id, user_id, reason, until FROM session_ends, \
             (SELECT count(*) AS ends FROM session_ends WHERE {these}) AS counted WHERE {}",
            conditions.sql()
        );
        let args = conditions.into_args();
        let rows: Vec<(Uuid, Uuid, String, i64)> = read!(self, conn => {
            let query = counted::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        let ends = rows.into_iter();
        ends.map(|(session, user, reason, until)| read_end(session, user, &reason, until)).collect()
    }
}
