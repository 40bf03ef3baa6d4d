//! The feed of ended sessions, as every process reads it.
//!
//! Rule: a row that was committed is seen by the next read, however late it was committed and
//! whatever number it has. On PostgreSQL numbers are given before the commit, so a reader that goes
//! by numbers walks past a slow transaction; this one goes by transactions, from the oldest that was
//! still running when the last read took its snapshot. Rows may come twice, never not at all.
//!
//! Transaction ids are one server's. A standby that takes its place may have missed the last of them
//! and give them again, so what was read over another connection counts for nothing: each new one
//! reads all there is. Rows with ids of another server are [adopted](super::adopt) first.
//!
//! On PostgreSQL the feed has a connection of its own, so that a pool whose connections all wait for
//! a lock does not make it late. A notification only wakes it, and costs nothing when it is lost:
//! the next read, a second later at most, finds the row. Where notifications do not arrive, behind a
//! pooler that lends a connection for a transaction, that second is what is left.

use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions, PgRow};
use sqlx::types::Uuid;
use sqlx::{AssertSqlSafe, FromRow, Row, SqlitePool};
use tokio::time::timeout;

use super::adopt::{adopt, is_own};
use super::end::EndedSession;
use super::feed_cursor::Snapshot;
use super::floors::{FLOORS, Floor, FloorRow};
use super::keys::{KeyMark, MARKS, MarkRow};
use super::servers::Servers;
use super::{BOUND, Error, Pools, Result, Store};
use crate::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::session::EndReason;

/// How often the database is asked where nothing is heard from it.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many ends are handed on at a time: a million must not be in memory twice.
pub(super) const CHUNK: usize = 1024;

/// What the server is told once a connection: by other defaults a read could wait for writers.
const SESSION: &str = "SET default_transaction_isolation = 'read committed'; \
                       SET default_transaction_deferrable = off";

/// What wakes the feeds of other processes.
pub(super) const CHANNEL: &str = "sallyport_session_ends";

/// A reader of the feed, and how far it has come.
pub struct Tail {
    position: u64,
    /// On PostgreSQL, what the last read saw, where the position is of one.
    seen: Snapshot,
    pub(super) source: Source,
}

pub(super) enum Source {
    /// One writer at a time, across processes: numbers are in the order of commits.
    Sqlite(SqlitePool),
    Postgres {
        servers: Servers,
        /// Whether the server can wake it: a pooler that lends a connection for a transaction would
        /// leave somebody else with the notifications.
        can_listen: bool,
        /// Taken out for each read and put back only after a whole one: a connection that failed or
        /// hangs is never used again.
        listener: Option<PgListener>,
    },
}

/// What a read found beside the ends.
#[derive(Clone, Debug)]
pub struct Reading {
    /// How the signing keys are.
    pub keys: Vec<KeyMark>,
    /// What time it is in the database, where that has a clock of its own.
    pub now: Option<Timestamp>,
}

impl Store {
    /// A reader that has read nothing.
    #[must_use]
    pub fn tail(&self) -> Tail {
        let source = match self.pools() {
            Pools::Sqlite(sqlite) => Source::Sqlite(sqlite.readers().clone()),
            Pools::Postgres(postgres) => {
                let (servers, can_listen) = postgres.of_feed();
                Source::Postgres { servers, can_listen, listener: None }
            }
        };
        Tail { position: 0, seen: Snapshot::first(), source }
    }
}

impl Tail {
    /// Every floor there is. They are few, and read before the ends, which then need not be remembered
    /// one by one.
    ///
    /// # Errors
    /// [`Error`] where the database fails or stops answering.
    pub async fn floors(&mut self) -> Result<Vec<Floor>> {
        let rows: Vec<FloorRow> = match &mut self.source {
            Source::Sqlite(readers) => sqlx::query_as(FLOORS).fetch_all(&*readers).await?,
            Source::Postgres { servers, can_listen, listener } => {
                let mut connected =
                    connected(listener, servers, *can_listen, &mut self.position).await?;
                let rows = in_time(sqlx::raw_sql(FLOORS).fetch_all(&mut connected)).await??;
                *listener = Some(connected);
                rows.iter().map(FloorRow::from_row).collect::<sqlx::Result<_>>()?
            }
        };
        rows.into_iter().map(Floor::try_from).collect()
    }

    /// Hands on the sessions that ended since the last read; all there are, the first time. The flag is
    /// whether the last read has, as far as can be told, handed them on already. Says how else the
    /// database stands.
    ///
    /// # Errors
    /// [`Error`] where the database fails or stops answering. What was handed on is true all the
    /// same, and comes again with the next read.
    pub async fn read(
        &mut self,
        mut hand_on: impl FnMut(&[EndedSession], bool),
    ) -> Result<Reading> {
        match &mut self.source {
            Source::Sqlite(readers) => {
                self.position = read_sqlite(readers, self.position, hand_on).await?;
                let keys: Vec<MarkRow> = sqlx::query_as(MARKS).fetch_all(&*readers).await?;
                Ok(Reading { keys: keys.into_iter().map(KeyMark::from).collect(), now: None })
            }
            Source::Postgres { servers, can_listen, listener } => {
                let mut connected =
                    connected(listener, servers, *can_listen, &mut self.position).await?;
                let now = loop {
                    let seen = (self.position > 0).then_some(&self.seen);
                    let read = read_postgres(&mut connected, self.position, seen, &mut hand_on);
                    let (position, seen, now, has_foreign) = read.await?;
                    if has_foreign {
                        adopt(&mut connected).await?;
                        continue;
                    }
                    let went_back = position < self.position;
                    self.position = if went_back { 0 } else { position };
                    self.seen = seen;
                    if !went_back {
                        break now;
                    }
                };
                let keys = in_time(sqlx::raw_sql(MARKS).fetch_all(&mut connected)).await??;
                let keys = keys.iter().map(|row| MarkRow::from_row(row).map(KeyMark::from));
                let keys = keys.collect::<sqlx::Result<_>>()?;
                *listener = Some(connected);
                Ok(Reading { keys, now: Some(now) })
            }
        }
    }

    /// Waits until there may be something new: the database said so, or a second has passed.
    pub async fn wait(&mut self) {
        let Source::Postgres { listener: listener @ Some(_), .. } = &mut self.source else {
            return tokio::time::sleep(INTERVAL).await;
        };
        let told = async {
            let Some(connected) = listener else { return };
            match connected.try_recv().await {
                // However many sessions ended, one read finds them all.
                Ok(Some(_)) => while connected.next_buffered().is_some() {},
                Ok(None) | Err(_) => *listener = None,
            }
        };
        // Where nothing was heard for a second it is time to ask.
        let _ = timeout(INTERVAL, told).await;
    }
}

pub(super) async fn in_time<T>(work: impl Future<Output = T>) -> Result<T> {
    timeout(BOUND, work).await.map_err(|_| Error::TooSlow(BOUND))
}

/// The connection of the last read, or a new one to the server that takes writes, which begins anew.
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
    in_time(listen(&server, can_listen)).await?
}

/// A connection that is told of ends. The pool is the only way to a listener, and is made anew with
/// it: a connection that hangs while it is closed would keep the one place that there is.
async fn listen(options: &PgConnectOptions, can_listen: bool) -> Result<PgListener> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(BOUND)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    if !can_listen {
        return Ok(listener);
    }
    sqlx::raw_sql(SESSION).execute(&mut listener).await?;
    match listener.listen(CHANNEL).await {
        // A pooler that refuses to listen leaves the reads.
        Ok(()) | Err(sqlx::Error::Database(_)) => Ok(listener),
        Err(error) => Err(error.into()),
    }
}

async fn read_sqlite(
    readers: &SqlitePool,
    position: u64,
    mut hand_on: impl FnMut(&[EndedSession], bool),
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
            ended.push(read_end(session, user, &reason, until)?);
        }
        hand_on(&ended, false);
    }
    Ok(reached)
}

/// One message without parameters, which every pooler understands. Says beside the position, the
/// snapshot and the time whether there are rows of another server, which are not handed on.
async fn read_postgres(
    listener: &mut PgListener,
    position: u64,
    seen: Option<&Snapshot>,
    mut hand_on: impl FnMut(&[EndedSession], bool),
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
    // The bound is on each step: all ends of a busy week take longer than one answer may.
    while let Some(rows) = in_time(chunks.try_next()).await?.map_err(|failed| failed.1)? {
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
                // Beside the position there is nothing.
                None => {}
            }
        }
        hand_on(&ended, false);
        hand_on(&repeated, true);
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
    read_end(row.try_get(2)?, row.try_get(3)?, row.try_get(4)?, row.try_get(5)?)
}

/// The end that a row tells of.
pub(super) fn read_end(
    session: Uuid,
    user: Uuid,
    reason: &str,
    until: i64,
) -> Result<EndedSession> {
    Ok(EndedSession {
        id: SessionId::from_uuid(session),
        user_id: UserId::from_uuid(user),
        reason: EndReason::parse(reason).ok_or(Error::unreadable("end reason"))?,
        until: Timestamp::from_micros(until),
    })
}
