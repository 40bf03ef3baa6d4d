//! The feed of ended sessions, as every process reads it.
//!
//! Delivery is at least once: a committed row is found by the next read, however late it was committed
//! and whatever its sequence number. PostgreSQL assigns sequence numbers before the commit, so a reader
//! that remembers a number would skip a slow transaction. This one remembers the oldest transaction
//! that was still running in the snapshot of the last read, and starts there.
//!
//! Transaction ids belong to one server. A standby that is promoted may lack the last ones and assign
//! them again, so each new connection reads the whole feed. Rows with ids of another server get new ids
//! first, see [`foreign_ends`](super::foreign_ends).
//!
//! On PostgreSQL the feed has a connection of its own, so that it is not delayed when all connections of
//! the pool wait for a lock. A notification only shortens the wait: if it is lost, the next poll finds
//! the row. Behind a transaction pooler, which delivers no notifications, there is only the poll.

use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions, PgRow};
use sqlx::types::Uuid;
use sqlx::{AssertSqlSafe, FromRow, Row, SqlitePool};
use tokio::time::timeout;

use crate::clock::Timestamp;
use crate::store::backend::database::Database;
use crate::store::backend::notify::CHANNEL;
use crate::store::backend::server_selection::Servers;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::keys::{KeyMark, MARKS, MarkRow};
use crate::store::session_ends::ended_session::EndedSession;
use crate::store::session_ends::feed_cursor::Snapshot;
use crate::store::session_ends::floor::{FLOORS, Floor, FloorRow};
use crate::store::session_ends::foreign_ends::{is_own, replace_foreign_ids};
use crate::store::timeout::{OPERATION_TIMEOUT, limit_time};

/// Poll interval in the absence of notifications.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Ends passed on at a time: a feed of a million must not be in memory as a whole.
pub(in crate::store) const CHUNK: usize = 1024;

/// Settings of the connection: with other defaults a read could wait for writers.
const SESSION_SETTINGS: &str = "SET default_transaction_isolation = 'read committed'; \
                                SET default_transaction_deferrable = off";

/// A reader of the feed and its position.
pub struct FeedReader {
    /// On SQLite the last sequence number, on PostgreSQL the oldest transaction that was still running.
    position: u64,
    /// On PostgreSQL the snapshot of the last read, if `position` is from one.
    seen: Snapshot,
    pub(in crate::store) source: Source,
}

pub(in crate::store) enum Source {
    /// One writer at a time, across processes, so sequence numbers are in the order of commits.
    Sqlite(SqlitePool),
    Postgres {
        servers: Servers,
        /// False behind a transaction pooler, which would pass notifications to another client.
        can_listen: bool,
        /// Taken out for each read and put back only after a complete one, so that a connection that
        /// failed or hangs is never used again.
        listener: Option<PgListener>,
    },
}

/// The rest of what a read returns.
#[derive(Clone, Debug)]
pub struct FeedSnapshot {
    pub keys: Vec<KeyMark>,
    /// The time of the database's clock; `None` for SQLite, which has none of its own.
    pub now: Option<Timestamp>,
}

impl Store {
    /// A reader at the start of the feed.
    #[must_use]
    pub fn feed_reader(&self) -> FeedReader {
        let source = match self.database() {
            Database::Sqlite(sqlite) => Source::Sqlite(sqlite.readers().clone()),
            Database::Postgres(postgres) => {
                let (servers, can_listen) = postgres.feed_servers();
                Source::Postgres { servers, can_listen, listener: None }
            }
        };
        FeedReader { position: 0, seen: Snapshot::first(), source }
    }
}

impl FeedReader {
    /// All floors. Read before the ends: ends below a floor need not be remembered one by one.
    pub async fn floors(&mut self) -> Result<Vec<Floor>> {
        let rows: Vec<FloorRow> = match &mut self.source {
            Source::Sqlite(readers) => sqlx::query_as(FLOORS).fetch_all(&*readers).await?,
            Source::Postgres { servers, can_listen, listener } => {
                let mut connected =
                    connected(listener, servers, *can_listen, &mut self.position).await?;
                let rows = limit_time(sqlx::raw_sql(FLOORS).fetch_all(&mut connected)).await??;
                *listener = Some(connected);
                rows.iter().map(FloorRow::from_row).collect::<sqlx::Result<_>>()?
            }
        };
        Ok(rows.into_iter().map(Floor::from).collect())
    }

    /// Passes on the sessions that ended since the last read, at first all of the feed. The flag is
    /// `true` for ends that the last read, by its snapshot, has passed on already.
    ///
    /// # Errors
    /// Ends that were passed on before an error are valid; the next read passes them on again.
    pub async fn read(
        &mut self,
        mut pass_on: impl FnMut(&[EndedSession], bool),
    ) -> Result<FeedSnapshot> {
        match &mut self.source {
            Source::Sqlite(readers) => {
                self.position = read_sqlite(readers, self.position, pass_on).await?;
                let keys: Vec<MarkRow> = sqlx::query_as(MARKS).fetch_all(&*readers).await?;
                Ok(FeedSnapshot { keys: keys.into_iter().map(KeyMark::from).collect(), now: None })
            }
            Source::Postgres { servers, can_listen, listener } => {
                let mut connected =
                    connected(listener, servers, *can_listen, &mut self.position).await?;
                let now = loop {
                    let seen = (self.position > 0).then_some(&self.seen);
                    let read = read_postgres(&mut connected, self.position, seen, &mut pass_on);
                    let (position, seen, now, has_foreign) = read.await?;
                    if has_foreign {
                        replace_foreign_ids(&mut connected).await?;
                        continue;
                    }
                    // Lower than before: another server, which may assign the same ids again.
                    let went_back = position < self.position;
                    self.position = if went_back { 0 } else { position };
                    self.seen = seen;
                    if !went_back {
                        break now;
                    }
                };
                let keys = limit_time(sqlx::raw_sql(MARKS).fetch_all(&mut connected)).await??;
                let keys = keys.iter().map(|row| MarkRow::from_row(row).map(KeyMark::from));
                let keys = keys.collect::<sqlx::Result<_>>()?;
                *listener = Some(connected);
                Ok(FeedSnapshot { keys, now: Some(now) })
            }
        }
    }

    /// Waits for a notification, or for the poll interval.
    pub async fn wait(&mut self) {
        let Source::Postgres { listener: listener @ Some(_), .. } = &mut self.source else {
            return tokio::time::sleep(POLL_INTERVAL).await;
        };
        let notified = async {
            let Some(connected) = listener else { return };
            match connected.try_recv().await {
                // One read finds the rows of all notifications.
                Ok(Some(_)) => while connected.next_buffered().is_some() {},
                Ok(None) | Err(_) => *listener = None,
            }
        };
        // On timeout the caller polls.
        let _ = timeout(POLL_INTERVAL, notified).await;
    }
}

/// The connection of the last read; or a new one to the server that accepts writes, and the start of the
/// feed.
async fn connected(
    listener: &mut Option<PgListener>,
    servers: &Servers,
    can_listen: bool,
    position: &mut u64,
) -> Result<PgListener> {
    if let Some(connected) = listener.take() {
        return Ok(connected);
    }
    *position = 0;
    let server = servers.find().await?;
    limit_time(listen(&server, can_listen)).await?
}

/// Opens a listening connection. A listener needs a pool. Each gets a pool of its own: a connection that
/// hangs while it is closed would occupy the only slot of a shared one.
async fn listen(options: &PgConnectOptions, can_listen: bool) -> Result<PgListener> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(OPERATION_TIMEOUT)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    if !can_listen {
        return Ok(listener);
    }
    sqlx::raw_sql(SESSION_SETTINGS).execute(&mut listener).await?;
    match listener.listen(CHANNEL).await {
        // A pooler may refuse `LISTEN`; polling remains.
        Ok(()) | Err(sqlx::Error::Database(_)) => Ok(listener),
        Err(error) => Err(error.into()),
    }
}

async fn read_sqlite(
    readers: &SqlitePool,
    position: u64,
    mut pass_on: impl FnMut(&[EndedSession], bool),
) -> Result<u64> {
    let after = i64::try_from(position).unwrap_or(i64::MAX);
    let mut reader = readers.acquire().await?;
    let mut chunks = sqlx::query_as::<_, (i64, Uuid, Uuid, String, i64)>(
        "SELECT seq, session_id, user_id, reason, until FROM session_ends WHERE seq > $1 \
         ORDER BY seq",
    )
    .bind(after)
    .fetch(&mut *reader)
    .try_chunks(CHUNK);
    let mut reached = position;
    while let Some(rows) = chunks.try_next().await.map_err(|failed| failed.1)? {
        let mut ended = Vec::with_capacity(rows.len());
        for (seq, session, user, reason, until) in rows {
            reached = reached.max(seq.unsigned_abs());
            ended.push(EndedSession::from_columns(session, user, &reason, until));
        }
        pass_on(&ended, false);
    }
    Ok(reached)
}

/// Returns position, snapshot and time, and whether there are rows of another server, which are not
/// passed on. One query without parameters, which every pooler supports.
async fn read_postgres(
    listener: &mut PgListener,
    position: u64,
    seen: Option<&Snapshot>,
    mut pass_on: impl FnMut(&[EndedSession], bool),
) -> Result<(u64, Snapshot, Timestamp, bool)> {
    let last = seen.map_or_else(Snapshot::first, Snapshot::clone);
    let sql = format!(
        concat!(
            "SELECT now.position, now.micros, session_id, user_id, reason, until, ",
            is_own!(),
            ", pg_visible_in_snapshot(xid, '{}'::pg_snapshot), now.snapshot \
             FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS position, \
             pg_current_snapshot()::text AS snapshot, \
             (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS micros) AS now \
             LEFT JOIN session_ends ON xid >= '{}'::xid8"
        ),
        last.0, position
    );
    let mut chunks = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(listener).try_chunks(CHUNK);
    let (mut seen, mut has_foreign) = (None, false);
    // The timeout applies to each chunk: the whole feed of a busy week takes longer than one operation.
    while let Some(rows) = limit_time(chunks.try_next()).await?.map_err(|failed| failed.1)? {
        if let (None, Some(first)) = (&seen, rows.first()) {
            seen = Some(snapshot(first)?);
        }
        let (mut ended, mut repeated) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in &rows {
            match row.try_get::<Option<bool>, _>(6)? {
                Some(true) if row.try_get::<Option<bool>, _>(7)? == Some(true) => {
                    repeated.push(end(row)?);
                }
                Some(true) => ended.push(end(row)?),
                Some(false) => has_foreign = true,
                // No row of the feed, only position and time.
                None => {}
            }
        }
        pass_on(&ended, false);
        pass_on(&repeated, true);
    }
    let (position, snapshot, now) = seen.ok_or(Error::unreadable("snapshot"))?;
    Ok((position, snapshot, now, has_foreign))
}

fn snapshot(row: &PgRow) -> Result<(u64, Snapshot, Timestamp)> {
    let position: &str = row.try_get(0)?;
    let position = position.parse().map_err(|_| Error::unreadable("transaction id"))?;
    let snapshot = Snapshot::parse(row.try_get(8)?).ok_or(Error::unreadable("snapshot"))?;
    Ok((position, snapshot, Timestamp::from_micros(row.try_get(1)?)))
}

fn end(row: &PgRow) -> Result<EndedSession> {
    let reason: &str = row.try_get(4)?;
    Ok(EndedSession::from_columns(row.try_get(2)?, row.try_get(3)?, reason, row.try_get(5)?))
}
