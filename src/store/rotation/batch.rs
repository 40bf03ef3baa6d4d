//! Batches of rotations that share a statement and a commit.
//!
//! Under load most of a rotation's time is the commit's wait for the disk and the statement's round
//! trip to the server, or to SQLite's thread. Rotations that arrive while other batches are under way
//! are therefore queued and sent together; one that arrives alone is sent at once.
//!
//! A rotation never fails or waits because of another one's row. A batch skips locked rows. Whatever
//! a batch did not change is left to the caller, who repeats it as a statement of its own: only that
//! tells why. Since batches wait for no row lock, two of them cannot deadlock.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::store::backend::database::Database;
use crate::store::backend::lease::LeasedConnections;
use crate::store::backend::sqlite::Writer;
use crate::store::error::{Error, Result};
use crate::store::rotation::refreshed::RefreshedRow;
use crate::store::rotation::statement::{Rotate, RowLocks, rotate_postgres, rotate_sqlite};
use crate::store::timeout::with_timeout;

const MAX_BATCH: usize = 64;

/// Batches under way at once: while one waits for the disk, the next is on its way.
const MAX_CONCURRENT_BATCHES: usize = 2;

#[derive(Clone)]
enum BatchWriter {
    Sqlite(Writer),
    Postgres(LeasedConnections),
}

struct QueuedRotation {
    rotate: Rotate,
    answer: oneshot::Sender<Result<Option<RefreshedRow>>>,
}

/// The queue of rotations. Its task ends when this is dropped.
#[derive(Debug)]
pub(in crate::store) struct RotationQueue(mpsc::Sender<QueuedRotation>);

impl RotationQueue {
    pub(in crate::store) fn start(database: &Database) -> Self {
        let writer = match database {
            Database::Sqlite(sqlite) => BatchWriter::Sqlite(sqlite.writer.clone()),
            Database::Postgres(postgres) => BatchWriter::Postgres(postgres.connections.clone()),
        };
        let (sender, queue) = mpsc::channel(MAX_BATCH * 4);
        tokio::spawn(send_batches(writer, queue));
        Self(sender)
    }

    /// Rotates in the next batch. `None` if the batch did not change the row, for whatever reason.
    pub(in crate::store) async fn rotate(&self, rotate: Rotate) -> Result<Option<RefreshedRow>> {
        let (answer, answered) = oneshot::channel();
        let queued = QueuedRotation { rotate, answer };
        self.0.send(queued).await.map_err(|_| sqlx::Error::PoolClosed)?;
        match answered.await.map_err(|_| sqlx::Error::PoolClosed)? {
            // Another rotation of the batch may be the cause; a statement of its own will tell.
            Err(error) if matches!(error, Error::Unexpected(_)) || error.is_lost_race() => Ok(None),
            outcome => outcome,
        }
    }
}

async fn send_batches(writer: BatchWriter, mut queue: mpsc::Receiver<QueuedRotation>) {
    let permits = Arc::new(Semaphore::new(MAX_CONCURRENT_BATCHES));
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        let mut batch = Vec::new();
        if queue.recv_many(&mut batch, MAX_BATCH).await == 0 {
            return;
        }
        tokio::spawn(send_batch(writer.clone(), batch, permit));
    }
}

async fn send_batch(
    writer: BatchWriter,
    mut batch: Vec<QueuedRotation>,
    _permit: OwnedSemaphorePermit,
) {
    // A caller that timed out was told so, and must not find later that the rotation took place.
    batch.retain(|queued| !queued.answer.is_closed());
    let successors = batch.iter().map(|queued| queued.rotate.next.as_uuid());
    let successors: Vec<_> = successors.collect();
    let (rotates, answers): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|QueuedRotation { rotate, answer }| (rotate, answer)).unzip();
    let outcome = match writer {
        BatchWriter::Sqlite(writer) => {
            let write = writer
                .write(move |conn| Box::pin(async move { rotate_sqlite(conn, &rotates).await }));
            write.await
        }
        BatchWriter::Postgres(connections) => {
            // Boxed: a spawned task is moved whole, with room for the larger of the two arms.
            let statement = Box::pin(async {
                let mut lease = connections.lease().await?;
                let rows = rotate_postgres(&mut lease, &rotates, RowLocks::Skip).await;
                lease.finish(rows).await
            });
            with_timeout(statement).await
        }
    };
    let by_token = |row: RefreshedRow| (row.token(), row);
    let mut rows = outcome.map(|rows| rows.into_iter().map(by_token).collect::<HashMap<_, _>>());
    for (successor, answer) in successors.iter().zip(answers) {
        let row = rows.as_mut().map(|rows| rows.remove(successor));
        // The caller may be cancelled; the rotation stays.
        let _ = answer.send(row.map_err(|error| error.clone()));
    }
}
