//! Lists, read a page at a time by keyset.
//!
//! Rule: a page is one statement on an index that has the list's order, and costs the same wherever
//! in the list it lies. Counting stops where [`COUNT_CAP`] says.

use sqlx::AssertSqlSafe;

use super::conditions::{Arg, Conditions, bind_all};
use super::floors::below_a_floor;
use super::rows::{
    EntryRow, EventRow, SessionRow, UserRow, entry_columns, event_columns, session_columns,
    user_columns,
};
use super::{Error, Pools, Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::audit::{AuditEvent, AuditEventId};
use crate::domain::blacklist::BlacklistEntry;
use crate::domain::filter::{AuditFilter, BlacklistFilter, SessionFilter, TimeRange, UserFilter};
use crate::domain::id::{SessionId, TokenId};
use crate::domain::login_name::LoginName;
use crate::domain::page::{COUNT_CAP, Page, PageRequest};
use crate::domain::session::{Session, SessionState};
use crate::domain::user::User;

/// Reads one page, or counts. `$order` is the list's order and `$reversed` the same backwards.
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
            let query = counted::query_as(AssertSqlSafe(sql.as_str()));
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
            let query = counted::query_scalar(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_one(conn).await?)
        })?;
        Ok((count <= COUNT_CAP).then_some(count))
    }};
}

/// The text that stands behind every text with this prefix, in the order of bytes.
fn after_prefix(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// That a user agent has a text in it, in whatever case. PostgreSQL keeps no statistics on what
/// `lower` makes of a column: it would take every text for rare, and read and sort a whole table for
/// one page.
pub(super) const AGENT_ON_POSTGRES: &str = "user_agent ILIKE ? ESCAPE '\\'";

/// The same, where `LIKE` minds no case.
pub(super) const AGENT_ON_SQLITE: &str = "user_agent LIKE ? ESCAPE '\\'";

/// A text to be found inside another by `LIKE`, with its own wildcards escaped.
fn containing(text: &str) -> Arg {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    Arg::Text(format!("%{escaped}%"))
}

fn within(conditions: &mut Conditions, range: &TimeRange, from: &'static str, to: &'static str) {
    if let Some(after) = range.after {
        conditions.and(from, [Arg::Int(after.as_micros())]);
    }
    if let Some(before) = range.before {
        conditions.and(to, [Arg::Int(before.as_micros())]);
    }
}

fn user_conditions(filter: &UserFilter) -> Conditions {
    let mut conditions = Conditions::after(0);
    if let Some(search) = &filter.search {
        // What no account could be called finds none.
        match LoginName::parse(search) {
            Some(prefix) => {
                let (low, high) = (prefix.key().to_owned(), after_prefix(prefix.key()));
                let range = [low.clone(), high.clone(), low, high].map(Arg::Text);
                conditions.and("username_key BETWEEN ? AND ? OR email_key BETWEEN ? AND ?", range);
            }
            None => conditions.and("1 = 0", []),
        }
    }
    if let Some(role) = filter.role {
        conditions.and("role = ?", [Arg::Text(role.as_str().to_owned())]);
    }
    match filter.is_active {
        Some(true) => conditions.and("deactivated_at IS NULL", []),
        Some(false) => conditions.and("deactivated_at IS NOT NULL", []),
        None => {}
    }
    conditions
}

/// Adds what a filter of sessions says: for a list of them, and for their end. `agent` is
/// [`AGENT_ON_POSTGRES`] or [`AGENT_ON_SQLITE`].
pub(super) fn add_session_filter(
    conditions: &mut Conditions,
    filter: &SessionFilter,
    now: Timestamp,
    agent: &'static str,
) {
    if let Some(user) = filter.user_id {
        conditions.and("user_id = ?", [Arg::Uuid(user.as_uuid())]);
    }
    let now = Arg::Int(now.as_micros());
    match filter.state {
        Some(SessionState::Active) => {
            conditions.and("ended_at IS NULL AND token_expires_at > ?", [now]);
            conditions.and(concat!("NOT ", below_a_floor!("sessions.id", "sessions.user_id")), []);
        }
        Some(SessionState::Expired) => {
            conditions.and("ended_at IS NULL AND token_expires_at <= ?", [now]);
        }
        Some(SessionState::Ended) => conditions.and(
            concat!(
                "ended_at IS NOT NULL OR token_expires_at > ? AND ",
                below_a_floor!("sessions.id", "sessions.user_id")
            ),
            [now],
        ),
        None => {}
    }
    if let Some(block) = &filter.ip {
        let (low, high) = (block.low().to_vec(), block.high().to_vec());
        let range = [low.clone(), high.clone(), low, high].map(Arg::Bytes);
        conditions.and("ip BETWEEN ? AND ? OR last_ip BETWEEN ? AND ?", range);
    }
    if let Some(text) = &filter.user_agent_contains {
        conditions.and(agent, [containing(text)]);
    }
    within(conditions, &filter.created_at, "created_at >= ?", "created_at < ?");
    within(conditions, &filter.last_used_at, "last_used_at >= ?", "last_used_at < ?");
    if let Some(reason) = filter.end_reason {
        conditions.and("end_reason = ?", [Arg::Text(reason.as_str().to_owned())]);
    }
}

fn event_conditions(filter: &AuditFilter) -> Conditions {
    let mut conditions = Conditions::after(0);
    if let Some(user) = filter.user_id {
        conditions.and("user_id = ?", [Arg::Uuid(user.as_uuid())]);
    }
    if let Some(session) = filter.session_id {
        conditions.and("session_id = ?", [Arg::Uuid(session.as_uuid())]);
    }
    if let Some(kinds) = &filter.kinds {
        let words = kinds.iter().map(|kind| Arg::Text(kind.as_str().to_owned()));
        conditions.and_one_of("kind", words.collect());
    }
    within(&mut conditions, &filter.occurred_at, "occurred_at >= ?", "occurred_at < ?");
    conditions
}

fn entry_conditions(filter: &BlacklistFilter) -> Conditions {
    let mut conditions = Conditions::after(0);
    if let Some(user) = filter.user_id {
        conditions.and("user_id = ?", [Arg::Uuid(user.as_uuid())]);
    }
    if let Some(session) = filter.session_id {
        conditions.and("session_id = ?", [Arg::Uuid(session.as_uuid())]);
    }
    if let Some(token) = filter.token_id {
        conditions.and("token_id = ?", [Arg::Uuid(token.as_uuid())]);
    }
    if let Some(reasons) = &filter.reasons {
        let words = reasons.iter().map(|reason| Arg::Text(reason.as_str().to_owned()));
        conditions.and_one_of("reason", words.collect());
    }
    within(&mut conditions, &filter.blacklisted_at, "blacklisted_at >= ?", "blacklisted_at < ?");
    conditions
}

impl Store {
    fn session_conditions(&self, filter: &SessionFilter, now: Timestamp) -> Conditions {
        let mut conditions = Conditions::after(0);
        add_session_filter(&mut conditions, filter, now, self.agent());
        conditions
    }

    /// How this database finds a text in a user agent.
    pub(super) fn agent(&self) -> &'static str {
        match self.pools {
            Pools::Sqlite(_) => AGENT_ON_SQLITE,
            Pools::Postgres(_) => AGENT_ON_POSTGRES,
        }
    }

    /// Accounts by username.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
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

    /// How many accounts; `None` past the cap.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn count_users(&self, filter: &UserFilter) -> Result<Option<i64>> {
        let conditions = user_conditions(filter);
        count!(self, conditions, from "users")
    }

    /// Sessions, the newest first.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
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

    /// How many sessions; `None` past the cap.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn count_sessions(
        &self,
        filter: &SessionFilter,
        now: Timestamp,
    ) -> Result<Option<i64>> {
        let conditions = self.session_conditions(filter, now);
        count!(self, conditions, from "sessions")
    }

    /// Blacklist entries, the newest first.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
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

    /// How many entries; `None` past the cap.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn count_blacklist_entries(&self, filter: &BlacklistFilter) -> Result<Option<i64>> {
        let conditions = entry_conditions(filter);
        count!(self, conditions, from "blacklist_entries")
    }

    /// Audit events, the newest first.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
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

    /// How many events; `None` past the cap.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn count_audit_events(&self, filter: &AuditFilter) -> Result<Option<i64>> {
        let conditions = event_conditions(filter);
        count!(self, conditions, from "audit_events")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_a_filter_stand_for_themselves() {
        let Arg::Text(pattern) = containing("50%_\\") else { panic!("a text") };
        assert_eq!(pattern, "%50\\%\\_\\\\%");
    }
}
