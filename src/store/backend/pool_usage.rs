//! Gauges of the connection pool.

use crate::store::backend::database::Database;

/// The pool for operations. The feed's connection and SQLite's writer are not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolUsage {
    pub idle: usize,
    pub in_use: usize,
    pub max: usize,
}

fn usage<D: sqlx::Database>(pool: &sqlx::Pool<D>) -> PoolUsage {
    let size = usize::try_from(pool.size()).unwrap_or(usize::MAX);
    // The two numbers are not read at the same moment.
    let idle = pool.num_idle().min(size);
    let max = usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX);
    PoolUsage { idle, in_use: size - idle, max }
}

impl Database {
    pub(in crate::store) fn pool_usage(&self) -> PoolUsage {
        match self {
            Self::Sqlite(sqlite) => usage(sqlite.readers()),
            Self::Postgres(postgres) => usage(postgres.connections.pool()),
        }
    }
}
