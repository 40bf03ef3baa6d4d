//! The end of sessions by their rows.
//!
//! Rule: with the session's row commit its blacklist entry, its row for the feed and its audit event,
//! in one statement on PostgreSQL and one transaction on SQLite. Sessions that have ended or run out
//! are left as they are, so ending twice is ending once. A scope that may hold very many sessions ends
//! here as long as they are few; else by a [floor](super::floors).

use std::time::Duration;

use sqlx::types::Uuid;
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use super::audit::{Audit, NewEvent};
use super::conditions::{Arg, Conditions, bind_all};
use super::feed::CHANNEL;
use super::floors::{AT_ONCE, Ending, Floors};
use super::rows::{ip_column, user_agent_column};
use super::{Result, Store, counted};
use crate::clock::{MAX_SKEW, Timestamp};
use crate::domain::audit::Note;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::{EndReason, Session};

/// An access token counts as alive for so long after its `exp`, so an ended session is remembered as
/// long.
pub const MAX_LEEWAY: Duration = MAX_SKEW;

/// Which live sessions.
#[derive(Clone, Debug)]
pub enum Scope {
    /// This one.
    One(SessionId),
    /// This one, if it is this user's.
    Own {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
    },
    /// All of a user's.
    User(UserId),
    /// All of a user's but one.
    Others {
        /// Whose.
        user: UserId,
        /// Which one stays.
        except: SessionId,
    },
    /// Everybody's.
    All,
    /// Everybody's but one.
    AllBut(SessionId),
    /// These.
    These(Vec<SessionId>),
}

/// An order to end sessions.
#[derive(Clone, Debug)]
pub struct EndSessions {
    /// Which.
    pub scope: Scope,
    /// Why.
    pub reason: EndReason,
    /// When: now.
    pub at: Timestamp,
    /// By whom, where somebody known gave it.
    pub actor: Option<UserId>,
    /// From where.
    pub origin: Origin,
    /// Why, in the words of whoever gave it.
    pub note: Option<Note>,
}

/// A session that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedSession {
    /// Which.
    pub id: SessionId,
    /// Whose it was.
    pub user_id: UserId,
    /// What ended it.
    pub reason: EndReason,
    /// The last moment at which an access token of it could be alive.
    pub until: Timestamp,
}

impl EndedSession {
    /// What is to be known of this session, if it has ended.
    #[must_use]
    pub fn of(session: &Session) -> Option<Self> {
        let Session { id, user_id, access_expires_at, .. } = *session;
        let reason = session.end.as_ref()?.reason;
        Some(Self { id, user_id, reason, until: access_expires_at + MAX_LEEWAY })
    }
}

/// Placeholders that every statement below has: at, reason, actor, ip, user agent, leeway, detail.
const OWN: usize = 7;

impl EndSessions {
    /// Which sessions, in a statement that has so many placeholders of its own, the time first.
    fn conditions(&self, own: usize) -> Conditions {
        let mut conditions = Conditions::after(own);
        conditions.and("ended_at IS NULL AND token_expires_at > $1", []);
        let uuid = |user: &UserId| Arg::Uuid(user.as_uuid());
        match &self.scope {
            Scope::One(session) => conditions.and("id = ?", [Arg::Uuid(session.as_uuid())]),
            Scope::Own { user, session } => {
                conditions
                    .and("id = ? AND user_id = ?", [Arg::Uuid(session.as_uuid()), uuid(user)]);
            }
            Scope::User(user) => conditions.and("user_id = ?", [uuid(user)]),
            Scope::Others { user, except } => {
                conditions
                    .and("user_id = ? AND id <> ?", [uuid(user), Arg::Uuid(except.as_uuid())]);
            }
            Scope::All => {}
            Scope::AllBut(except) => conditions.and("id <> ?", [Arg::Uuid(except.as_uuid())]),
            Scope::These(sessions) => conditions
                .and_one_of("id", sessions.iter().map(|id| Arg::Uuid(id.as_uuid())).collect()),
        }
        conditions
    }

    /// The same, and where they may be very many that they are not.
    fn few(&self) -> String {
        let conditions = self.conditions(OWN).sql().to_owned();
        if self.scope.wide().is_none() {
            return conditions;
        }
        format!(
            "{conditions} AND (SELECT count(*) FROM (SELECT 1 FROM sessions WHERE {conditions} \
             LIMIT {}) AS found) <= {AT_ONCE}",
            AT_ONCE + 1
        )
    }

    /// What the audit says of each.
    fn detail(&self) -> String {
        let reason = self.reason.as_str();
        let note = self.note.as_ref();
        note.map_or_else(|| reason.to_owned(), |note| format!("{reason}: {}", note.as_str()))
    }
}

/// What follows from an ended session, read from `sessions` under the given name.
macro_rules! consequences {
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
pub(super) trait End {
    /// Ends what is live of the scope. `None` where that is too much for one transaction, and nothing
    /// is done.
    fn end_sessions(
        &mut self,
        end: &EndSessions,
    ) -> impl Future<Output = Result<Option<Vec<EndedSession>>>> + Send;
}

steps! {
    /// Tells few from many.
    trait Probe {
        /// What it means that a wide scope had nothing to end, or too much.
        async fn nothing_or_too_much(
            &mut self,
            end: &EndSessions,
        ) -> Result<Option<Vec<EndedSession>>> {
            if end.scope.wide().is_none() {
                return Ok(Some(Vec::new()));
            }
            let conditions = end.conditions(1);
            let sql = format!("SELECT 1 FROM sessions WHERE {} LIMIT 1", conditions.sql());
            let query = counted::query_scalar(AssertSqlSafe(sql)).bind(end.at.as_micros());
            let found: Option<i32> =
                bind_all!(query, conditions.into_args()).fetch_optional(self).await?;
            Ok(found.is_none().then(Vec::new))
        }
    }
}

/// Binds the placeholders that every statement has.
macro_rules! bind_end {
    ($query:expr, $end:expr) => {
        $query
            .bind($end.at.as_micros())
            .bind($end.reason.as_str())
            .bind($end.actor.map(UserId::as_uuid))
            .bind(ip_column($end.origin.ip))
            .bind(user_agent_column(&$end.origin))
            .bind(i64::try_from(MAX_LEEWAY.as_micros()).unwrap_or(i64::MAX))
            .bind($end.detail())
    };
}

fn ended(rows: Vec<(Uuid, Uuid, i64)>, reason: EndReason) -> Vec<EndedSession> {
    rows.into_iter()
        .map(|(id, user_id, until)| EndedSession {
            id: SessionId::from_uuid(id),
            user_id: UserId::from_uuid(user_id),
            reason,
            until: Timestamp::from_micros(until),
        })
        .collect()
}

/// One statement: the update's rows feed everything else. They are locked by their ids' order first:
/// rotations move rows about, and two that end the same sessions, each in the order in which they lie
/// there, wait for each other. Only where any end are the feeds of other processes woken, and once: a
/// notification takes a lock that all of the server's share.
impl End for PgConnection {
    async fn end_sessions(&mut self, end: &EndSessions) -> Result<Option<Vec<EndedSession>>> {
        let sql = format!(
            concat!(
                "WITH live AS (SELECT id FROM sessions WHERE {} ORDER BY id FOR NO KEY UPDATE), \
                 ended AS (UPDATE sessions SET ended_at = $1, end_reason = $2, ended_by = $3 \
                 FROM live WHERE sessions.id = live.id RETURNING sessions.id, user_id, token_id, \
                 generation, token_issued_at, token_expires_at, access_expires_at), \
                 entries AS (",
                consequences!(entries),
                "ended ON CONFLICT DO NOTHING), ends AS (",
                consequences!(ends),
                "ended), events AS (",
                consequences!(audit),
                "ended) SELECT id, user_id, access_expires_at + $6, \
                 (SELECT pg_notify('{}', '')) FROM ended"
            ),
            end.few(),
            CHANNEL,
        );
        let query = bind_end!(counted::query_as(AssertSqlSafe(sql)), end);
        let args = end.conditions(OWN).into_args();
        let rows = bind_all!(query, args).fetch_all(&mut *self).await?;
        if rows.is_empty() {
            return self.nothing_or_too_much(end).await;
        }
        Ok(Some(ended(rows, end.reason)))
    }
}

/// SQLite has no writes inside `WITH`. What follows from the ends is written first, from the rows
/// that are about to end: the transaction is the only writer, so the update finds the same ones.
impl End for SqliteConnection {
    async fn end_sessions(&mut self, end: &EndSessions) -> Result<Option<Vec<EndedSession>>> {
        let conditions = end.conditions(OWN);
        let sql = format!(concat!(consequences!(ends), "sessions WHERE {}"), end.few());
        let query = bind_end!(counted::query(AssertSqlSafe(sql)), end);
        let query = bind_all!(query, conditions.clone().into_args());
        if query.execute(&mut *self).await?.rows_affected() == 0 {
            return self.nothing_or_too_much(end).await;
        }
        for (consequence, conflict) in
            [(consequences!(entries), " ON CONFLICT DO NOTHING"), (consequences!(audit), "")]
        {
            let sql = format!("{consequence} sessions WHERE {}{conflict}", conditions.sql());
            let query = bind_end!(counted::query(AssertSqlSafe(sql)), end);
            bind_all!(query, conditions.clone().into_args()).execute(&mut *self).await?;
        }
        let sql = format!(
            "UPDATE sessions SET ended_at = $1, end_reason = $2, ended_by = $3 WHERE {} \
             RETURNING id, user_id, access_expires_at + $6",
            conditions.sql()
        );
        let query = bind_end!(counted::query_as(AssertSqlSafe(sql)), end);
        let rows = bind_all!(query, conditions.into_args()).fetch_all(self).await?;
        Ok(Some(ended(rows, end.reason)))
    }
}

impl Store {
    /// Ends the live sessions of a scope and, if there are any, writes down what led to it.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn end_sessions(&self, end: EndSessions, event: Option<NewEvent>) -> Result<Ending> {
        transact!(self, conn => {
            let ending = conn.end_all(&end).await?;
            if let Some(event) = event.as_ref().filter(|_| ending.is_new || !ending.ended.is_empty()) {
                conn.write_down(event).await?;
            }
            Ok(ending)
        })
    }
}
