//! How busy the connections to the database are.

use super::{Pools, Store};

/// The connections for operations; the feed's and the writer's of SQLite are beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// How many wait for work.
    pub idle: usize,
    /// How many do some.
    pub in_use: usize,
    /// How many there may be.
    pub most: usize,
}

/// The state of one database's pool.
fn state<D: sqlx::Database>(pool: &sqlx::Pool<D>) -> Pool {
    let size = usize::try_from(pool.size()).unwrap_or(usize::MAX);
    // The two are not read at the same moment.
    let idle = pool.num_idle().min(size);
    let most = usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX);
    Pool { idle, in_use: size - idle, most }
}

impl Store {
    /// How busy its connections are.
    #[must_use]
    pub fn pool(&self) -> Pool {
        match &self.pools {
            Pools::Sqlite(sqlite) => state(sqlite.readers()),
            Pools::Postgres(postgres) => state(postgres.lender.pool()),
        }
    }
}
