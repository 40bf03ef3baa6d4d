//! Sessions found and counted a stretch of ids at a time.
//!
//! Rule: a statement looks at so many rows at most, whatever it looks for, so that each is answered in
//! time however many sessions there are. What is found is ended elsewhere: on SQLite nobody waits for
//! the search of a writer.

use sqlx::AssertSqlSafe;
use sqlx::types::Uuid;

use super::conditions::{Arg, Conditions, bind_all};
use super::lists::add_session_filter;
use super::{Error, Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::filter::SessionFilter;
use crate::domain::id::{SessionId, UserId};

/// How many rows are looked at to count.
const COUNTED: usize = 50_000;

/// How many rows are looked at to find.
const SEARCHED: usize = 20_000;

/// Sessions to be found by what they have in common.
#[derive(Clone, Debug)]
pub struct Matching {
    /// What they have in common.
    pub filter: SessionFilter,
    /// The one that stays: whose order it is.
    pub except: Option<SessionId>,
}

/// Live sessions that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Their ids, the lowest first.
    pub sessions: Vec<SessionId>,
    /// Behind which id to look for more; `None` where there are none.
    pub behind: Option<SessionId>,
}

impl Matching {
    fn conditions(&self, now: Timestamp, agent: &'static str) -> Conditions {
        let mut conditions = Conditions::after(0);
        let live = "ended_at IS NULL AND token_expires_at > ?";
        conditions.and(live, [Arg::Int(now.as_micros())]);
        add_session_filter(&mut conditions, &self.filter, now, agent);
        if let Some(except) = self.except {
            conditions.and("id <> ?", [Arg::Uuid(except.as_uuid())]);
        }
        conditions
    }
}

impl Store {
    /// The first `most` live sessions that match, behind an id; fewer where they are far between.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn find_matching(
        &self,
        matching: &Matching,
        behind: Option<SessionId>,
        most: usize,
        now: Timestamp,
    ) -> Result<Found> {
        let conditions = matching.conditions(now, self.agent());
        self.find_behind(matching.filter.user_id, conditions, behind, most, SEARCHED).await
    }

    /// How many live sessions match.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn count_matching(&self, matching: &Matching, now: Timestamp) -> Result<usize> {
        let conditions = matching.conditions(now, self.agent());
        self.count_in_stretches(matching.filter.user_id, &conditions).await
    }

    /// The first `most` that meet the conditions, among `searched` rows of the user, or of everybody.
    pub(super) async fn find_behind(
        &self,
        user: Option<UserId>,
        mut conditions: Conditions,
        behind: Option<SessionId>,
        most: usize,
        searched: usize,
    ) -> Result<Found> {
        let end = self.end_of_stretch(user, behind, searched).await?;
        add_stretch(&mut conditions, behind, end);
        let sql =
            format!("SELECT id FROM sessions WHERE {} ORDER BY id LIMIT {most}", conditions.sql());
        let args = conditions.into_args();
        let ids: Vec<Uuid> = read!(self, conn => {
            let query = counted::query_scalar(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_all(conn).await?)
        })?;
        let sessions: Vec<_> = ids.into_iter().map(SessionId::from_uuid).collect();
        let is_full = sessions.len() == most;
        let behind = if is_full { sessions.last().copied() } else { end };
        Ok(Found { sessions, behind })
    }

    /// How many meet the conditions.
    pub(super) async fn count_in_stretches(
        &self,
        user: Option<UserId>,
        conditions: &Conditions,
    ) -> Result<usize> {
        let (mut all, mut behind) = (0, None);
        loop {
            let end = self.end_of_stretch(user, behind, COUNTED).await?;
            let mut conditions = conditions.clone();
            add_stretch(&mut conditions, behind, end);
            let sql = format!("SELECT count(*) FROM sessions WHERE {}", conditions.sql());
            let args = conditions.into_args();
            let count: i64 = read!(self, conn => {
                let query = counted::query_scalar(AssertSqlSafe(sql.as_str()));
                Ok::<_, Error>(bind_all!(query, args.clone()).fetch_one(conn).await?)
            })?;
            all += usize::try_from(count).unwrap_or(0);
            behind = end;
            if end.is_none() {
                return Ok(all);
            }
        }
    }

    /// The last id of so many; `None` where there are fewer.
    async fn end_of_stretch(
        &self,
        user: Option<UserId>,
        behind: Option<SessionId>,
        rows: usize,
    ) -> Result<Option<SessionId>> {
        let mut conditions = Conditions::after(0);
        if let Some(user) = user {
            conditions.and("user_id = ?", [Arg::Uuid(user.as_uuid())]);
        }
        add_stretch(&mut conditions, behind, None);
        let sql = format!(
            "SELECT id FROM sessions WHERE {} ORDER BY id LIMIT 1 OFFSET {}",
            conditions.sql(),
            rows - 1
        );
        let args = conditions.into_args();
        let end: Option<Uuid> = read!(self, conn => {
            let query = counted::query_scalar(AssertSqlSafe(sql.as_str()));
            Ok::<_, Error>(bind_all!(query, args.clone()).fetch_optional(conn).await?)
        })?;
        Ok(end.map(SessionId::from_uuid))
    }
}

fn add_stretch(conditions: &mut Conditions, behind: Option<SessionId>, end: Option<SessionId>) {
    if let Some(behind) = behind {
        conditions.and("id > ?", [Arg::Uuid(behind.as_uuid())]);
    }
    if let Some(end) = end {
        conditions.and("id <= ?", [Arg::Uuid(end.as_uuid())]);
    }
}
