//! Options of connections: their number, poolers, and durability of commits.

use crate::store::backend::database_url::DatabaseUrl;
use crate::store::backend::server_selection::Servers;

/// All but `durability` is for PostgreSQL: SQLite runs in the process.
#[derive(Clone, Debug)]
pub struct ConnectionOptions {
    pub durability: Durability,
    /// Maximum number of connections for operations. The feed has one more.
    pub max: u32,
    pub pooler: Pooler,
    /// The server itself, without the pooler, for the feed: a pooler delivers no notifications.
    pub direct: Option<DatabaseUrl>,
}

/// Whether a commit to SQLite waits for the disk, as `PRAGMA synchronous`.
///
/// PostgreSQL always waits. Without the wait nothing would be gained for other writers, a pooler would
/// pass the setting on to other clients, and after a crash the ids of transactions that readers of the
/// feed saw as finished could be given to others, which those readers would then skip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Waits: an acknowledged write survives a power cut.
    Full,
    /// Does not wait: a power cut may undo the last writes, and corrupts nothing. For a process whose
    /// writes can all be repeated; other processes then wait for it less, as there is one writer at a
    /// time. Their durability is unchanged: a commit that waits for the disk also waits for all
    /// commits before it.
    Normal,
}

/// What stands between the program and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooler {
    /// Nothing: a connection belongs to this process until it is closed.
    None,
    /// A pooler that assigns a connection for each transaction, such as `PgBouncer` with `pool_mode =
    /// transaction`. Other clients find what a transaction leaves on its connection, so every
    /// operation is a transaction and leaves nothing.
    Transaction,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self { durability: Durability::Full, max: 16, pooler: Pooler::None, direct: None }
    }
}

impl ConnectionOptions {
    /// The servers that the feed connects to, and whether they deliver notifications.
    pub(in crate::store) fn feed_servers(
        &self,
        servers: &Servers,
        direct: impl Fn(&DatabaseUrl) -> Option<Servers>,
    ) -> (Servers, bool) {
        match self.direct.as_ref().and_then(direct) {
            Some(direct) => (direct, true),
            None => (servers.clone(), self.pooler == Pooler::None),
        }
    }
}
