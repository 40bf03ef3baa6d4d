//! How much of an import is written at once.

use std::time::Duration;

use crate::store::backend::database::Database;
use crate::store::handle::Store;

/// Limits of the batches of an import.
#[derive(Clone, Copy, Debug)]
pub struct ImportPace {
    /// Most rows of a batch.
    pub rows: i64,
    /// Longest time of a batch.
    pub batch: Duration,
    /// Time between batches in which others can write.
    pub rest: Duration,
}

impl Store {
    #[must_use]
    pub fn import_pace(&self) -> ImportPace {
        match self.kind() {
            // A batch keeps out all other writers, and one in another process retries after milliseconds.
            Database::Sqlite(_) => ImportPace {
                rows: 2_000,
                batch: Duration::from_millis(60),
                rest: Duration::from_millis(15),
            },
            // Nobody waits for it.
            Database::Postgres(_) => {
                ImportPace { rows: 2_000, batch: Duration::from_millis(300), rest: Duration::ZERO }
            }
        }
    }
}
