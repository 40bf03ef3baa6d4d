//! The database, and the only SQL.
//!
//! Owns SQLite and PostgreSQL alike. Rule: a method is a whole operation, in one statement or in one
//! transaction; none leaves the module half done, and no transaction leaves it at all. What decides
//! who is logged in is a conditional write whose row count is the answer, never a read and then a
//! write.
//!
//! One text of SQL with `$1` serves both databases wherever it can, compiled once for each by the
//! macros below. Where the best of one is not the best of the other (a rotation, the end of
//! sessions, the feed), the two bodies stand side by side in one file.

#[macro_use]
mod dialects;
mod activation;
mod adopt;
mod audit;
mod backup;
mod batches;
mod below;
mod beyond;
mod conditions;
mod connect;
mod connections;
mod counted;
mod database_url;
mod earlier;
mod end;
mod ended;
mod ends;
mod error;
mod feed;
mod feed_cursor;
mod floors;
mod keys;
mod lease;
mod lists;
mod mark;
mod metadata;
mod migrations;
mod open;
mod percent_encoding;
mod pool;
mod postgres;
mod postgres_url;
#[cfg(test)]
mod provider_urls;
mod purge;
mod refresh;
mod refresh_limit;
mod rotate;
mod rotations;
mod rows;
mod servers;
mod session_defaults;
mod sessions;
mod spent;
mod sqlite;
mod stretches;
mod throttle;
mod url_parameters;
mod url_servers;
mod users;

pub use activation::LastAdministrator;
pub use audit::NewEvent;
pub use backup::BackupError;
pub use batches::Batch;
pub use connections::{Commits, Connections, Pooler};
pub use database_url::{DatabaseUrl, DatabaseUrlError};
pub use end::{EndSessions, EndedSession, MAX_LEEWAY, Scope};
pub use ends::{FollowedEnd, FollowedEnds};
pub use error::Error;
pub use feed::{Reading, Tail};
pub use feed_cursor::FeedCursor;
pub use floors::{AT_ONCE, Ending, Floor, FloorId};
pub use keys::{KeyMark, RotateKey, StoredKey};
pub use mark::Mark;
pub use metadata::Metadata;
pub use migrations::MigrationError;
pub use open::{NewSession, OpenSession, Opened};
pub use pool::Pool;
pub use postgres_url::PostgresUrlError;
pub use purge::{Expired, Purged};
pub use refresh::{Known, Noted, Refreshed, Repeat, Touch};
pub use rotate::Rotate;
pub use session_defaults::SessionDefault;
pub use spent::{Account, Spent};
pub use sqlite::close_all;
pub use stretches::{Found, Matching};
pub use throttle::{Charge, Charged, Settlement};
pub use users::{Credentials, NameTaken, NewUser};

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use postgres::Postgres;
use rotations::Rotations;
use sqlite::Sqlite;

/// What the store's operations come back with.
type Result<T, E = Error> = std::result::Result<T, E>;

/// How long an operation may take, waiting for a connection included.
const BOUND: Duration = Duration::from_secs(2);

/// Does several operations that are one to whoever waits, in the time that one may take.
///
/// # Errors
/// [`Error::TooSlow`] where they take longer; what became of the last one is then unknown.
pub async fn together<T, E: From<Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    match tokio::time::timeout(BOUND, work).await {
        Ok(done) => done,
        Err(_) => Err(Error::TooSlow(BOUND).into()),
    }
}

/// A connected database.
#[derive(Debug)]
pub struct Store {
    pools: Pools,
    rotations: Rotations,
    operations: AtomicU64,
}

/// Which of the two it is.
#[derive(Debug)]
enum Pools {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    /// How many operations were asked for so far: what a test of "one query a page" counts.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    /// The database that this operation goes to.
    fn pools(&self) -> &Pools {
        self.operations.fetch_add(1, Ordering::Relaxed);
        &self.pools
    }
}
