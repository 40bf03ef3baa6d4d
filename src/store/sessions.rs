//! Single sessions and entries, by id.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use super::conditions::{Arg, Conditions, bind_all};
use super::floors::below_a_floor;
use super::rows::{EntryRow, SessionRow, entry_columns, session_columns};
use super::{Error, Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::blacklist::BlacklistEntry;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::session::{Session, SessionName};

impl Store {
    /// The sessions with these ids, as far as they exist.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn sessions_by_id(&self, ids: &[SessionId]) -> Result<HashMap<SessionId, Session>> {
        let mut conditions = Conditions::after(0);
        conditions.and_one_of("id", ids.iter().map(|id| Arg::Uuid(id.as_uuid())).collect());
        let sql = format!(
            concat!("SELECT ", session_columns!(), " FROM sessions WHERE {}"),
            conditions.sql()
        );
        let args = conditions.into_args();
        let rows: Vec<SessionRow> = read!(self, conn => {
            let query = counted::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        rows.into_iter()
            .map(|row| Session::try_from(row).map(|session| (session.id, session)))
            .collect()
    }

    /// The entries of these tokens, as far as they exist.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn blacklist_entries_by_id(
        &self,
        ids: &[TokenId],
    ) -> Result<HashMap<TokenId, BlacklistEntry>> {
        let mut conditions = Conditions::after(0);
        conditions.and_one_of("token_id", ids.iter().map(|id| Arg::Uuid(id.as_uuid())).collect());
        let sql = format!(
            concat!("SELECT ", entry_columns!(), " FROM blacklist_entries WHERE {}"),
            conditions.sql()
        );
        let args = conditions.into_args();
        let rows: Vec<EntryRow> = read!(self, conn => {
            let query = counted::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        rows.into_iter()
            .map(|row| BlacklistEntry::try_from(row).map(|entry| (entry.token_id, entry)))
            .collect()
    }

    /// Names a user's session. `None` where the user has no such session that is live.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn rename_session(
        &self,
        user: UserId,
        session: SessionId,
        name: SessionName,
        now: Timestamp,
    ) -> Result<Option<Session>> {
        let row: Option<SessionRow> = transact!(self, conn => Ok(counted::query_as(concat!(
            "UPDATE sessions SET name = $1 WHERE id = $2 AND user_id = $3 AND ended_at IS NULL \
             AND token_expires_at > $4 AND NOT ",
            below_a_floor!("sessions.id", "sessions.user_id"),
            " RETURNING ",
            session_columns!()
        ))
        .bind(name.as_str())
        .bind(session.as_uuid())
        .bind(user.as_uuid())
        .bind(now.as_micros())
        .fetch_optional(conn)
        .await?))?;
        row.map(Session::try_from).transpose()
    }
}
