//! SQLite with many readers and one writer.
//!
//! All writes run on one connection owned by one task. Transactions begin with `BEGIN IMMEDIATE`: a
//! reader that becomes a writer midway fails with "database is locked" whenever another was faster.
//! The writer commits in groups: each write has a savepoint of its own, and one `COMMIT`, which waits
//! for the disk, serves all writes that were queued. No write is answered before its commit, so an
//! acknowledged logout survives a power cut, and a hundred at once cost one flush.
//!
//! [`close_all`] must run before the process ends: SQLite copies the write-ahead log into the database
//! file when the last connection is closed, and only then is the database one file.

use std::fs::OpenOptions;
use std::io;
use std::mem;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::store::backend::connection_options::Durability;
use crate::store::error::Result;
use crate::store::query_cost::OperationTimer;
use crate::store::timeout::{OPERATION_TIMEOUT, with_timeout};

/// Maximum number of writes that share a commit.
const MAX_GROUP: usize = 64;

/// Sends a write's result to its caller, given the result of the commit.
type Reply = Box<dyn FnOnce(Result<()>) + Send>;

/// A queued write. Given the connection, it writes and returns whether to keep what it wrote. Given an
/// error, because the transaction is lost, it passes the error on.
type Job = Box<
    dyn for<'c> FnOnce(Result<&'c mut SqliteConnection>) -> BoxFuture<'c, (bool, Reply)> + Send,
>;

/// An open database file.
#[derive(Debug)]
pub(in crate::store) struct Sqlite {
    options: Box<SqliteConnectOptions>,
    readers: SqlitePool,
    pub writer: Writer,
}

/// The open databases of this process, for [`close_all`].
static OPEN: Mutex<Vec<Open>> = Mutex::new(Vec::new());

struct Open {
    close: Arc<Notify>,
    writer: JoinHandle<()>,
}

/// Closes every SQLite database of this process, after the queued writes, even if handles remain. A
/// runtime that ends would drop the connections instead, and the write-ahead log would stay.
pub async fn close_all() {
    let open = mem::take(&mut *OPEN.lock());
    for database in &open {
        database.close.notify_one();
    }
    for database in open {
        // The only error is a panic of the task, which then has nothing left to close.
        let _ = database.writer.await;
    }
}

/// The queue of the writing connection, which is closed when the last clone is dropped.
#[derive(Clone, Debug)]
pub(in crate::store) struct Writer(mpsc::Sender<Job>);

impl Sqlite {
    /// Opens the file; creates it, readable by its owner only, if it does not exist.
    pub(in crate::store) async fn open(path: &Path, durability: Durability) -> Result<Self> {
        create(path).map_err(sqlx::Error::Io)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(match durability {
                Durability::Full => SqliteSynchronous::Full,
                Durability::Normal => SqliteSynchronous::Normal,
            })
            .foreign_keys(true)
            .busy_timeout(OPERATION_TIMEOUT)
            .disable_statement_logging();
        let connection = SqliteConnection::connect_with(&options).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            // SQLite runs in this process: a connection needs no check before its use.
            .test_before_acquire(false)
            .acquire_timeout(OPERATION_TIMEOUT)
            .connect_lazy_with(options.clone().pragma("query_only", "ON"));
        let (writer, jobs) = mpsc::channel(MAX_GROUP * 4);
        let close = Arc::new(Notify::new());
        let task = WriterTask { connection, options: options.clone(), readers: readers.clone() };
        let task = tokio::spawn(task.run(jobs, Arc::clone(&close)));
        let mut open = OPEN.lock();
        open.retain(|database| !database.writer.is_finished());
        open.push(Open { close, writer: task });
        drop(open);
        Ok(Self { options: Box::new(options), readers, writer: Writer(writer) })
    }

    /// An extra connection, for work that manages its own transactions.
    pub(in crate::store) async fn connect(&self) -> Result<SqliteConnection> {
        Ok(SqliteConnection::connect_with(&self.options).await?)
    }

    /// The read-only connections.
    pub(in crate::store) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// A read-only connection.
    pub(in crate::store) async fn reader(&self) -> Result<PoolConnection<sqlx::Sqlite>> {
        Ok(self.readers.acquire().await?)
    }
}

impl Writer {
    /// Runs `body` in a transaction and returns once it is on disk. A queued write runs to its end even
    /// if the caller is cancelled.
    pub(in crate::store) async fn write<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let timer = OperationTimer::start();
        // The writer's task counts statements for the caller's request.
        let meter = timer.meter.clone();
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            Box::pin(async move {
                let outcome = match connection {
                    Ok(connection) => meter.measure(body(connection)).await,
                    Err(error) => Err(error),
                };
                let keep = outcome.is_ok();
                // The caller may be cancelled; the write stays.
                let reply: Reply = Box::new(move |committed| {
                    let _ = answer.send(outcome.and_then(|value| committed.map(|()| value)));
                });
                (keep, reply)
            })
        });
        // Not each group alone: behind another process's transaction every queued group waits in turn.
        with_timeout(async {
            self.0.send(job).await.map_err(|_| sqlx::Error::PoolClosed)?;
            wait.await.map_err(|_| sqlx::Error::PoolClosed)?
        })
        .await
    }
}

/// Creates an empty file that only its owner can read, since it will hold password hashes. SQLite
/// gives the files beside it the same mode.
fn create(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(|_| ()),
    }
}

/// The task that owns the writing connection.
struct WriterTask {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    readers: SqlitePool,
}

impl WriterTask {
    /// Commits the queued writes in groups, until all senders are dropped or `close` is notified.
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>, close: Arc<Notify>) {
        let mut queued = Vec::with_capacity(MAX_GROUP);
        loop {
            let taken = tokio::select! {
                taken = jobs.recv_many(&mut queued, MAX_GROUP) => taken,
                () = close.notified() => {
                    // Writes that are queued already are still done.
                    jobs.close();
                    continue;
                }
            };
            if taken == 0 {
                return self.close().await;
            }
            let mut replies = Vec::with_capacity(queued.len());
            let committed = commit(&mut self.connection, &mut queued, &mut replies).await;
            if committed.is_err() {
                // After a full disk or an I/O error SQLite may or may not have rolled back.
                let _ = execute(&mut self.connection, "ROLLBACK").await;
                if let Ok(fresh) = SqliteConnection::connect_with(&self.options).await {
                    self.connection = fresh;
                }
            }
            for reply in replies {
                reply(committed.clone());
            }
        }
    }

    /// Closes the readers and then, as the last connection of this process, the writer. If another
    /// process has the database open, the write-ahead log stays until that one closes.
    async fn close(mut self) {
        if tokio::time::timeout(OPERATION_TIMEOUT, self.readers.close()).await.is_err() {
            // A busy reader is left, so the writer is not the last: copy the log explicitly.
            let _ = execute(&mut self.connection, "PRAGMA wal_checkpoint(TRUNCATE)").await;
        }
        let _ = self.connection.close().await;
    }
}

/// Runs all queued writes in one transaction. Each is run exactly once, with the connection or, once
/// the transaction is lost, with the error that lost it.
async fn commit(
    connection: &mut SqliteConnection,
    queued: &mut Vec<Job>,
    replies: &mut Vec<Reply>,
) -> Result<()> {
    let mut state = execute(connection, "BEGIN IMMEDIATE; SAVEPOINT job").await;
    let mut left = queued.len();
    for job in queued.drain(..) {
        left -= 1;
        let (keep, reply) = match &state {
            Ok(()) => job(Ok(connection)).await,
            Err(error) => job(Err(error.clone())).await,
        };
        replies.push(reply);
        if state.is_ok() {
            state = execute(connection, next_savepoint(keep, left > 0)).await;
        }
    }
    state
}

/// Ends the savepoint of one write and begins the next or commits. One text, since each handover to
/// the connection's thread costs as much as the statements in it.
fn next_savepoint(keep: bool, more: bool) -> &'static str {
    match (keep, more) {
        (true, true) => "RELEASE job; SAVEPOINT job",
        (true, false) => "RELEASE job; COMMIT",
        (false, true) => "ROLLBACK TO job",
        (false, false) => "ROLLBACK TO job; RELEASE job; COMMIT",
    }
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<()> {
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_commit_waits_for_the_disk_unless_durability_is_normal() {
        let directory = tempfile::tempdir().unwrap();
        for (durability, level) in [(Durability::Full, 2), (Durability::Normal, 1)] {
            let sqlite = Sqlite::open(&directory.path().join("a.db"), durability).await.unwrap();
            let query = sqlite.writer.write(|connection| {
                Box::pin(async move {
                    let level = sqlx::query_scalar("PRAGMA synchronous");
                    Ok(level.fetch_one(connection).await?)
                })
            });
            let found: i64 = query.await.unwrap();
            assert_eq!(found, level, "{durability:?}");
        }
    }
}
