//! How many connections to PostgreSQL a process has, and what stands between it and the server.

use sqlx::postgres::PgConnectOptions;

use super::connect::DatabaseUrl;

/// How a process connects. SQLite, which is in the process, needs none of it.
#[derive(Clone, Debug)]
pub struct Connections {
    /// The most for operations; the feed has one more.
    pub most: u32,
    /// What lends them.
    pub pooler: Pooler,
    /// Where the server itself is, past the pooler: for the feed, which a pooler cannot wake.
    pub direct: Option<DatabaseUrl>,
}

/// What lends connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooler {
    /// Nothing: a connection is one of the server's own for as long as it is there.
    None,
    /// A pooler that finds one for each transaction, such as `PgBouncer` with `pool_mode =
    /// transaction`. What a transaction leaves on it, others find; so an operation is a transaction,
    /// and leaves nothing.
    Transaction,
}

impl Default for Connections {
    fn default() -> Self {
        Self { most: 16, pooler: Pooler::None, direct: None }
    }
}

impl Connections {
    /// Where the feed connects, and whether it can be woken there.
    pub(super) fn of_feed(&self, options: &PgConnectOptions) -> (PgConnectOptions, bool) {
        match self.direct.as_ref().and_then(DatabaseUrl::postgres) {
            Some(direct) => (direct.clone(), true),
            None => (options.clone(), self.pooler == Pooler::None),
        }
    }
}
