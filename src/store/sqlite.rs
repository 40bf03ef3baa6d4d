//! SQLite: many readers, one writer.
//!
//! Rule: everything that writes goes through one connection on one task. A transaction begins as a
//! writer (`BEGIN IMMEDIATE`): one that turns into a writer half way fails with "database is locked"
//! whenever another was faster. Each write has a savepoint of its own, and one `COMMIT`, which waits
//! for the disk, serves all writes that were waiting; nobody is answered before it. So an
//! acknowledged logout survives a power cut, and a hundred at once cost one flush.
//!
//! Rule: before the process ends [`close_all`] closes what it opened. SQLite folds the write-ahead log
//! into the database when its last connection is closed, and only then one file holds everything.

use std::fs::OpenOptions;
use std::io;
use std::mem;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::connections::Commits;
use super::spent::Operation;
use super::{BOUND, Result, together};

/// The most writes that share a commit.
const BATCH: usize = 64;

/// Tells a write what became of the commit.
type Reply = Box<dyn FnOnce(Result<()>) + Send>;

/// A write that waits: given the connection it writes and says whether to keep it; given an error,
/// because there is no transaction to write in, it passes that on.
type Job = Box<
    dyn for<'c> FnOnce(Result<&'c mut SqliteConnection>) -> BoxFuture<'c, (bool, Reply)> + Send,
>;

/// An open database file.
#[derive(Debug)]
pub(super) struct Sqlite {
    options: Box<SqliteConnectOptions>,
    readers: SqlitePool,
    pub writer: Writer,
}

/// The databases that this process has open.
static OPEN: Mutex<Vec<Open>> = Mutex::new(Vec::new());

/// A database that has to be closed before the process ends.
struct Open {
    close: Arc<Notify>,
    writer: JoinHandle<()>,
}

/// Closes every SQLite database of this process, whoever still holds it, after what waits to be
/// written. A runtime that ends drops connections instead, and SQLite's write-ahead log stays.
pub async fn close_all() {
    let open = mem::take(&mut *OPEN.lock().unwrap_or_else(PoisonError::into_inner));
    for database in &open {
        database.close.notify_one();
    }
    for database in open {
        // A task that panicked has closed nothing more.
        let _ = database.writer.await;
    }
}

/// The way to the connection that writes, which is closed once nobody has it any more.
#[derive(Clone, Debug)]
pub(super) struct Writer(mpsc::Sender<Job>);

impl Sqlite {
    /// Opens the file and makes it where there is none, for its owner's eyes only.
    pub(super) async fn open(path: &Path, commits: Commits) -> Result<Self> {
        create(path).map_err(sqlx::Error::Io)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(match commits {
                Commits::OnDisk => SqliteSynchronous::Full,
                Commits::Soon => SqliteSynchronous::Normal,
            })
            .foreign_keys(true)
            .busy_timeout(BOUND)
            .disable_statement_logging();
        let connection = SqliteConnection::connect_with(&options).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            // There is no server that could have gone away.
            .test_before_acquire(false)
            .acquire_timeout(BOUND)
            .connect_lazy_with(options.clone().pragma("query_only", "ON"));
        let (writer, jobs) = mpsc::channel(BATCH * 4);
        let close = Arc::new(Notify::new());
        let work = Work { connection, options: options.clone(), readers: readers.clone() };
        let task = tokio::spawn(work.run(jobs, Arc::clone(&close)));
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|database| !database.writer.is_finished());
        open.push(Open { close, writer: task });
        drop(open);
        Ok(Self { options: Box::new(options), readers, writer: Writer(writer) })
    }

    /// A connection beside the others, for what has transactions of its own.
    pub(super) async fn connect(&self) -> Result<SqliteConnection> {
        Ok(SqliteConnection::connect_with(&self.options).await?)
    }

    /// The connections that cannot write.
    pub(super) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// A connection that cannot write.
    pub(super) async fn reader(&self) -> Result<PoolConnection<sqlx::Sqlite>> {
        Ok(self.readers.acquire().await?)
    }
}

impl Writer {
    /// Runs `body` in a transaction, and returns once that is on the disk. Once it is in the queue it
    /// runs to its end, whether or not the caller still waits.
    pub(super) async fn write<T, F>(&self, body: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let operation = Operation::begin();
        // The writer's task works for whoever asked.
        let payer = operation.payer.clone();
        let (answer, wait) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            Box::pin(async move {
                let outcome = match connection {
                    Ok(connection) => payer.pay(body(connection)).await,
                    Err(error) => Err(error),
                };
                let keep = outcome.is_ok();
                // Nobody may be waiting any more; what was done is done.
                let reply: Reply = Box::new(move |committed| {
                    let _ = answer.send(outcome.and_then(|value| committed.map(|()| value)));
                });
                (keep, reply)
            })
        });
        // Behind another process's transaction a queue forms, each batch of which waits as long.
        together(async {
            self.0.send(job).await.map_err(|_| sqlx::Error::PoolClosed)?;
            wait.await.map_err(|_| sqlx::Error::PoolClosed)?
        })
        .await
    }
}

/// Makes an empty file that only its owner can read: it will hold password hashes. The files that
/// SQLite puts beside it take its mode.
fn create(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(|_| ()),
    }
}

/// What the writer's task works with.
struct Work {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    readers: SqlitePool,
}

impl Work {
    /// Takes what waits, commits it together, answers; until nobody is left who could ask, or it is
    /// told to close.
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>, close: Arc<Notify>) {
        let mut waiting = Vec::with_capacity(BATCH);
        loop {
            let taken = tokio::select! {
                taken = jobs.recv_many(&mut waiting, BATCH) => taken,
                () = close.notified() => {
                    // What is in the queue already is still done.
                    jobs.close();
                    continue;
                }
            };
            if taken == 0 {
                return self.close().await;
            }
            let mut replies = Vec::with_capacity(waiting.len());
            let committed = commit(&mut self.connection, &mut waiting, &mut replies).await;
            if committed.is_err() {
                // After a full disk or an I/O error SQLite may have rolled back by itself, or not.
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

    /// Closes the readers and then, as the last connection of this process, the writer. Beside another
    /// process's connections the log stays, which that one then folds in.
    async fn close(mut self) {
        if tokio::time::timeout(BOUND, self.readers.close()).await.is_err() {
            // A reader that is still busy keeps the writer from being the last.
            let _ = execute(&mut self.connection, "PRAGMA wal_checkpoint(TRUNCATE)").await;
        }
        let _ = self.connection.close().await;
    }
}

/// Runs all that waits in one transaction. Each job is run exactly once, with the connection or,
/// once the transaction is lost, with the error that lost it.
async fn commit(
    connection: &mut SqliteConnection,
    waiting: &mut Vec<Job>,
    replies: &mut Vec<Reply>,
) -> Result<()> {
    let mut state = execute(connection, "BEGIN IMMEDIATE; SAVEPOINT job").await;
    let mut left = waiting.len();
    for job in waiting.drain(..) {
        left -= 1;
        let (keep, reply) = match &state {
            Ok(()) => job(Ok(connection)).await,
            Err(error) => job(Err(error.clone())).await,
        };
        replies.push(reply);
        if state.is_ok() {
            state = execute(connection, end(keep, left > 0)).await;
        }
    }
    state
}

/// How a job ends, and what is next. Each text that is handed to the thread of the connection costs as
/// much as the statements in it.
fn end(keep: bool, more: bool) -> &'static str {
    match (keep, more) {
        (true, true) => "RELEASE job; SAVEPOINT job",
        (true, false) => "RELEASE job; COMMIT",
        (false, true) => "ROLLBACK TO job",
        (false, false) => "ROLLBACK TO job; RELEASE job; COMMIT",
    }
}

/// Runs statements, which are prepared once.
async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<()> {
    sqlx::query(sql).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_commit_waits_for_the_disk_unless_it_need_not() {
        let directory = tempfile::tempdir().unwrap();
        for (commits, level) in [(Commits::OnDisk, 2), (Commits::Soon, 1)] {
            let sqlite = Sqlite::open(&directory.path().join("a.db"), commits).await.unwrap();
            let asked = sqlite.writer.write(|connection| {
                Box::pin(async move {
                    let level = sqlx::query_scalar("PRAGMA synchronous");
                    Ok(level.fetch_one(connection).await?)
                })
            });
            let found: i64 = asked.await.unwrap();
            assert_eq!(found, level, "{commits:?}");
        }
    }
}
