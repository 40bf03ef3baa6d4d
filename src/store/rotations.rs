//! Rotations that share a statement and a commit.
//!
//! A commit waits for the disk and a statement for its trip to the server, or to the thread of SQLite,
//! and under load that is most of what a rotation costs. So those that arrive while others are under
//! way wait for these, and then go together. One that comes alone goes at once.
//!
//! Rule: nobody fails or waits for a stranger's row. One that somebody has locked is passed over, and
//! its rotation is left to whoever asked for it; so is every one that changed nothing, since only a
//! statement of its own says why. And since these statements wait for no row, no two of them wait for
//! one another.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::lease::Lender;
use super::refresh::RefreshedRow;
use super::rotate::{Locked, Rotate, rotate_postgres, rotate_sqlite};
use super::sqlite::Writer;
use super::{Error, Result, together};

/// The most that go together.
const MOST: usize = 64;

/// How many groups are under way at once: while one waits for the disk, the next is on its way.
const LANES: usize = 2;

/// What carries them to the database.
#[derive(Clone)]
pub(super) enum Carrier {
    Sqlite(Writer),
    Postgres(Lender),
}

/// One that waits to be carried.
struct Waiting {
    rotate: Rotate,
    answer: oneshot::Sender<Result<Option<RefreshedRow>>>,
}

/// Where rotations queue.
#[derive(Debug)]
pub(super) struct Rotations(mpsc::Sender<Waiting>);

impl Rotations {
    /// Opens the queue; what is in it is carried until this is dropped.
    pub(super) fn open(carrier: Carrier) -> Self {
        let (queue, waiting) = mpsc::channel(MOST * 4);
        tokio::spawn(work(carrier, waiting));
        Self(queue)
    }

    /// Rotates, along with whoever else waits. `None` where that changed nothing, for whatever reason.
    pub(super) async fn rotate(&self, rotate: Rotate) -> Result<Option<RefreshedRow>> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { rotate, answer };
        self.0.send(waiting).await.map_err(|_| sqlx::Error::PoolClosed)?;
        match answered.await.map_err(|_| sqlx::Error::PoolClosed)? {
            // Perhaps of another's making: alone it will be seen.
            Err(error) if matches!(error, Error::Unexpected(_)) || error.is_of_a_lost_race() => {
                Ok(None)
            }
            outcome => outcome,
        }
    }
}

/// The task of the queue: sends off what waits whenever there is a lane for it.
async fn work(carrier: Carrier, mut queue: mpsc::Receiver<Waiting>) {
    let lanes = Arc::new(Semaphore::new(LANES));
    while let Ok(lane) = Arc::clone(&lanes).acquire_owned().await {
        let mut group = Vec::new();
        if queue.recv_many(&mut group, MOST).await == 0 {
            return;
        }
        tokio::spawn(carry(carrier.clone(), group, lane));
    }
}

/// Rotates a group, and answers.
async fn carry(carrier: Carrier, mut group: Vec<Waiting>, _lane: OwnedSemaphorePermit) {
    // Who has given up was told so, and must not find later that it was done all the same.
    group.retain(|waiting| !waiting.answer.is_closed());
    let successors = group.iter().map(|waiting| waiting.rotate.next.as_uuid());
    let successors: Vec<_> = successors.collect();
    let (rotates, answers): (Vec<_>, Vec<_>) =
        group.into_iter().map(|Waiting { rotate, answer }| (rotate, answer)).unzip();
    let outcome = match carrier {
        Carrier::Sqlite(writer) => {
            let write = writer
                .write(move |conn| Box::pin(async move { rotate_sqlite(conn, &rotates).await }));
            write.await
        }
        Carrier::Postgres(lender) => {
            // On the heap: a task that is spawned is copied whole, for the other database, too.
            let in_time = Box::pin(async {
                let mut lease = lender.lease().await?;
                let rows = rotate_postgres(&mut lease, &rotates, Locked::PassedOver).await;
                lease.at_rest(rows).await
            });
            together(in_time).await
        }
    };
    let by_token = |row: RefreshedRow| (row.token(), row);
    let mut rows = outcome.map(|rows| rows.into_iter().map(by_token).collect::<HashMap<_, _>>());
    for (successor, answer) in successors.iter().zip(answers) {
        let own = rows.as_mut().map(|rows| rows.remove(successor));
        // Nobody may be waiting any more; what was done is done.
        let _ = answer.send(own.map_err(|error| error.clone()));
    }
}
