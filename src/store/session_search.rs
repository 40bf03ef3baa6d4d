//! Search for and count of live sessions, one range of ids at a time.
//!
//! A statement examines a limited number of rows, whatever the conditions, so that it finishes within
//! the timeout however many sessions there are. The search is a read of its own, apart from the
//! transaction that ends what it found: on SQLite other writers would wait for it.

use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::domain::filter::SessionFilter;
use crate::domain::id::{SessionId, UserId};
use crate::store::backend::database::Database;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions, bind_all};
use crate::store::query::filters::add_session_filter;

/// Rows examined by a statement that counts.
const COUNT_RANGE: usize = 50_000;

/// Rows examined by a statement that searches.
const SEARCH_RANGE: usize = 20_000;

/// The live sessions that match a filter.
#[derive(Clone, Debug)]
pub struct MatchingSessions {
    pub filter: SessionFilter,
    /// The session of the administrator, which is left out.
    pub except: Option<SessionId>,
}

/// A page of live sessions, in the order of ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchingPage {
    pub sessions: Vec<SessionId>,
    /// The id after which the next page starts; `None` after the last page. A page may be short, or
    /// empty, and not be the last.
    pub next_after: Option<SessionId>,
}

impl MatchingSessions {
    fn conditions(&self, now: Timestamp, database: &Database) -> Conditions {
        let mut conditions = Conditions::after(0);
        let live = "ended_at IS NULL AND token_expires_at > ?";
        conditions.and(live, [Arg::Int(now.as_micros())]);
        add_session_filter(&mut conditions, &self.filter, now, database);
        if let Some(except) = self.except {
            conditions.and("id <> ?", [Arg::Uuid(except.as_uuid())]);
        }
        conditions
    }
}

impl Store {
    /// The first matching sessions after an id, at most `max`.
    pub async fn find_matching(
        &self,
        matching: &MatchingSessions,
        after: Option<SessionId>,
        max: usize,
        now: Timestamp,
    ) -> Result<MatchingPage> {
        let conditions = matching.conditions(now, self.kind());
        self.find_after(matching.filter.user_id, conditions, after, max, SEARCH_RANGE).await
    }

    /// The number of matching sessions.
    pub async fn count_matching(
        &self,
        matching: &MatchingSessions,
        now: Timestamp,
    ) -> Result<usize> {
        let conditions = matching.conditions(now, self.kind());
        self.count_in_ranges(matching.filter.user_id, &conditions).await
    }

    /// The first `max` rows that meet the conditions, among the next `range` rows of the user, or of all
    /// users.
    pub(in crate::store) async fn find_after(
        &self,
        user: Option<UserId>,
        mut conditions: Conditions,
        after: Option<SessionId>,
        max: usize,
        range: usize,
    ) -> Result<MatchingPage> {
        let end = self.end_of_range(user, after, range).await?;
        add_range(&mut conditions, after, end);
        let sql =
            format!("SELECT id FROM sessions WHERE {} ORDER BY id LIMIT {max}", conditions.sql());
        let args = conditions.into_args();
        let ids: Vec<Uuid> = read!(self, conn => {
            let query = metered::query_scalar(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        let sessions: Vec<_> = ids.into_iter().map(SessionId::from_uuid).collect();
        let is_full = sessions.len() == max;
        let next_after = if is_full { sessions.last().copied() } else { end };
        Ok(MatchingPage { sessions, next_after })
    }

    /// The number of rows that meet the conditions.
    pub(in crate::store) async fn count_in_ranges(
        &self,
        user: Option<UserId>,
        conditions: &Conditions,
    ) -> Result<usize> {
        let (mut all, mut after) = (0, None);
        loop {
            let end = self.end_of_range(user, after, COUNT_RANGE).await?;
            let mut conditions = conditions.clone();
            add_range(&mut conditions, after, end);
            let sql = format!("SELECT count(*) FROM sessions WHERE {}", conditions.sql());
            let args = conditions.into_args();
            let count: i64 = read!(self, conn => {
                let query = metered::query_scalar(AssertSqlSafe(sql.as_str()));
                Ok::<_, Error>(bind_all!(query, args.clone()).fetch_one(conn).await?)
            })?;
            all += usize::try_from(count).unwrap_or(0);
            after = end;
            if end.is_none() {
                return Ok(all);
            }
        }
    }

    /// The id of the last of the next `rows` rows; `None` if there are fewer.
    async fn end_of_range(
        &self,
        user: Option<UserId>,
        after: Option<SessionId>,
        rows: usize,
    ) -> Result<Option<SessionId>> {
        let mut conditions = Conditions::after(0);
        if let Some(user) = user {
            conditions.and("user_id = ?", [Arg::Uuid(user.as_uuid())]);
        }
        add_range(&mut conditions, after, None);
        let sql = format!(
            "SELECT id FROM sessions WHERE {} ORDER BY id LIMIT 1 OFFSET {}",
            conditions.sql(),
            rows - 1
        );
        let args = conditions.into_args();
        let end: Option<Uuid> = read!(self, conn => {
            let query = metered::query_scalar(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_optional(conn).await?)
        })?;
        Ok(end.map(SessionId::from_uuid))
    }
}

fn add_range(conditions: &mut Conditions, after: Option<SessionId>, end: Option<SessionId>) {
    if let Some(after) = after {
        conditions.and("id > ?", [Arg::Uuid(after.as_uuid())]);
    }
    if let Some(end) = end {
        conditions.and("id <= ?", [Arg::Uuid(end.as_uuid())]);
    }
}
