//! Lookups by id, and the rename of a session.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use crate::clock::Timestamp;
use crate::domain::blacklist::BlacklistEntry;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::session::{Session, SessionName};
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions, bind_all};
use crate::store::query::floor_sql::below_a_floor;
use crate::store::query::rows::{EntryRow, SessionRow, entry_columns, session_columns};

impl Store {
    /// Missing sessions are left out.
    pub async fn sessions_by_id(&self, ids: &[SessionId]) -> Result<HashMap<SessionId, Session>> {
        let mut conditions = Conditions::after(0);
        conditions.and_one_of("id", ids.iter().map(|id| Arg::Uuid(id.as_uuid())).collect());
        let sql = format!(
            concat!("SELECT ", session_columns!(), " FROM sessions WHERE {}"),
            conditions.sql()
        );
        let args = conditions.into_args();
        let rows: Vec<SessionRow> = read!(self, conn => {
            let query = metered::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        rows.into_iter()
            .map(|row| Session::try_from(row).map(|session| (session.id, session)))
            .collect()
    }

    /// Missing entries are left out.
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
            let query = metered::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        rows.into_iter()
            .map(|row| BlacklistEntry::try_from(row).map(|entry| (entry.token_id, entry)))
            .collect()
    }

    /// `None` if the user has no live session with this id.
    pub async fn rename_session(
        &self,
        user: UserId,
        session: SessionId,
        name: SessionName,
        now: Timestamp,
    ) -> Result<Option<Session>> {
        let row: Option<SessionRow> = transact!(self, conn => Ok(metered::query_as(concat!(
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
