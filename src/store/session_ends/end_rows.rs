//! The end of sessions by their rows.
//!
//! The session's row, the blacklist entry of its refresh token, its row of the feed and its audit event
//! commit together: in one statement on PostgreSQL, in one transaction on SQLite. Sessions that have
//! ended or expired are left unchanged, so the operation is idempotent.

use sqlx::types::Uuid;
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::session::EndReason;
use crate::store::backend::metered;
use crate::store::backend::notify::CHANNEL;
use crate::store::error::Result;
use crate::store::query::conditions::bind_all;
use crate::store::query::rows::{ip_column, user_agent_column};
use crate::store::session_ends::end_order::EndSessions;
use crate::store::session_ends::ended_session::{EndedSession, MAX_LEEWAY};

/// Number of placeholders of every statement below: time, reason, actor, IP address, user agent,
/// leeway, detail.
const OWN_PLACEHOLDERS: usize = 7;

/// Inserts that accompany the end of a session. The caller appends the
/// table or CTE that they select from.
macro_rules! inserts {
    (entries) => {
        "INSERT INTO blacklist_entries (token_id, session_id, user_id, generation, reason, \
         issued_at, blacklisted_at, expires_at, actor_id, ip, user_agent) \
         SELECT token_id, id, user_id, generation, $2, token_issued_at, $1, token_expires_at, \
         $3, $4, $5 FROM "
    };
    (ends) => {
        "INSERT INTO session_ends (session_id, user_id, reason, actor_id, ended_at, until) \
         SELECT id, user_id, $2, $3, $1, access_expires_at + $6 FROM "
    };
    (audit) => {
        "INSERT INTO audit_events (kind, occurred_at, user_id, actor_id, session_id, ip, \
         user_agent, detail) SELECT 'SESSION_ENDED', $1, user_id, $3, id, $4, $5, $7 FROM "
    };
}

/// The step of a transaction that ends sessions by their rows.
pub(in crate::store) trait EndRows {
    /// Ends the live sessions of the scope. `None`, and nothing is changed, if they are too many for one
    /// transaction.
    ///
    /// `reason` is the word to write: that of the order, or of a floor, which a newer version may have
    /// set.
    fn end_rows(
        &mut self,
        end: &EndSessions,
        reason: &str,
    ) -> impl Future<Output = Result<Option<Vec<EndedSession>>>> + Send;
}

steps! {
    trait Probe {
        /// Finds out why no row was ended: because there was none, or too many.
        async fn none_or_too_many(
            &mut self,
            end: &EndSessions,
        ) -> Result<Option<Vec<EndedSession>>> {
            if end.scope.wide().is_none() {
                return Ok(Some(Vec::new()));
            }
            let conditions = end.conditions(1);
            let sql = format!("SELECT 1 FROM sessions WHERE {} LIMIT 1", conditions.sql());
            let query = metered::query_scalar(AssertSqlSafe(sql)).bind(end.at.as_micros());
            let found: Option<i32> =
                bind_all!(query, conditions.into_args()).fetch_optional(self).await?;
            Ok(found.is_none().then(Vec::new))
        }
    }
}

/// Binds the [`OWN_PLACEHOLDERS`].
macro_rules! bind_end {
    ($query:expr, $end:expr, $reason:expr) => {
        $query
            .bind($end.at.as_micros())
            .bind($reason)
            .bind($end.actor.map(UserId::as_uuid))
            .bind(ip_column($end.origin.ip))
            .bind(user_agent_column(&$end.origin))
            .bind(i64::try_from(MAX_LEEWAY.as_micros()).unwrap_or(i64::MAX))
            .bind($end.detail($reason))
    };
}

fn ended_sessions(rows: Vec<(Uuid, Uuid, i64)>, reason: EndReason) -> Vec<EndedSession> {
    rows.into_iter()
        .map(|(id, user_id, until)| EndedSession {
            id: SessionId::from_uuid(id),
            user_id: UserId::from_uuid(user_id),
            reason,
            until: Timestamp::from_micros(until),
        })
        .collect()
}

/// One statement, whose updated rows are the source of all inserts. The rows are locked in the order of
/// their ids first: rotations move rows within the table, so two transactions that end the same sessions
/// in table order could deadlock. The notification is sent only if a session ended, and once: it takes
/// a lock that is shared by the whole server.
impl EndRows for PgConnection {
    async fn end_rows(
        &mut self,
        end: &EndSessions,
        reason: &str,
    ) -> Result<Option<Vec<EndedSession>>> {
        let sql = format!(
            concat!(
                "WITH live AS (SELECT id FROM sessions WHERE {} ORDER BY id FOR NO KEY UPDATE), \
                 ended AS (UPDATE sessions SET ended_at = $1, end_reason = $2, ended_by = $3 \
                 FROM live WHERE sessions.id = live.id RETURNING sessions.id, user_id, token_id, \
                 generation, token_issued_at, token_expires_at, access_expires_at), \
                 entries AS (",
                inserts!(entries),
                "ended ON CONFLICT DO NOTHING), ends AS (",
                inserts!(ends),
                "ended), events AS (",
                inserts!(audit),
                "ended) SELECT id, user_id, access_expires_at + $6, \
                 (SELECT pg_notify('{}', '')) FROM ended"
            ),
            end.conditions_if_few(OWN_PLACEHOLDERS),
            CHANNEL,
        );
        let query = bind_end!(metered::query_as(AssertSqlSafe(sql)), end, reason);
        let args = end.conditions(OWN_PLACEHOLDERS).into_args();
        let rows = bind_all!(query, args).fetch_all(&mut *self).await?;
        if rows.is_empty() {
            return self.none_or_too_many(end).await;
        }
        Ok(Some(ended_sessions(rows, end.reason)))
    }
}

/// SQLite has no writes in `WITH`. The inserts come first, from the rows that are about to end: the
/// transaction is the only writer, so the update finds the same rows.
impl EndRows for SqliteConnection {
    async fn end_rows(
        &mut self,
        end: &EndSessions,
        reason: &str,
    ) -> Result<Option<Vec<EndedSession>>> {
        let conditions = end.conditions(OWN_PLACEHOLDERS);
        let sql = format!(
            concat!(inserts!(ends), "sessions WHERE {}"),
            end.conditions_if_few(OWN_PLACEHOLDERS)
        );
        let query = bind_end!(metered::query(AssertSqlSafe(sql)), end, reason);
        let query = bind_all!(query, conditions.clone().into_args());
        if query.execute(&mut *self).await?.rows_affected() == 0 {
            return self.none_or_too_many(end).await;
        }
        for (insert, conflict) in
            [(inserts!(entries), " ON CONFLICT DO NOTHING"), (inserts!(audit), "")]
        {
            let sql = format!("{insert} sessions WHERE {}{conflict}", conditions.sql());
            let query = bind_end!(metered::query(AssertSqlSafe(sql)), end, reason);
            bind_all!(query, conditions.clone().into_args()).execute(&mut *self).await?;
        }
        let sql = format!(
            "UPDATE sessions SET ended_at = $1, end_reason = $2, ended_by = $3 WHERE {} \
             RETURNING id, user_id, access_expires_at + $6",
            conditions.sql()
        );
        let query = bind_end!(metered::query_as(AssertSqlSafe(sql)), end, reason);
        let rows = bind_all!(query, conditions.into_args()).fetch_all(self).await?;
        Ok(Some(ended_sessions(rows, end.reason)))
    }
}
