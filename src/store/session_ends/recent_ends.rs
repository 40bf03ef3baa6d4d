//! Recent ends that the feed of this process may not have read yet.
//!
//! Whoever ends sessions is told that they have ended, and may rely on it at once, even if they had
//! ended before by another process. So this process must know of those ends before it answers. Only
//! recent ones are read: older ones the feed has read, or it is stale and the guard refuses everybody.
//! Reading all, perhaps a million, would take longer than an operation may.

use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::domain::id::SessionId;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions, bind_all};
use crate::store::session_ends::end_order::Scope;
use crate::store::session_ends::ended_session::EndedSession;
use crate::store::session_ends::floor::Floor;

/// A purge by a clock that is ahead may delete a row this much too early.
const MAX_PURGE_SKEW: Duration = Duration::from_mins(2);

impl Scope {
    /// Adds conditions on `session_ends`. A superset of the scope is fine.
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
    /// The sessions of a scope that ended after `since`, may still have an accepted access token and are
    /// below none of these floors. Empty if they are no more than `known`, the sessions that the caller
    /// has just ended: to transfer a thousand rows takes as long as to write them.
    pub async fn recent_ends(
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
        let scope_sql = conditions.sql().to_owned();
        // A known row that a purge may have deleted by now must not stand for another row in the count.
        let known = known.iter().filter(|ended| ended.until > now + MAX_PURGE_SKEW).count();
        let known = i64::try_from(known).unwrap_or(i64::MAX);
        conditions.and("counted.ends > ?", [Arg::Int(known)]);
        let sql = format!(
            "SELECT session_id, user_id, reason, until FROM session_ends, \
             (SELECT count(*) AS ends FROM session_ends WHERE {scope_sql}) AS counted WHERE {}",
            conditions.sql()
        );
        let args = conditions.into_args();
        let rows: Vec<(Uuid, Uuid, String, i64)> = read!(self, conn => {
            let query = metered::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        let ended = rows.into_iter().map(|(session, user, reason, until)| {
            EndedSession::from_columns(session, user, &reason, until)
        });
        Ok(ended.collect())
    }
}
