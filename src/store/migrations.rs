//! The tables, made and changed at start.
//!
//! Rule: migrations are numbered alike for both databases. One whose name begins with `add` only adds,
//! so that an older binary works beside it, and may start beside it: while a new version is rolled
//! out replicas of the old one restart too, and would otherwise be gone one by one. A database with
//! any other migration that this binary does not know is refused. What adding means is in
//! `migrations/README.md`.

use std::sync::LazyLock;

use sqlx::Connection;
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migrator};

use super::{Error, Pools, Result, Store};

static SQLITE: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("migrations/sqlite");
    // What is not known is judged by `missing`.
    migrator.set_ignore_missing(true);
    migrator
});
static POSTGRES: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("migrations/postgres");
    migrator.set_locking(false);
    migrator.set_ignore_missing(true);
    migrator
});

/// Makes of processes that migrate at once one after the other, until the transaction's end. The
/// number is this program's own. The second one waits as long as the first one takes.
const LOCK: &str = "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(2834790612441)";

/// How the description of a migration begins that only adds.
const ADDS: &str = "add ";

/// Where it stands which of them a database has.
const TABLE: &str = "_sqlx_migrations";

/// What its migrations are called.
const DESCRIPTIONS: &str = "SELECT version, description FROM _sqlx_migrations";

/// Why a database is not as this binary needs it.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// It was migrated by a newer version.
    #[error("the database is newer than this binary")]
    Newer,
    /// A migration that was applied is not the one this binary knows by its number.
    #[error("migration {0} in the database is not this binary's")]
    Changed(i64),
    /// A migration did not run to its end: there are tables of something else, for one.
    #[error("migrating the database failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<MigrateError> for MigrationError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(_) => Self::Newer,
            MigrateError::VersionMismatch(version) => Self::Changed(version),
            MigrateError::Execute(error) => Self::Store(error.into()),
            MigrateError::ExecuteMigration(error, _) => match Error::from(error) {
                Error::Unexpected(error) => Self::Failed(Box::new(error)),
                temporary => Self::Store(temporary),
            },
            other => Self::Failed(other.into()),
        }
    }
}

/// How many of a binary's migrations a database with these has not seen. `additions` are the numbers
/// of those that only add.
fn missing(
    binary: &Migrator,
    applied: &[AppliedMigration],
    additions: &[i64],
) -> Result<usize, MigrationError> {
    let mut seen = 0;
    for applied in applied {
        let known = binary.iter().find(|known| known.version == applied.version);
        match known {
            None if additions.contains(&applied.version) => {}
            None => return Err(MigrationError::Newer),
            Some(known) if known.checksum != applied.checksum => {
                return Err(MigrationError::Changed(applied.version));
            }
            Some(_) => seen += 1,
        }
    }
    Ok(binary.iter().count() - seen)
}

/// Counts the migrations that a database lacks. It changes nothing.
macro_rules! missing {
    ($binary:expr, $conn:expr, $table_is_there:literal) => {{
        let conn = $conn;
        let query = sqlx::query_scalar($table_is_there);
        let is_there: bool = query.fetch_one(&mut *conn).await.map_err(Error::from)?;
        if is_there {
            let applied = conn.list_applied_migrations(TABLE).await?;
            let query = sqlx::query_as::<_, (i64, String)>(DESCRIPTIONS);
            let described = query.fetch_all(&mut *conn).await.map_err(Error::from)?;
            let adds = described.into_iter().filter(|(_, text)| text.starts_with(ADDS));
            missing(&$binary, &applied, &adds.map(|(version, _)| version).collect::<Vec<_>>())
        } else {
            missing(&$binary, &[], &[])
        }
    }};
}

impl Store {
    /// Applies what is missing. Several processes may start at once: PostgreSQL locks, and on SQLite
    /// whoever comes second finds the work done. Where nothing is missing nothing is written, so that
    /// a full disk keeps no process from starting.
    ///
    /// # Errors
    /// See [`MigrationError`].
    pub async fn migrate(&self) -> Result<(), MigrationError> {
        if self.missing_migrations().await? == 0 {
            return Ok(());
        }
        match self.pools() {
            Pools::Postgres(postgres) => {
                // A lock that a transaction holds, unlike a connection's, works through a pooler and
                // is gone with the process.
                let mut lease = postgres.lender.lease_to_begin().await?;
                let mut transaction = lease.begin().await.map_err(Error::from)?;
                sqlx::raw_sql(LOCK).execute(&mut *transaction).await.map_err(Error::from)?;
                POSTGRES.run_direct(None, &mut *transaction, false).await?;
                postgres.lender.tidy(&mut transaction).await?;
                transaction.commit().await.map_err(Error::from)?;
                Ok(lease.at_rest(Ok(())).await?)
            }
            Pools::Sqlite(sqlite) => {
                let mut connection = sqlite.connect().await?;
                // A writer's transaction from the start: of two processes that begin at once, the
                // second waits, and then finds the work done.
                let migrated = async {
                    let mut transaction =
                        connection.begin_with("BEGIN IMMEDIATE").await.map_err(Error::from)?;
                    SQLITE.run_direct(None, &mut *transaction, false).await?;
                    Ok(transaction.commit().await.map_err(Error::from)?)
                };
                let migrated = migrated.await;
                connection.close().await.map_err(Error::from)?;
                migrated
            }
        }
    }

    /// How many migrations are missing.
    ///
    /// # Errors
    /// See [`MigrationError`].
    pub async fn missing_migrations(&self) -> Result<usize, MigrationError> {
        match self.pools() {
            Pools::Postgres(postgres) => {
                let mut lease = postgres.lender.lease().await?;
                let missing = missing!(
                    POSTGRES,
                    &mut *lease,
                    "SELECT to_regclass('_sqlx_migrations') IS NOT NULL"
                );
                lease.at_rest(Ok(missing)).await?
            }
            Pools::Sqlite(sqlite) => {
                let mut connection = sqlite.reader().await?;
                missing!(
                    SQLITE,
                    &mut *connection,
                    "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')"
                )
            }
        }
    }
}
