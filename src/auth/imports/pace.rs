//! Size of batches: as many rows as are written in a short time, so that no login waits for long.

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::store::{ImportPace, Store};

/// Rows of the first batch.
const FIRST: i64 = 100;

/// Fewest rows of a batch.
const FEWEST: i64 = 10;

pub(super) struct Pace {
    pub rows: i64,
    limits: ImportPace,
}

impl Pace {
    pub(super) fn of(store: &Store) -> Self {
        Self { rows: FIRST, limits: store.import_pace() }
    }

    /// Adapts the size to the time that a batch took, and rests so that others can write.
    pub(super) async fn after(&mut self, batch: Stopwatch) {
        let took = batch.elapsed();
        if took > self.limits.batch {
            self.slow_down();
        } else if took < self.limits.batch / 2 {
            self.rows = (self.rows * 3 / 2).min(self.limits.rows);
        }
        let rest = self.limits.rest.min(took);
        if rest > Duration::ZERO {
            tokio::time::sleep(rest).await;
        }
    }

    /// After a batch that took too long.
    pub(super) fn slow_down(&mut self) {
        self.rows = (self.rows / 2).max(FEWEST);
    }
}
