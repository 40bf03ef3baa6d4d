//! The size of deletion batches.

use crate::store::backend::database::Database;
use crate::store::handle::Store;

impl Store {
    /// Maximum number of rows that one statement deletes or clears. On SQLite nobody else writes
    /// meanwhile, and a waiting process looks again only after milliseconds. On PostgreSQL nobody waits,
    /// but each statement scans the dead rows of those before it.
    pub(in crate::store) fn deletion_batch_size(&self) -> i64 {
        match self.kind() {
            Database::Sqlite(_) => 50,
            Database::Postgres(_) => 100,
        }
    }
}
