//! The end of any number of sessions: by their rows if few, by a floor if many.

use sqlx::types::Uuid;
use sqlx::{PgConnection, SqliteConnection};

use crate::domain::audit::Note;
use crate::domain::id::{SessionId, UserId};
use crate::store::backend::metered;
use crate::store::backend::notify::Notify;
use crate::store::error::Result;
use crate::store::query::floor_sql::LOCK_GLOBAL_FLOOR;
use crate::store::query::rows::{ip_column, user_agent_column};
use crate::store::session_ends::end_foreign_tokens::EndForeignTokens;
use crate::store::session_ends::end_order::EndSessions;
use crate::store::session_ends::end_rows::EndRows;
use crate::store::session_ends::ended_session::EndedSession;
use crate::store::session_ends::floor::{Floor, FloorRow, floor_columns};

/// The result of an order to end sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    pub ended: Vec<EndedSession>,
    /// The floor that ended the other sessions of the scope.
    pub floor: Option<Floor>,
    /// Whether this order set the floor, rather than finding an equivalent one.
    pub is_new: bool,
}

/// The newest session of a user, or of all if `$1` is null. Two branches, since each is on an index.
macro_rules! newest_session {
    () => {
        "SELECT id FROM (SELECT (SELECT id FROM sessions WHERE user_id = $1 \
         ORDER BY id DESC LIMIT 1) AS id WHERE $1 IS NOT NULL \
         UNION ALL SELECT (SELECT id FROM sessions ORDER BY id DESC LIMIT 1) AS id \
         WHERE $1 IS NULL) AS newest WHERE id IS NOT NULL"
    };
}

/// Prevents logins of the account, or of all accounts, from committing until the end of the transaction.
/// On SQLite the transaction is the only writer anyway.
trait BlockLogins {
    async fn block_logins(&mut self, user: Option<UserId>) -> Result<()>;
}

impl BlockLogins for SqliteConnection {
    async fn block_logins(&mut self, _: Option<UserId>) -> Result<()> {
        Ok(())
    }
}

impl BlockLogins for PgConnection {
    async fn block_logins(&mut self, user: Option<UserId>) -> Result<()> {
        match user {
            Some(user) => {
                metered::query("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE")
                    .bind(user.as_uuid())
                    .execute(self)
                    .await?;
            }
            None => {
                metered::query(LOCK_GLOBAL_FLOOR).execute(self).await?;
            }
        }
        Ok(())
    }
}

steps! {
    /// Steps of a transaction that ends any number of sessions.
    pub(in crate::store) trait EndAll {
        /// Ends the sessions of the scope, and where they are all of a user's, the tokens of another system that
        /// were not exchanged for a session yet.
        async fn end_all(&mut self, end: &EndSessions) -> Result<Ending> {
            self.end_foreign_tokens(end).await?;
            self.end_sessions_only(end).await
        }

        /// Ends the sessions of the scope, and leaves tokens of another system as they are.
        async fn end_sessions_only(&mut self, end: &EndSessions) -> Result<Ending> {
            match (self.end_rows(end, end.reason.as_str()).await?, end.scope.wide()) {
                (None, Some((user, except))) => self.set_floor(end, user, except).await,
                (ended, _) => {
                    let ended = ended.unwrap_or_default();
                    Ok(Ending { ended, ..Ending::default() })
                }
            }
        }

        /// A floor that covers all existing sessions of the scope and whose rows are not all ended yet.
        async fn equivalent_floor(
            &mut self,
            user: Option<UserId>,
            except: Option<SessionId>,
        ) -> Result<Option<Floor>> {
            let row: Option<FloorRow> = metered::query_as(concat!(
                "SELECT ", floor_columns!(), " FROM session_floors WHERE done_at IS NULL \
                 AND (user_id = $1 OR user_id IS NULL) \
                 AND (except_session IS NULL OR except_session = $2) AND NOT EXISTS \
                 (SELECT 1 FROM (", newest_session!(), ") AS newest WHERE newest.id >= below) \
                 ORDER BY id LIMIT 1"
            ))
            .bind(user.map(UserId::as_uuid))
            .bind(except.map(SessionId::as_uuid))
            .fetch_optional(self)
            .await?;
            Ok(row.map(Floor::from))
        }

        /// Sets a floor above all existing sessions of the scope. Of concurrent orders one sets it.
        async fn set_floor(
            &mut self,
            end: &EndSessions,
            user: Option<UserId>,
            except: Option<SessionId>,
        ) -> Result<Ending> {
            // Before waiting for the lock: many may order the same at once.
            if let Some(floor) = self.equivalent_floor(user, except).await? {
                return Ok(Ending { floor: Some(floor), ..Ending::default() });
            }
            self.block_logins(user).await?;
            // Again: another order may have set it while this one waited.
            if let Some(floor) = self.equivalent_floor(user, except).await? {
                return Ok(Ending { floor: Some(floor), ..Ending::default() });
            }
            let newest: Option<Uuid> = metered::query_scalar(newest_session!())
                .bind(user.map(UserId::as_uuid))
                .fetch_optional(&mut *self)
                .await?;
            let now = SessionId::first_after(end.at);
            let newest = newest.map(SessionId::from_uuid);
            let below = newest.map_or(now, |newest| newest.first_behind().max(now));
            let user_id = user.map(UserId::as_uuid);
            let except_id = except.map(SessionId::as_uuid);
            let row: FloorRow = metered::query_as(concat!(
                "INSERT INTO session_floors (user_id, below, except_session, reason, actor_id, \
                 ended_at, ip, user_agent, note, reached, leased_until) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0) RETURNING ",
                floor_columns!()
            ))
            .bind(user_id)
            .bind(below.as_uuid())
            .bind(except_id)
            .bind(end.reason.as_str())
            .bind(end.actor.map(UserId::as_uuid))
            .bind(end.at.as_micros())
            .bind(ip_column(end.origin.ip))
            .bind(user_agent_column(&end.origin))
            .bind(end.note.as_ref().map(Note::as_str))
            .bind(Uuid::nil())
            .fetch_one(&mut *self)
            .await?;
            self.notify_feeds().await?;
            Ok(Ending { floor: Some(row.into()), is_new: true, ended: Vec::new() })
        }
    }
}
