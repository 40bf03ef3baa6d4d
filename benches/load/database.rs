//! Database of a run, filled by SQL statements: a million logins would take a day.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use sallyport::clock::{Clock, SystemClock};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// Deleted on drop.
pub enum Database {
    Sqlite(tempfile::TempDir),
    Postgres(String),
}

impl Database {
    /// Empty. A SQLite file is on a disk, not in a file system in memory.
    pub async fn new(kind: Kind) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        match kind {
            Kind::Sqlite => {
                let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"));
                Self::Sqlite(directory.expect("a directory"))
            }
            Kind::Postgres => {
                let server = server();
                let made = MADE.fetch_add(1, Ordering::Relaxed);
                let name = format!("load_{}_{made}", std::process::id());
                let mut connection = PgConnection::connect(&server).await.expect("PostgreSQL");
                let sql = format!("CREATE DATABASE {name}");
                sqlx::raw_sql(AssertSqlSafe(sql))
                    .execute(&mut connection)
                    .await
                    .expect("a database");
                let (before, _) = server.rsplit_once('/').expect("a URL with a database");
                Self::Postgres(format!("{before}/{name}"))
            }
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Sqlite(_) => Kind::Sqlite,
            Self::Postgres(_) => Kind::Postgres,
        }
    }

    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(directory) => {
                format!("sqlite://{}", directory.path().join("load.db").display())
            }
            Self::Postgres(url) => url.clone(),
        }
    }

    fn file(directory: &tempfile::TempDir) -> PathBuf {
        directory.path().join("load.db")
    }

    /// A connection to SQLite with the settings of the service.
    pub async fn sqlite(&self) -> SqliteConnection {
        let Self::Sqlite(directory) = self else { panic!("this is PostgreSQL") };
        SqliteConnectOptions::new()
            .filename(Self::file(directory))
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(std::time::Duration::from_mins(1))
            .disable_statement_logging()
            .connect()
            .await
            .expect("SQLite")
    }

    pub async fn execute(&self, sql: String) {
        let sql = AssertSqlSafe(sql);
        match self {
            Self::Sqlite(_) => {
                let mut connection = self.sqlite().await;
                sqlx::raw_sql(sql).execute(&mut connection).await.expect("a statement");
                connection.close().await.expect("closed");
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await.expect("PostgreSQL");
                sqlx::raw_sql(sql).execute(&mut connection).await.expect("a statement");
                connection.close().await.expect("closed");
            }
        }
    }

    /// Adds sessions number `from` to `to`, a second apart and the last of them a minute old, with a
    /// blacklist entry each: of a thousand users, a tenth ended, a tenth expired.
    pub async fn add_sessions(&self, from: u64, to: u64) {
        let now = now();
        let at = format!("({now} - 60000000 - (100000000 - i) * CAST(1000 AS BIGINT))");
        let (id, token) = (self.uuid(&at), self.uuid(&at));
        let expiry = format!("CASE WHEN i % 10 = 1 THEN {at} ELSE {now} + 604800000000 END");
        let (ended, reason) = (
            format!("CASE WHEN i % 10 = 0 THEN {at} END"),
            "CASE WHEN i % 10 = 0 THEN 'LOGOUT' END",
        );
        let numbers = self.numbers(from, to);
        let user = "(SELECT id FROM users WHERE username_key = 'user' || (i % 1000))";
        self.add_users().await;
        self.execute(format!(
            "INSERT INTO sessions (id, user_id, user_agent, ip, created_at, last_used_at, token_id, \
             token_issued_at, token_expires_at, generation, access_expires_at, ended_at, end_reason) \
             SELECT {id}, {user}, 'agent/' || (i % 100), NULL, {at}, {at}, {token}, {at}, {expiry}, 1, \
             {at}, {ended}, {reason} FROM {numbers}"
        ))
        .await;
        let entry = self.uuid("created_at");
        self.execute(format!(
            "INSERT INTO blacklist_entries (token_id, session_id, user_id, generation, reason, \
             issued_at, blacklisted_at, expires_at) \
             SELECT {entry}, id, user_id, 0, \
             CASE WHEN ended_at IS NULL THEN 'ROTATED' ELSE 'LOGOUT' END, \
             created_at, created_at + 60000000, {now} + 604800000000 FROM sessions \
             WHERE generation = 1 AND NOT EXISTS \
             (SELECT 1 FROM blacklist_entries AS b WHERE b.session_id = sessions.id)"
        ))
        .await;
        self.execute("ANALYZE".to_owned()).await;
    }

    async fn add_users(&self) {
        let (numbers, id) = (self.numbers(0, 1000), self.uuid("1000000000000000"));
        self.execute(format!(
            "INSERT INTO users (id, username, username_key, username_skeleton, role, created_at) \
             SELECT {id}, 'user' || i, 'user' || i, 'user' || i, 'USER', 0 FROM {numbers} \
             WHERE NOT EXISTS (SELECT 1 FROM users WHERE username_key = 'user0')"
        ))
        .await;
    }

    /// Adds sessions of the admin, as copies of an existing one.
    pub async fn add_sessions_of_admin(&self, count: u64) {
        let (numbers, id) = (self.numbers(0, count), self.uuid("created_at"));
        let token = self.uuid("created_at");
        self.execute(format!(
            "INSERT INTO sessions (id, user_id, created_at, last_used_at, token_id, token_issued_at, \
             token_expires_at, generation, access_expires_at) \
             SELECT {id}, user_id, created_at, last_used_at, {token}, token_issued_at, \
             token_expires_at, 0, access_expires_at FROM \
             (SELECT * FROM sessions WHERE ended_at IS NULL ORDER BY id DESC LIMIT 1) AS one, {numbers}"
        ))
        .await;
    }

    /// Moves all session ends an hour back.
    pub async fn age_ends(&self) {
        self.execute("UPDATE session_ends SET ended_at = ended_at - 3600000000".to_owned()).await;
    }

    /// Adds ended sessions whose access tokens could live for another hour.
    pub async fn add_ends(&self, count: u64) {
        let (now, numbers) = (now(), self.numbers(0, count));
        let (session, user) = (self.uuid(&now.to_string()), self.uuid(&now.to_string()));
        self.execute(format!(
            "INSERT INTO session_ends (session_id, user_id, reason, ended_at, until) \
             SELECT {session}, {user}, 'LOGOUT', {now}, {now} + 3600000000 FROM {numbers}"
        ))
        .await;
    }

    /// Adds blacklist entries of an existing session that expired an hour ago.
    pub async fn add_expired(&self, count: u64) {
        let (now, numbers) = (now(), self.numbers(0, count));
        let token = self.uuid("created_at");
        self.execute(format!(
            "INSERT INTO blacklist_entries (token_id, session_id, user_id, generation, reason, \
             issued_at, blacklisted_at, expires_at) \
             SELECT {token}, id, user_id, 0, 'ROTATED', 0, 0, {now} - 3600000000 FROM \
             (SELECT * FROM sessions ORDER BY id LIMIT 1) AS one, {numbers}"
        ))
        .await;
    }

    /// SQL for a table of the numbers `i`.
    fn numbers(&self, from: u64, to: u64) -> String {
        let last = to.saturating_sub(1);
        match self.kind() {
            Kind::Sqlite => format!(
                "(WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n \
                 WHERE i < {last}) SELECT i FROM n) AS numbers"
            ),
            Kind::Postgres => format!("generate_series({from}, {last}) AS numbers (i)"),
        }
    }

    /// SQL for a new `UUIDv7` of a time that is SQL, too.
    fn uuid(&self, micros: &str) -> String {
        match self.kind() {
            Kind::Sqlite => format!(
                "unhex(printf('%012x', ({micros}) / 1000) || '7' || substr(hex(randomblob(2)), 2) \
                 || '8' || substr(hex(randomblob(8)), 2))"
            ),
            // The number of the row, or PostgreSQL would take one random text for all of them.
            Kind::Postgres => format!(
                "(lpad(to_hex((({micros}) / 1000)::bigint), 12, '0') || '7' \
                 || substr(md5(random()::text || i::text), 1, 3) || '8' \
                 || substr(md5(random()::text || i::text), 1, 15))::uuid"
            )
            .replace(
                "i::text",
                if micros == "created_at" { "created_at::text" } else { "i::text" },
            ),
        }
    }
}

/// Now in microseconds since the epoch.
fn now() -> i64 {
    SystemClock::new().now().as_micros()
}

/// The server that `tests/postgres` started, or another one.
pub fn server() -> String {
    std::env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL: run benches/run")
}
