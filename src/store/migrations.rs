//! The tables, made and changed at start.
//!
//! Rule: migrations are numbered alike for both databases. One whose name begins with `add` only adds,
//! so that an older binary works beside it, and may start beside it: while a new version is rolled
//! out replicas of the old one restart too, and would otherwise be gone one by one. A database with
//! any other migration that this binary does not know is refused. What adding means is in
//! `migrations/README.md`.

use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Connection};

use super::{Error, Pools, Result, Store};

/// The migrations of SQLite, as this table says which of them a database has.
fn of_sqlite(table: &'static str) -> Migrator {
    let mut migrator = sqlx::migrate!("migrations/sqlite");
    // What is not known is judged by `missing`.
    migrator.set_ignore_missing(true);
    migrator.dangerous_set_table_name(table);
    migrator
}

/// The same of PostgreSQL.
fn of_postgres(table: &'static str) -> Migrator {
    let mut migrator = sqlx::migrate!("migrations/postgres");
    migrator.set_locking(false);
    migrator.set_ignore_missing(true);
    migrator.dangerous_set_table_name(table);
    migrator
}

/// Makes of processes that migrate at once one after the other, until the transaction's end. The
/// number is this program's own. The second one waits as long as the first one takes.
const LOCK: &str = "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(2834790612441)";

/// How the description of a migration begins that only adds.
const ADDS: &str = "add ";

/// Where it stands which of them a database has. The name is this program's own, so that another one
/// that migrates with sqlx can live in the same database.
const TABLE: &str = "sallyport_migrations";

/// The same in a database that an earlier version made, and in that of any other program: sqlx's own
/// name. It is ours where the first migration in it is.
const COMMON: &str = "_sqlx_migrations";

/// Ours are counted; whoever shares the common table and goes by the time has numbers beyond this.
const LAST: i64 = 999_999;

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

/// Whether what was applied as the first migration is ours.
fn is_ours(binary: &Migrator, applied: &[AppliedMigration]) -> bool {
    let first = binary.iter().next();
    first.is_some_and(|first| {
        applied.iter().any(|it| it.version == first.version && it.checksum == first.checksum)
    })
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
            None if binary.table_name == COMMON && applied.version > LAST => {}
            None => return Err(MigrationError::Newer),
            Some(known) if known.checksum != applied.checksum => {
                return Err(MigrationError::Changed(applied.version));
            }
            Some(_) => seen += 1,
        }
    }
    Ok(binary.iter().count() - seen)
}

/// Whether there is a table, on PostgreSQL and on SQLite.
const IN_POSTGRES: &str = "SELECT to_regclass($1) IS NOT NULL";
const IN_SQLITE: &str =
    "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1)";

/// Whether a connection's database has a table.
macro_rules! is_there {
    ($table:expr, $conn:expr, $query:expr) => {{
        let there = sqlx::query_scalar($query).bind($table).fetch_one(&mut *$conn).await;
        there.map_err(Error::from)?
    }};
}

/// The migrator that goes by the table in which this program's migrations are noted, or will be.
macro_rules! migrator {
    ($of:ident, $conn:expr, $query:expr) => {{
        let is_own: bool = is_there!(TABLE, $conn, $query);
        let is_common: bool = !is_own && is_there!(COMMON, $conn, $query);
        let common = $of(COMMON);
        let ours = is_common && is_ours(&common, &$conn.list_applied_migrations(COMMON).await?);
        if ours { common } else { $of(TABLE) }
    }};
}

/// Counts the migrations that a database lacks. It changes nothing.
macro_rules! missing {
    ($of:ident, $conn:expr, $query:expr) => {{
        let conn = $conn;
        let binary = migrator!($of, conn, $query);
        if is_there!(&*binary.table_name, conn, $query) {
            let applied = conn.list_applied_migrations(&binary.table_name).await?;
            let sql = format!("SELECT version, description FROM {}", binary.table_name);
            let query = sqlx::query_as::<_, (i64, String)>(AssertSqlSafe(sql));
            let described = query.fetch_all(&mut *conn).await.map_err(Error::from)?;
            let adds = described.into_iter().filter(|(_, text)| text.starts_with(ADDS));
            missing(&binary, &applied, &adds.map(|(version, _)| version).collect::<Vec<_>>())
        } else {
            missing(&binary, &[], &[])
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
                let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
                let mut transaction = lease.begin_with(begin).await.map_err(Error::from)?;
                sqlx::raw_sql(LOCK).execute(&mut *transaction).await.map_err(Error::from)?;
                let migrator = migrator!(of_postgres, transaction, IN_POSTGRES);
                migrator.run_direct(None, &mut *transaction, false).await?;
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
                    let migrator = migrator!(of_sqlite, transaction, IN_SQLITE);
                    migrator.run_direct(None, &mut *transaction, false).await?;
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
                let missing = missing!(of_postgres, &mut *lease, IN_POSTGRES);
                lease.at_rest(Ok(missing)).await?
            }
            Pools::Sqlite(sqlite) => {
                let mut connection = sqlite.reader().await?;
                missing!(of_sqlite, &mut *connection, IN_SQLITE)
            }
        }
    }
}
