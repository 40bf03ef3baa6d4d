//! Databases of tests: each test has one of its own, SQLite or PostgreSQL.
//!
//! Both databases are tested for the same. A test is written once, as a function of a [`Database`];
//! [`on_both!`] makes two tests of it. Without PostgreSQL the second one fails.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use sallyport::store::{DatabaseUrl, Store};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;

use crate::template::{self, on_another_runtime, postgres_server, url_of};

/// Makes two tests of each `async fn name(database: Database)`: `name::sqlite` and `name::postgres`.
/// A function that is missing here is dead code, which the compiler reports. With `empty:` the database
/// has no tables. With `one thread:` nothing else of the service runs until the task that runs waits:
/// for work that a busy machine would split in two.
macro_rules! on_both {
    (empty: $($name:ident),+ $(,)?) => {
        $crate::databases::on_both!(
            @ (flavor = "multi_thread", worker_threads = 4), empty_sqlite, empty_postgres, $($name),+
        );
    };
    (one thread: $($name:ident),+ $(,)?) => {
        $crate::databases::on_both!(@ (flavor = "current_thread"), sqlite, postgres, $($name),+);
    };
    (@ $how:tt, $sqlite:ident, $postgres:ident, $($name:ident),+) => {$(
        mod $name {
            use crate::databases::Database;

            #[tokio::test $how]
            async fn sqlite() {
                super::$name(Database::$sqlite()).await;
            }

            #[tokio::test $how]
            async fn postgres() {
                super::$name(Database::$postgres().await).await;
            }
        }
    )+};
    ($($name:ident),+ $(,)?) => {
        $crate::databases::on_both!(
            @ (flavor = "multi_thread", worker_threads = 4), sqlite, postgres, $($name),+
        );
    };
}
pub(crate) use on_both;

/// Makes a test `name::postgres` of each `async fn name(database: Database)`: for behavior that SQLite
/// does not have. `tests/run --quick` leaves out all tests of this name.
macro_rules! on_postgres {
    (empty: $($name:ident),+ $(,)?) => {
        $crate::databases::on_postgres!(@ empty_postgres, $($name),+);
    };
    (@ $postgres:ident, $($name:ident),+) => {$(
        mod $name {
            use crate::databases::Database;

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                super::$name(Database::$postgres().await).await;
            }
        }
    )+};
    ($($name:ident),+ $(,)?) => {
        $crate::databases::on_postgres!(@ postgres, $($name),+);
    };
}
pub(crate) use on_postgres;

/// A database without rows, deleted with the last clone of this value.
#[derive(Clone)]
pub struct Database {
    /// Value of `--database-url`.
    pub url: String,
    kind: Arc<Kind>,
}

enum Kind {
    /// In this directory.
    Sqlite { _kept: TempDir },
    /// Under this name, on the server behind this URL.
    Postgres { server: String, name: String },
}

impl Database {
    /// A migrated file.
    pub fn sqlite() -> Self {
        let database = Self::empty_sqlite();
        let path = database.url.strip_prefix("sqlite://").expect("the URL of a file");
        template::copy_sqlite(Path::new(path));
        database
    }

    /// A file that does not exist yet.
    pub fn empty_sqlite() -> Self {
        let directory = TempDir::new().expect("a directory for the database");
        let url = format!("sqlite://{}/test.db", directory.path().display());
        Self { url, kind: Arc::new(Kind::Sqlite { _kept: directory }) }
    }

    /// A new, migrated database on the server in `TEST_POSTGRES_URL`.
    pub async fn postgres() -> Self {
        let template = template::postgres().await;
        Self::create_on_postgres(&format!("TEMPLATE {template}")).await
    }

    /// A new database without tables on the server in `TEST_POSTGRES_URL`.
    pub async fn empty_postgres() -> Self {
        Self::create_on_postgres("").await
    }

    async fn create_on_postgres(options: &str) -> Self {
        let server = postgres_server();
        let name = format!("test_{}", Uuid::from_u128(random()).simple());
        execute_on(&server, format!("CREATE DATABASE {name} {options}")).await.expect("a database");
        let url = url_of(&server, &name);
        Self { url, kind: Arc::new(Kind::Postgres { server, name }) }
    }

    /// A new store of this database, as of another process, migrated.
    pub async fn store(&self) -> Store {
        let store = self.connect().await;
        store.migrate().await.expect("migrations");
        store
    }

    /// A new store of this database, not migrated.
    pub async fn connect(&self) -> Store {
        let url = DatabaseUrl::from_str(&self.url).expect("a database URL");
        Store::connect(&url).await.expect("a connection")
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(*self.kind, Kind::Sqlite { .. })
    }

    /// A connection that bypasses the store.
    pub async fn raw(&self) -> Raw {
        match &*self.kind {
            Kind::Sqlite { .. } => {
                Raw::Sqlite(SqliteConnection::connect(&self.url).await.expect("raw"))
            }
            Kind::Postgres { .. } => {
                Raw::Postgres(PgConnection::connect(&self.url).await.expect("raw"))
            }
        }
    }

    /// Adds live sessions of a user, with ids older than any login of a test.
    pub async fn add_sessions(&self, user: Uuid, sessions: usize, access_expires_at: i64) {
        let (id, numbers) = if self.is_sqlite() {
            let numbers = format!(
                "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                 WHERE i < {sessions}) SELECT i FROM n)"
            );
            ("unhex('0190' || hex(randomblob(14)))", numbers)
        } else {
            let id = "('0190' || substr(replace(gen_random_uuid()::text, '-', ''), 5))::uuid";
            (id, format!("generate_series(1, {sessions}) AS n (i)"))
        };
        let user = self.literal(user);
        let mut raw = self.raw().await;
        raw.execute(format!(
            "INSERT INTO sessions (id, user_id, created_at, last_used_at, token_id, \
             token_issued_at, token_expires_at, generation, access_expires_at) \
             SELECT {id}, {user}, 0, 0, {id}, 0, 4000000000000000, 0, {access_expires_at} \
             FROM {numbers}"
        ))
        .await;
    }

    /// An ID as a literal of this database's SQL.
    pub fn literal(&self, id: Uuid) -> String {
        match &*self.kind {
            Kind::Sqlite { .. } => format!("x'{}'", id.simple()),
            Kind::Postgres { .. } => format!("'{id}'::uuid"),
        }
    }
}

/// A permanent server must not collect the databases of tests.
impl Drop for Kind {
    fn drop(&mut self) {
        let Self::Postgres { server, name } = self else { return };
        let (server, drop) = (server.clone(), format!("DROP DATABASE {name} WITH (FORCE)"));
        // The test's own runtime may be shutting down. A database that stays behind fails no test.
        let _ = on_another_runtime(async move { execute_on(&server, drop).await });
    }
}

pub enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    pub async fn execute(&mut self, sql: impl Into<String>) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.into()));
        match self {
            Self::Sqlite(raw) => drop(sql.execute(raw).await.expect("raw SQL")),
            Self::Postgres(raw) => drop(sql.execute(raw).await.expect("raw SQL")),
        }
    }

    /// The message of the database's error, if it refuses.
    pub async fn try_execute(&mut self, sql: impl Into<String>) -> Result<(), String> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.into()));
        let done = match self {
            Self::Sqlite(raw) => sql.execute(raw).await.map(drop),
            Self::Postgres(raw) => sql.execute(raw).await.map(drop),
        };
        done.map_err(|error| error.to_string())
    }

    pub async fn number(&mut self, sql: impl Into<String>) -> i64 {
        let sql = AssertSqlSafe(sql.into());
        match self {
            Self::Sqlite(raw) => sqlx::query_scalar(sql).fetch_one(raw).await.expect("a number"),
            Self::Postgres(raw) => sqlx::query_scalar(sql).fetch_one(raw).await.expect("a number"),
        }
    }

    pub async fn texts(&mut self, sql: impl Into<String>) -> Vec<String> {
        let sql = AssertSqlSafe(sql.into());
        match self {
            Self::Sqlite(raw) => sqlx::query_scalar(sql).fetch_all(raw).await.expect("texts"),
            Self::Postgres(raw) => sqlx::query_scalar(sql).fetch_all(raw).await.expect("texts"),
        }
    }

    /// Query plan of an `EXPLAIN` statement.
    pub async fn plan(&mut self, sql: impl Into<String>) -> String {
        let sql = AssertSqlSafe(sql.into());
        // The text is PostgreSQL's only column and SQLite's last one.
        let lines: Vec<String> = match self {
            Self::Sqlite(raw) => {
                let rows = sqlx::query(sql).fetch_all(raw).await.expect("a plan");
                rows.iter().map(|row| row.get(3)).collect()
            }
            Self::Postgres(raw) => {
                let rows = sqlx::query(sql).fetch_all(raw).await.expect("a plan");
                rows.iter().map(|row| row.get(0)).collect()
            }
        };
        lines.join("\n")
    }
}

async fn execute_on(server: &str, sql: String) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(server).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    connection.close().await
}

fn random() -> u128 {
    u128::from_be_bytes(sallyport::entropy::random(&sallyport::entropy::SystemEntropy))
}
