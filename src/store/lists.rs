//! Lists of users, sessions, blacklist entries and audit events, with keyset pagination.
//!
//! A page is one statement on an index in the list's order, so it costs the same at any position.
//! Counts stop at [`COUNT_CAP`].

use sqlx::AssertSqlSafe;

use crate::clock::Timestamp;
use crate::domain::audit::{AuditEvent, AuditEventId};
use crate::domain::blacklist::BlacklistEntry;
use crate::domain::filter::{AuditFilter, BlacklistFilter, SessionFilter, UserFilter};
use crate::domain::id::{SessionId, TokenId};
use crate::domain::pagination::{COUNT_CAP, Page, PageRequest};
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions, bind_all};
use crate::store::query::filters::{
    add_session_filter, entry_conditions, event_conditions, user_conditions,
};
use crate::store::query::rows::{
    EntryRow, EventRow, SessionRow, UserRow, entry_columns, event_columns, session_columns,
    user_columns,
};

/// Reads one page. `$reversed` is the opposite of `$order`.
macro_rules! list {
    ($store:expr, $conditions:expr, $page:expr, $row:ty => $item:ty,
     select $columns:expr, from $table:literal, order $order:literal, reversed $reversed:literal) => {{
        let order = if $page.from_end { $reversed } else { $order };
        let sql = format!(
            concat!("SELECT {} FROM ", $table, " WHERE {} ORDER BY {} LIMIT {}"),
            $columns,
            $conditions.sql(),
            order,
            $page.size + 1
        );
        let args = $conditions.into_args();
        let rows: Vec<$row> = read!($store, conn => {
            let query = metered::query_as(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        let items: Result<Vec<$item>> = rows.into_iter().map(<$item>::try_from).collect();
        Ok(Page::of(items?, $page))
    }};
}

macro_rules! count {
    ($store:expr, $conditions:expr, from $table:literal) => {{
        let sql = format!(
            concat!("SELECT count(*) FROM (SELECT 1 FROM ", $table, " WHERE {} LIMIT {}) AS found"),
            $conditions.sql(),
            COUNT_CAP + 1
        );
        let args = $conditions.into_args();
        let count: i64 = read!($store, conn => {
            let query = metered::query_scalar(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_one(conn).await?)
        })?;
        Ok((count <= COUNT_CAP).then_some(count))
    }};
}

impl Store {
    fn session_conditions(&self, filter: &SessionFilter, now: Timestamp) -> Conditions {
        let mut conditions = Conditions::after(0);
        add_session_filter(&mut conditions, filter, now, self.kind());
        conditions
    }

    /// Ordered by username.
    pub async fn users(
        &self,
        filter: &UserFilter,
        page: &PageRequest<String>,
    ) -> Result<Page<User>> {
        let mut conditions = user_conditions(filter);
        if let Some(after) = &page.after {
            conditions.and("username_key > ?", [Arg::Text(after.clone())]);
        }
        if let Some(before) = &page.before {
            conditions.and("username_key < ?", [Arg::Text(before.clone())]);
        }
        list!(self, conditions, page, UserRow => User, select user_columns!(), from "users",
              order "username_key", reversed "username_key DESC")
    }

    /// `None` if more than [`COUNT_CAP`].
    pub async fn count_users(&self, filter: &UserFilter) -> Result<Option<i64>> {
        let conditions = user_conditions(filter);
        count!(self, conditions, from "users")
    }

    /// Newest first.
    pub async fn sessions(
        &self,
        filter: &SessionFilter,
        page: &PageRequest<SessionId>,
        now: Timestamp,
    ) -> Result<Page<Session>> {
        let mut conditions = self.session_conditions(filter, now);
        if let Some(after) = page.after {
            conditions.and("id < ?", [Arg::Uuid(after.as_uuid())]);
        }
        if let Some(before) = page.before {
            conditions.and("id > ?", [Arg::Uuid(before.as_uuid())]);
        }
        list!(self, conditions, page, SessionRow => Session, select session_columns!(),
              from "sessions", order "id DESC", reversed "id")
    }

    /// `None` if more than [`COUNT_CAP`].
    pub async fn count_sessions(
        &self,
        filter: &SessionFilter,
        now: Timestamp,
    ) -> Result<Option<i64>> {
        let conditions = self.session_conditions(filter, now);
        count!(self, conditions, from "sessions")
    }

    /// Newest first.
    pub async fn blacklist_entries(
        &self,
        filter: &BlacklistFilter,
        page: &PageRequest<(Timestamp, TokenId)>,
    ) -> Result<Page<BlacklistEntry>> {
        let mut conditions = entry_conditions(filter);
        let key =
            |(at, id): (Timestamp, TokenId)| [Arg::Int(at.as_micros()), Arg::Uuid(id.as_uuid())];
        if let Some(after) = page.after {
            conditions.and("(blacklisted_at, token_id) < (?, ?)", key(after));
        }
        if let Some(before) = page.before {
            conditions.and("(blacklisted_at, token_id) > (?, ?)", key(before));
        }
        list!(self, conditions, page, EntryRow => BlacklistEntry, select entry_columns!(),
              from "blacklist_entries", order "blacklisted_at DESC, token_id DESC",
              reversed "blacklisted_at, token_id")
    }

    /// `None` if more than [`COUNT_CAP`].
    pub async fn count_blacklist_entries(&self, filter: &BlacklistFilter) -> Result<Option<i64>> {
        let conditions = entry_conditions(filter);
        count!(self, conditions, from "blacklist_entries")
    }

    /// Newest first.
    pub async fn audit_events(
        &self,
        filter: &AuditFilter,
        page: &PageRequest<(Timestamp, AuditEventId)>,
    ) -> Result<Page<AuditEvent>> {
        let mut conditions = event_conditions(filter);
        let key = |(at, id): (Timestamp, AuditEventId)| [Arg::Int(at.as_micros()), Arg::Int(id.0)];
        if let Some(after) = page.after {
            conditions.and("(occurred_at, id) < (?, ?)", key(after));
        }
        if let Some(before) = page.before {
            conditions.and("(occurred_at, id) > (?, ?)", key(before));
        }
        list!(self, conditions, page, EventRow => AuditEvent, select event_columns!(),
              from "audit_events", order "occurred_at DESC, id DESC", reversed "occurred_at, id")
    }

    /// `None` if more than [`COUNT_CAP`].
    pub async fn count_audit_events(&self, filter: &AuditFilter) -> Result<Option<i64>> {
        let conditions = event_conditions(filter);
        count!(self, conditions, from "audit_events")
    }
}
