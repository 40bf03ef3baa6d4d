//! The ended sessions from a place on, for whoever follows them and says how far they have come.
//!
//! Rule: each end comes once, unless the snapshot of its place was too long to be told, or the server
//! was replaced. An end that another server wrote comes once it is [adopted](super::adopt).

use sqlx::types::Uuid;

use super::adopt::is_own;
use super::feed_cursor::{At, FeedCursor, Snapshot, digits};
use super::spent::Operation;
use super::{Error, Pools, Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::session::EndReason;

/// The most ends that are read at a time.
const PAGE: u8 = 100;

/// A session that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowedEnd {
    /// Which.
    pub session_id: SessionId,
    /// What ended it.
    pub reason: EndReason,
    /// When.
    pub at: Timestamp,
    /// The place behind it.
    pub place: FeedCursor,
}

/// What there was to read from a place on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowedEnds {
    /// The ends.
    pub ends: Vec<FollowedEnd>,
    /// The place behind them, and behind all others that were not asked for.
    pub place: FeedCursor,
    /// Whether there may be more already.
    pub more: bool,
}

/// The columns of an end: number, session, reason, time.
type Row = (i64, Uuid, String, i64);

/// The same beside a snapshot, of which alone there is always one.
type Beside = (String, Option<i64>, Option<Uuid>, Option<String>, Option<i64>);

/// When PostgreSQL started, and what is visible there now.
macro_rules! now {
    () => {
        "(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint::text \
         || ' ' || pg_current_snapshot()"
    };
}

/// The ends behind a number. Those of one user are a text of their own: a condition that may be absent
/// is on no index.
macro_rules! behind_number {
    ($whose:literal) => {
        concat!(
            "SELECT seq, session_id, reason, ended_at FROM session_ends WHERE seq > $1",
            $whose,
            " ORDER BY seq LIMIT $2"
        )
    };
}

/// The same behind a snapshot.
macro_rules! behind_snapshot {
    ($whose:literal) => {
        concat!(
            "SELECT now.text, seq, session_id, reason, ended_at FROM (SELECT ",
            now!(),
            " AS text) AS now \
            LEFT JOIN (SELECT seq, session_id, reason, ended_at FROM session_ends \
            WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) \
            AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot) AND ",
            is_own!(),
            " AND ($2::text IS NULL \
            OR seq > $3 AND pg_visible_in_snapshot(xid, $2::text::pg_snapshot))",
            $whose,
            " ORDER BY seq LIMIT $4) AS ends ON true ORDER BY seq"
        )
    };
}

impl Store {
    /// The place behind all there is now.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn last_place(&self) -> Result<FeedCursor> {
        let at = match self.pools() {
            Pools::Sqlite(sqlite) => {
                let _operation = Operation::begin();
                At::Sqlite(
                    counted::query_scalar(LAST).fetch_one(&mut *sqlite.reader().await?).await?,
                )
            }
            Pools::Postgres(postgres) => {
                const NOW: &str = concat!("SELECT ", now!());
                let read = || async {
                    let mut lease = postgres.lender.lease().await?;
                    let text = counted::query_scalar(NOW).fetch_one(&mut *lease).await;
                    lease.at_rest(text.map_err(Error::from)).await
                };
                let now: String = postgres.run(read).await?;
                let (started, seen) = read_now(&now)?;
                At::Postgres { started, seen, within: None }
            }
        };
        Ok(FeedCursor(at))
    }

    /// What ended behind `place`, all of it or of one user.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn ends_behind(
        &self,
        place: &FeedCursor,
        of: Option<UserId>,
    ) -> Result<FollowedEnds> {
        let user = of.map(UserId::as_uuid);
        match self.pools() {
            Pools::Sqlite(sqlite) => {
                let _operation = Operation::begin();
                let mut reader = sqlite.reader().await?;
                let last: i64 = counted::query_scalar(LAST).fetch_one(&mut *reader).await?;
                // A number that was never given is of another database.
                let behind = match place.0 {
                    At::Sqlite(number) if number <= last => number,
                    _ => 0,
                };
                let query = match user {
                    None => counted::query_as(behind_number!("")),
                    Some(_) => counted::query_as(behind_number!(" AND user_id = $3")),
                };
                let query = query.bind(behind).bind(i64::from(PAGE));
                let query = if user.is_some() { query.bind(user) } else { query };
                let rows: Vec<Row> = query.fetch_all(&mut *reader).await?;
                of_sqlite(rows, last)
            }
            Pools::Postgres(postgres) => {
                let (started, seen, within) = match &place.0 {
                    At::Postgres { started, seen, within } => {
                        (Some(*started), seen.clone(), within.clone())
                    }
                    _ => (None, Snapshot::first(), None),
                };
                let read = || async {
                    let mut lease = postgres.lender.lease().await?;
                    let query = match user {
                        None => counted::query_as(behind_snapshot!("")),
                        Some(_) => counted::query_as(behind_snapshot!(" AND user_id = $5")),
                    };
                    let query = query
                        .bind(&seen.0)
                        .bind(within.as_ref().map(|(snapshot, _)| snapshot.0.as_str()))
                        .bind(within.as_ref().map(|(_, number)| *number))
                        .bind(i64::from(PAGE));
                    let query = if user.is_some() { query.bind(user) } else { query };
                    let rows = query.fetch_all(&mut *lease).await;
                    lease.at_rest(rows.map_err(Error::from)).await
                };
                of_postgres(postgres.run(read).await?, started, &seen, within.as_ref())
            }
        }
    }
}

/// The last number given, though its row may be gone.
const LAST: &str = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'session_ends'";

fn of_sqlite(rows: Vec<Row>, last: i64) -> Result<FollowedEnds> {
    let more = rows.len() == usize::from(PAGE);
    let reached = rows.last().map_or(last, |row| row.0);
    let place = At::Sqlite(if more { reached } else { reached.max(last) });
    let ends = rows.into_iter().map(|row| end(row, At::Sqlite));
    Ok(FollowedEnds { ends: ends.collect::<Result<_>>()?, place: FeedCursor(place), more })
}

fn of_postgres(
    rows: Vec<Beside>,
    started: Option<i64>,
    seen: &Snapshot,
    within: Option<&(Snapshot, i64)>,
) -> Result<FollowedEnds> {
    let (here, now) = read_now(&rows.first().ok_or(Error::unreadable("snapshot"))?.0)?;
    if started.is_some_and(|started| started != here) {
        return Ok(FollowedEnds { ends: Vec::new(), place: FeedCursor::START, more: true });
    }
    let read_under = within.map_or(now, |(snapshot, _)| snapshot.clone());
    let rows: Vec<Row> = rows
        .into_iter()
        .filter_map(|(_, seq, session, reason, at)| Some((seq?, session?, reason?, at?)))
        .collect();
    let full = rows.len() == usize::from(PAGE);
    let inside = |number| At::Postgres {
        started: here,
        seen: seen.clone(),
        within: Some((read_under.clone(), number)),
    };
    let mut ends = rows.into_iter().map(|row| end(row, inside)).collect::<Result<Vec<_>>>()?;
    let place = match ends.last_mut() {
        Some(last) if full => last.place.clone(),
        last => {
            let behind = At::Postgres { started: here, seen: read_under.clone(), within: None };
            let behind = FeedCursor(behind);
            if let Some(last) = last {
                last.place = behind.clone();
            }
            behind
        }
    };
    Ok(FollowedEnds { ends, place, more: full || within.is_some() })
}

fn end((seq, session, reason, at): Row, place: impl FnOnce(i64) -> At) -> Result<FollowedEnd> {
    Ok(FollowedEnd {
        session_id: SessionId::from_uuid(session),
        reason: EndReason::parse(&reason).ok_or(Error::unreadable("end reason"))?,
        at: Timestamp::from_micros(at),
        place: FeedCursor(place(seq)),
    })
}

fn read_now(text: &str) -> Result<(i64, Snapshot)> {
    let read = text
        .split_once(' ')
        .and_then(|(started, snapshot)| Some((digits(started)?, Snapshot::parse(snapshot)?)));
    read.ok_or(Error::unreadable("snapshot"))
}
