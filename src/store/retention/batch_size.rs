//! The size of deletion batches.

use crate::store::backend::database::Database;
use crate::store::handle::Store;

impl Store {
    /// Maximum number of rows that one statement deletes or clears. On SQLite a batch blocks other writers,
    /// and a blocked process retries only after milliseconds. On PostgreSQL nobody waits, but each
    /// statement scans the dead rows of those before it.
    pub(in crate::store) fn deletion_batch_size(&self) -> i64 {
        match self.kind() {
            Database::Sqlite(_) => 50,
            Database::Postgres(_) => 100,
        }
    }
}
