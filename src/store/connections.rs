//! How a process connects: how often, through what, and when it takes a write for done.

use super::database_url::DatabaseUrl;
use super::servers::Servers;

/// How a process connects. All but `commits` is of PostgreSQL: SQLite is in the process.
#[derive(Clone, Debug)]
pub struct Connections {
    /// What is done once it is acknowledged.
    pub commits: Commits,
    /// The most for operations; the feed has one more.
    pub most: u32,
    /// What lends them.
    pub pooler: Pooler,
    /// Where the server itself is, past the pooler: for the feed, which a pooler cannot wake.
    pub direct: Option<DatabaseUrl>,
}

/// When a commit to SQLite returns. On PostgreSQL each waits for the disk: nobody waits for it there,
/// a pooler would hand the setting on to the server's connections, and after a crash transactions
/// that were seen as over could be given the numbers of others, which readers of the feed pass by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    /// Once it is on the disk: what was acknowledged survives a power cut.
    OnDisk,
    /// Before: a power cut may undo the last ones, and breaks nothing. For a process all of whose
    /// writes can be done again; others wait for it less, since there is one writer. Theirs are no
    /// less safe: a commit that waits for the disk waits for all before it.
    Soon,
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
        Self { commits: Commits::OnDisk, most: 16, pooler: Pooler::None, direct: None }
    }
}

impl Connections {
    /// Where the feed connects, and whether it can be woken there.
    pub(super) fn of_feed(
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
