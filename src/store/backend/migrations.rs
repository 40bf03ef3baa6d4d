//! Schema migrations, applied at start.
//!
//! Migrations have the same numbers for both databases. One whose name begins with `add` only adds, so
//! an older binary keeps working with it and may start with it: during a rolling update replicas of
//! the old version restart too. A database with any other migration that this binary does not know is
//! refused. `migrations/README.md` says what an addition may contain.

use rust_embed::RustEmbed;
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection, SqlSafeStr};

use crate::store::backend::database::Database;
use crate::store::error::{Error, Result};

/// The files of a database, in the binary. sqlx's `migrate!` embeds them too, at the price that
/// [`from_row`](crate::store::query::from_row) names.
#[derive(RustEmbed)]
#[folder = "migrations/sqlite"]
struct SqliteFiles;

#[derive(RustEmbed)]
#[folder = "migrations/postgres"]
struct PostgresFiles;

/// The migrations of files named `NUMBER_words_of_the_description.sql`.
fn migrator<Files: RustEmbed>() -> Migrator {
    let mut migrator = Migrator::with_migrations(
        Files::iter().filter_map(|name| migration::<Files>(&name)).collect(),
    );
    // `missing` decides about unknown migrations.
    migrator.set_ignore_missing(true);
    migrator.dangerous_set_table_name(TABLE);
    // The transaction holds `LOCK` instead, or SQLite's write lock.
    migrator.set_locking(false);
    migrator
}

fn migration<Files: RustEmbed>(name: &str) -> Option<Migration> {
    let (version, words) = name.strip_suffix(".sql")?.split_once('_')?;
    let sql = String::from_utf8(Files::get(name)?.data.into_owned()).ok()?;
    Some(Migration::new(
        version.parse().ok()?,
        words.replace('_', " ").into(),
        MigrationType::Simple,
        AssertSqlSafe(sql).into_sql_str(),
        false,
    ))
}

/// Serializes processes that migrate at once, until the end of the transaction. The number is
/// arbitrary, and this program's own. No timeout: the second process waits as long as the first takes.
const LOCK: &str = "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(2834790612441)";

/// The description of a migration that only adds begins with this.
const ADDITION_PREFIX: &str = "add ";

/// The table of applied migrations. Not sqlx's default name, so that another program that uses sqlx
/// can share the database.
const TABLE: &str = "sallyport_migrations";

const DESCRIPTIONS: &str = "SELECT version, description FROM sallyport_migrations";

#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error("the database is newer than this binary")]
    Newer,
    /// The applied migration of this number differs from this binary's.
    #[error("migration {0} in the database differs from migration {0} of this binary")]
    Changed(i64),
    /// A migration failed, for example because a table of another program has the same name.
    #[error("migration of the database failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
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

/// Counts this binary's migrations that are not among the applied ones. `additions` are the numbers of
/// applied migrations that only add.
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

/// Queries whether a table exists.
const IN_POSTGRES: &str = "SELECT to_regclass($1) IS NOT NULL";
const IN_SQLITE: &str =
    "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1)";

macro_rules! has_table {
    ($table:expr, $conn:expr, $query:expr) => {{
        let there = sqlx::query_scalar($query).bind($table).fetch_one(&mut *$conn).await;
        there.map_err(Error::from)?
    }};
}

/// Counts the migrations that a database lacks. Changes nothing.
macro_rules! missing {
    ($files:ident, $conn:expr, $query:expr) => {{
        let conn = $conn;
        let binary = migrator::<$files>();
        if has_table!(TABLE, conn, $query) {
            let applied = conn.list_applied_migrations(TABLE).await?;
            let query = sqlx::query_as::<_, (i64, String)>(DESCRIPTIONS);
            let described = query.fetch_all(&mut *conn).await.map_err(Error::from)?;
            let adds = described.into_iter().filter(|(_, text)| text.starts_with(ADDITION_PREFIX));
            missing(&binary, &applied, &adds.map(|(version, _)| version).collect::<Vec<_>>())
        } else {
            missing(&binary, &[], &[])
        }
    }};
}

impl Database {
    pub(in crate::store) async fn migrate(&self) -> Result<(), MigrationError> {
        if self.missing_migrations().await? == 0 {
            return Ok(());
        }
        match self {
            Self::Postgres(postgres) => {
                // A transaction's lock, unlike a session's, works through a pooler and is released
                // when the process dies.
                let mut lease = postgres.connections.lease_for_transaction().await?;
                let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
                let mut transaction = lease.begin_with(begin).await.map_err(Error::from)?;
                sqlx::raw_sql(LOCK).execute(&mut *transaction).await.map_err(Error::from)?;
                let migrator = migrator::<PostgresFiles>();
                migrator.run_direct(None, &mut *transaction, false).await?;
                postgres.connections.clear(&mut transaction).await?;
                transaction.commit().await.map_err(Error::from)?;
                Ok(lease.finish(Ok(())).await?)
            }
            Self::Sqlite(sqlite) => {
                let mut connection = sqlite.connect().await?;
                // A write transaction from the start: of two processes that migrate at once, the
                // second waits, and then finds nothing missing.
                let migrated = async {
                    let mut transaction =
                        connection.begin_with("BEGIN IMMEDIATE").await.map_err(Error::from)?;
                    let migrator = migrator::<SqliteFiles>();
                    migrator.run_direct(None, &mut *transaction, false).await?;
                    Ok(transaction.commit().await.map_err(Error::from)?)
                };
                let migrated = migrated.await;
                connection.close().await.map_err(Error::from)?;
                migrated
            }
        }
    }

    pub(in crate::store) async fn missing_migrations(&self) -> Result<usize, MigrationError> {
        match self {
            Self::Postgres(postgres) => {
                let mut lease = postgres.connections.lease().await?;
                let missing = missing!(PostgresFiles, &mut *lease, IN_POSTGRES);
                lease.finish(Ok(missing)).await?
            }
            Self::Sqlite(sqlite) => {
                let mut connection = sqlite.reader().await?;
                missing!(SqliteFiles, &mut *connection, IN_SQLITE)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<Files: RustEmbed>() {
        let mut versions: Vec<_> = migrator::<Files>().iter().map(|known| known.version).collect();
        assert_eq!(
            versions.len(),
            Files::iter().count(),
            "a file has another name or is not UTF-8"
        );
        versions.dedup();
        assert_eq!(versions.len(), Files::iter().count(), "two files have one number");
    }

    #[test]
    fn every_file_is_a_migration() {
        check::<SqliteFiles>();
        check::<PostgresFiles>();
    }
}
