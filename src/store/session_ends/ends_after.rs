//! Pages of the feed of ended sessions after a cursor, for subscribers.
//!
//! Each end comes once, unless the snapshot of the cursor had to be cut or the server was replaced. An
//! end that another server wrote comes once its transaction id is
//! [replaced](super::foreign_ends).

use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::session::EndReason;
use crate::store::backend::database::Database;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query_cost::OperationTimer;
use crate::store::session_ends::feed_cursor::{FeedCursor, Position, Snapshot, digits};
use crate::store::session_ends::foreign_ends::is_own;

const PAGE_SIZE: u8 = 100;

/// An ended session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    pub session_id: SessionId,
    pub reason: EndReason,
    pub at: Timestamp,
    /// The cursor after this entry.
    pub cursor: FeedCursor,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPage {
    pub entries: Vec<FeedEntry>,
    /// The cursor after these entries and after those of other users before them.
    pub cursor: FeedCursor,
    /// Whether the next page may have entries already.
    pub has_more: bool,
}

/// Sequence number, session, reason, time.
type Row = (i64, Uuid, String, i64);

/// The text of `now` with the columns of a row; without them if there is no row.
type RowWithSnapshot = (String, Option<i64>, Option<Uuid>, Option<String>, Option<i64>);

/// The start time of the server and its current snapshot, as one text.
macro_rules! now {
    () => {
        "(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint::text \
         || ' ' || pg_current_snapshot()"
    };
}

/// The rows after a sequence number. A separate text for the rows of one user: an optional condition
/// would not use an index.
macro_rules! after_number {
    ($whose:literal) => {
        concat!(
            "SELECT seq, session_id, reason, ended_at FROM session_ends WHERE seq > $1",
            $whose,
            " ORDER BY seq LIMIT $2"
        )
    };
}

/// The rows that were not visible in a snapshot.
macro_rules! after_snapshot {
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
    /// The cursor at the end of the feed.
    pub async fn latest_feed_cursor(&self) -> Result<FeedCursor> {
        let position = match self.database() {
            Database::Sqlite(sqlite) => {
                let _timer = OperationTimer::start();
                Position::Sqlite(
                    metered::query_scalar(LAST).fetch_one(&mut *sqlite.reader().await?).await?,
                )
            }
            Database::Postgres(postgres) => {
                const NOW: &str = concat!("SELECT ", now!());
                let read = || async {
                    let mut lease = postgres.connections.lease().await?;
                    let text = metered::query_scalar(NOW).fetch_one(&mut *lease).await;
                    lease.finish(text.map_err(Error::from)).await
                };
                let now: String = postgres.run(read).await?;
                let (started, seen) = parse_now(&now)?;
                Position::Postgres { started, seen, within: None }
            }
        };
        Ok(FeedCursor(position))
    }

    /// The next page after a cursor, of all users or of one.
    pub async fn ends_after(&self, cursor: &FeedCursor, user: Option<UserId>) -> Result<FeedPage> {
        let user = user.map(UserId::as_uuid);
        match self.database() {
            Database::Sqlite(sqlite) => {
                let _timer = OperationTimer::start();
                let mut reader = sqlite.reader().await?;
                let last: i64 = metered::query_scalar(LAST).fetch_one(&mut *reader).await?;
                // A number that was never assigned is from another database.
                let after = match cursor.0 {
                    Position::Sqlite(number) if number <= last => number,
                    _ => 0,
                };
                let query = match user {
                    None => metered::query_as(after_number!("")),
                    Some(_) => metered::query_as(after_number!(" AND user_id = $3")),
                };
                let query = query.bind(after).bind(i64::from(PAGE_SIZE));
                let query = if user.is_some() { query.bind(user) } else { query };
                let rows: Vec<Row> = query.fetch_all(&mut *reader).await?;
                Ok(sqlite_page(rows, last))
            }
            Database::Postgres(postgres) => {
                let (started, seen, within) = match &cursor.0 {
                    Position::Postgres { started, seen, within } => {
                        (Some(*started), seen.clone(), within.clone())
                    }
                    _ => (None, Snapshot::first(), None),
                };
                let read = || async {
                    let mut lease = postgres.connections.lease().await?;
                    let query = match user {
                        None => metered::query_as(after_snapshot!("")),
                        Some(_) => metered::query_as(after_snapshot!(" AND user_id = $5")),
                    };
                    let query = query
                        .bind(&seen.0)
                        .bind(within.as_ref().map(|(snapshot, _)| snapshot.0.as_str()))
                        .bind(within.as_ref().map(|(_, number)| *number))
                        .bind(i64::from(PAGE_SIZE));
                    let query = if user.is_some() { query.bind(user) } else { query };
                    let rows = query.fetch_all(&mut *lease).await;
                    lease.finish(rows.map_err(Error::from)).await
                };
                postgres_page(postgres.run(read).await?, started, &seen, within.as_ref())
            }
        }
    }
}

/// The last assigned sequence number, even if its row was deleted.
const LAST: &str = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'session_ends'";

fn sqlite_page(rows: Vec<Row>, last: i64) -> FeedPage {
    let has_more = rows.len() == usize::from(PAGE_SIZE);
    let reached = rows.last().map_or(last, |row| row.0);
    // After the last page the cursor also skips the rows of other users.
    let position = Position::Sqlite(if has_more { reached } else { reached.max(last) });
    let entries = rows.into_iter().map(|row| entry(row, Position::Sqlite));
    FeedPage { entries: entries.collect(), cursor: FeedCursor(position), has_more }
}

fn postgres_page(
    rows: Vec<RowWithSnapshot>,
    started: Option<i64>,
    seen: &Snapshot,
    within: Option<&(Snapshot, i64)>,
) -> Result<FeedPage> {
    let (here, now) = parse_now(&rows.first().ok_or(Error::unreadable("snapshot"))?.0)?;
    if started.is_some_and(|started| started != here) {
        // The cursor is of another server.
        return Ok(FeedPage { entries: Vec::new(), cursor: FeedCursor::START, has_more: true });
    }
    let upper = within.map_or(now, |(snapshot, _)| snapshot.clone());
    let rows: Vec<Row> = rows
        .into_iter()
        .filter_map(|(_, seq, session, reason, at)| Some((seq?, session?, reason?, at?)))
        .collect();
    let is_full = rows.len() == usize::from(PAGE_SIZE);
    let inside = |number| Position::Postgres {
        started: here,
        seen: seen.clone(),
        within: Some((upper.clone(), number)),
    };
    let entries = rows.into_iter().map(|row| entry(row, inside));
    let mut entries = entries.collect::<Vec<_>>();
    let cursor = match entries.last_mut() {
        Some(last) if is_full => last.cursor.clone(),
        last => {
            let after = Position::Postgres { started: here, seen: upper.clone(), within: None };
            let after = FeedCursor(after);
            if let Some(last) = last {
                last.cursor = after.clone();
            }
            after
        }
    };
    // After the last page up to `upper` there may be rows that are only in a later snapshot.
    Ok(FeedPage { entries, cursor, has_more: is_full || within.is_some() })
}

fn entry((seq, session, reason, at): Row, position: impl FnOnce(i64) -> Position) -> FeedEntry {
    FeedEntry {
        session_id: SessionId::from_uuid(session),
        reason: EndReason::read(&reason),
        at: Timestamp::from_micros(at),
        cursor: FeedCursor(position(seq)),
    }
}

/// Parses the text of [`now`].
fn parse_now(text: &str) -> Result<(i64, Snapshot)> {
    let parsed = text
        .split_once(' ')
        .and_then(|(started, snapshot)| Some((digits(started)?, Snapshot::parse(snapshot)?)));
    parsed.ok_or(Error::unreadable("snapshot"))
}
