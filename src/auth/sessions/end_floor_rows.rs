//! Ending of the rows of sessions below a floor, in the background.

use std::time::Duration;

use super::session_ends::SessionEnds;
use crate::auth::authority::Actor;
use crate::auth::error::Error;
use crate::clock::Stopwatch;
use crate::store::{self, Floor, FloorBatch};

/// Time in which a command ends rows itself.
const MAX_COMMAND_TIME: Duration = Duration::from_secs(10);

/// Interval at which unfinished floors are looked for.
const INTERVAL: Duration = Duration::from_secs(1);

impl SessionEnds {
    /// Ends rows for some seconds where a command has set the floor: no service may be running. A service
    /// does so in the background, and goes on with the rest.
    pub(in crate::auth) async fn complete(&self, by: Actor) -> Result<(), Error> {
        match by {
            // Access is refused already, so no caller waits minutes for the rows.
            Actor::Operator => {
                tokio::time::timeout(MAX_COMMAND_TIME, self.end_rows()).await.unwrap_or(Ok(()))
            }
            Actor::User(_) => Ok(()),
        }
    }

    /// Ends the rows below all known floors, or waits for the process that does. After a failure the rows
    /// that are ended stay ended.
    pub async fn end_rows(&self) -> Result<(), Error> {
        for floor in self.revocations.unfinished_floors() {
            while !self.end_rows_below(&floor).await? {
                tokio::time::sleep(INTERVAL).await;
            }
        }
        Ok(())
    }

    /// Ends the rows below every floor that any process sets, until the task is dropped. A failure is
    /// logged once, when it begins.
    pub async fn end_rows_forever(&self) {
        let mut failing = false;
        loop {
            // The interval is for floors of other processes, and for batches that failed.
            let _ = tokio::time::timeout(INTERVAL, self.new_floor.notified()).await;
            let mut failed = None;
            for floor in self.revocations.unfinished_floors() {
                failed = self.end_rows_below(&floor).await.err().or(failed);
            }
            if let (Some(error), false) = (&failed, failing) {
                let error: &dyn std::error::Error = error;
                tracing::error!(
                    error,
                    "updating the rows of ended sessions failed; their tokens are refused"
                );
            }
            failing = failed.is_some();
        }
    }

    /// Ends the rows below a floor, a batch at a time. `false` where another process has the lease.
    async fn end_rows_below(&self, floor: &Floor) -> Result<bool, store::Error> {
        loop {
            let batch = Stopwatch::start();
            match self.store.end_batch(floor.id, self.worker, self.now()).await? {
                FloorBatch::Ended(ended) => self.note(&ended),
                FloorBatch::Last(ended, floor) => {
                    self.note(&ended);
                    self.revocations.add_floors(&[floor]);
                    return Ok(true);
                }
                FloorBatch::Busy => return Ok(false),
                FloorBatch::Done => return Ok(true),
            }
            self.rest_after(batch).await;
        }
    }

    /// Leaves the database to others for some time, in proportion to the batch.
    pub(super) async fn rest_after(&self, batch: Stopwatch) {
        tokio::time::sleep(batch.elapsed() * self.store.batch_pause_factor()).await;
    }
}
