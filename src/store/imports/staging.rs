//! The temporary database that an import is read into.
//!
//! It is a private, temporary file of SQLite, which is deleted from its directory as soon as it is open: nothing of
//! it stays, however the process ends. Names that collide are found by its indices, so that the memory does not
//! grow with the file, and standard input is read once only.

use std::fmt::Write;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::import::ProblemKind;
use crate::domain::user::{Email, Username};
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::imports::foreign_token_rows::ImportedToken;

/// KiB of pages in memory. More are written to the file.
const CACHE: &str = "PRAGMA cache_size = -24000; PRAGMA temp_store = FILE; PRAGMA journal_mode = OFF; \
                     PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE";

const TABLES: &str = "
    CREATE TABLE users (
        line         INTEGER PRIMARY KEY,
        id           TEXT    NOT NULL UNIQUE,
        record       TEXT    NOT NULL,
        -- As they are to become here.
        username     TEXT    NOT NULL,
        username_key TEXT    NOT NULL,
        skeleton     TEXT    NOT NULL,
        email        TEXT,
        email_key    TEXT,
        verified     INTEGER NOT NULL,
        active       INTEGER NOT NULL,
        last_login   INTEGER,
        state        INTEGER NOT NULL,
        -- Whether it is a new name for the account, and whether it cannot have it.
        new_name     INTEGER NOT NULL,
        new_email    INTEGER NOT NULL,
        name_problem TEXT,
        lost_email   INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE tokens (
        jti            TEXT PRIMARY KEY NOT NULL,
        id             TEXT,
        created_at     INTEGER,
        expires_at     INTEGER,
        blacklisted_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE problems (
        number  INTEGER PRIMARY KEY,
        kind    TEXT    NOT NULL,
        line    INTEGER NOT NULL,
        id      TEXT,
        value   TEXT,
        outcome TEXT
    ) STRICT;
    CREATE TABLE renamed (number INTEGER PRIMARY KEY, line INTEGER NOT NULL) STRICT;
    CREATE TABLE numbers (skeleton TEXT PRIMARY KEY NOT NULL, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    BEGIN";

/// Rows of one `INSERT`.
const ROWS: usize = 100;

/// An import that was read, but not written.
pub struct Staging {
    pub(super) connection: SqliteConnection,
}

/// State of an account of the file, compared with this service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StagedState {
    New = 1,
    /// It changed there since the last import.
    Changed = 2,
    /// Its user logged in there since, and nothing else changed.
    LoggedIn = 3,
    Unchanged = 4,
}

/// An account of the file, with the names that it would have if no other account had them.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct StagedUser {
    pub line: i64,
    pub id: String,
    /// The line.
    pub record: String,
    pub username: Username,
    pub email: Option<Email>,
    pub is_email_verified: bool,
    pub is_active: bool,
    pub last_login: Option<Timestamp>,
    pub state: StagedState,
    /// Whether the account gets this name, and not the one that it has.
    pub has_new_name: bool,
    pub has_new_email: bool,
    /// Why it cannot have the name.
    pub name_problem: Option<ProblemKind>,
    pub is_email_lost: bool,
}

/// An account of the file, with the names that it gets.
#[derive(Clone, Debug)]
pub struct StagedRow {
    pub line: i64,
    pub record: String,
    pub username: Username,
    /// Whether another account has its address.
    pub is_email_lost: bool,
}

type TokenRow = (String, Option<String>, Option<i64>, i64, Option<i64>);

impl Staging {
    /// Opens an empty one.
    pub async fn open() -> Result<Self> {
        let options = SqliteConnectOptions::new().filename("").disable_statement_logging();
        let mut connection = SqliteConnection::connect_with(&options).await?;
        metered::raw_sql(CACHE).execute(&mut connection).await?;
        metered::raw_sql(TABLES).execute(&mut connection).await?;
        Ok(Self { connection })
    }

    /// Adds accounts. Returns the lines of those whose id occurred before, which are left out.
    pub async fn add_users(&mut self, users: &[StagedUser]) -> Result<Vec<i64>> {
        let mut again = Vec::new();
        for some in users.chunks(ROWS) {
            let sql =
                format!("INSERT INTO users VALUES {} ON CONFLICT DO NOTHING", rows(some.len(), 16));
            let mut query = metered::query(AssertSqlSafe(sql));
            for user in some {
                query = query
                    .bind(user.line)
                    .bind(&user.id)
                    .bind(&user.record)
                    .bind(user.username.as_str())
                    .bind(user.username.key())
                    .bind(user.username.skeleton())
                    .bind(user.email.as_ref().map(Email::as_str))
                    .bind(user.email.as_ref().map(Email::key))
                    .bind(user.is_email_verified)
                    .bind(user.is_active)
                    .bind(user.last_login.map(Timestamp::as_micros))
                    .bind(user.state as i64)
                    .bind(user.has_new_name)
                    .bind(user.has_new_email)
                    .bind(user.name_problem.map(ProblemKind::as_str))
                    .bind(user.is_email_lost);
            }
            let done = query.execute(&mut self.connection).await?.rows_affected();
            if done < u64::try_from(some.len()).unwrap_or(u64::MAX) {
                for user in some {
                    let found: Option<i64> =
                        metered::query_scalar("SELECT line FROM users WHERE line = $1")
                            .bind(user.line)
                            .fetch_optional(&mut self.connection)
                            .await?;
                    again.extend(found.is_none().then_some(user.line));
                }
            }
        }
        Ok(again)
    }

    /// Adds tokens. Lines about one token are put together, in whatever order they come.
    pub async fn add_tokens(&mut self, tokens: &[(ImportedToken, bool)]) -> Result<()> {
        for some in tokens.chunks(ROWS) {
            let sql = format!(
                "INSERT INTO tokens VALUES {} ON CONFLICT (jti) DO UPDATE SET \
                 id = COALESCE(id, excluded.id), created_at = COALESCE(created_at, excluded.created_at), \
                 expires_at = COALESCE(expires_at, excluded.expires_at), \
                 blacklisted_at = COALESCE(blacklisted_at, excluded.blacklisted_at)",
                rows(some.len(), 5)
            );
            let mut query = metered::query(AssertSqlSafe(sql));
            for (token, is_expiry_known) in some {
                query = query
                    .bind(&token.jti)
                    .bind(token.external_id.as_deref())
                    .bind(token.created_at.map(Timestamp::as_micros))
                    .bind(is_expiry_known.then_some(token.expires_at.as_micros()))
                    .bind(token.blacklisted_at.map(Timestamp::as_micros));
            }
            query.execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// The next accounts in a state, in the order of the file.
    pub async fn users(
        &mut self,
        state: StagedState,
        after: i64,
        size: i64,
    ) -> Result<Vec<StagedRow>> {
        let rows: Vec<(i64, String, String, String, bool)> = metered::query_as(
            "SELECT line, record, username, username_key, lost_email FROM users \
             WHERE state = $1 AND line > $2 ORDER BY line LIMIT $3",
        )
        .bind(state as i64)
        .bind(after)
        .bind(size)
        .fetch_all(&mut self.connection)
        .await?;
        let row = |(line, record, username, key, is_email_lost)| {
            let username = Username::from_stored(username, key);
            StagedRow { line, record, username, is_email_lost }
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// The number of accounts in a state.
    pub async fn count_users(&mut self, state: StagedState) -> Result<u64> {
        let count: i64 = metered::query_scalar("SELECT count(*) FROM users WHERE state = $1")
            .bind(state as i64)
            .fetch_one(&mut self.connection)
            .await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Which of these ids are not in the file.
    pub async fn missing(&mut self, ids: &[String]) -> Result<Vec<String>> {
        Ok(metered::query_scalar(
            "SELECT value FROM json_each($1) WHERE NOT EXISTS \
             (SELECT 1 FROM users WHERE id = value)",
        )
        .bind(serde_json::json!(ids).to_string())
        .fetch_all(&mut self.connection)
        .await?)
    }

    /// Numbers of tokens that expire after a time: those that are not blacklisted, and those that are.
    /// `unknown` is the expiry of blacklisted tokens without one.
    pub async fn count_tokens(&mut self, now: Timestamp, unknown: Timestamp) -> Result<(u64, u64)> {
        let (outstanding, blacklisted): (i64, i64) = metered::query_as(
            "SELECT count(*) FILTER (WHERE blacklisted_at IS NULL), \
             count(*) FILTER (WHERE blacklisted_at IS NOT NULL) FROM tokens \
             WHERE COALESCE(expires_at, $2) > $1 AND (id IS NOT NULL OR blacklisted_at IS NOT NULL)",
        )
        .bind(now.as_micros())
        .bind(unknown.as_micros())
        .fetch_one(&mut self.connection)
        .await?;
        let number = |count| u64::try_from(count).unwrap_or(0);
        Ok((number(outstanding), number(blacklisted)))
    }

    /// The next tokens that expire after a time, in the order of `jti`. Those of accounts that were deleted
    /// there count only if they are blacklisted.
    pub async fn tokens(
        &mut self,
        after: &str,
        (now, unknown): (Timestamp, Timestamp),
        size: i64,
    ) -> Result<Vec<ImportedToken>> {
        let rows: Vec<TokenRow> = metered::query_as(
            "SELECT jti, id, created_at, COALESCE(expires_at, $3), blacklisted_at FROM tokens \
             WHERE jti > $1 AND COALESCE(expires_at, $3) > $2 \
             AND (id IS NOT NULL OR blacklisted_at IS NOT NULL) ORDER BY jti LIMIT $4",
        )
        .bind(after)
        .bind(now.as_micros())
        .bind(unknown.as_micros())
        .bind(size)
        .fetch_all(&mut self.connection)
        .await?;
        let token =
            |(jti, external_id, created_at, expires_at, blacklisted_at): TokenRow| ImportedToken {
                jti,
                external_id,
                created_at: created_at.map(Timestamp::from_micros),
                expires_at: Timestamp::from_micros(expires_at),
                blacklisted_at: blacklisted_at.map(Timestamp::from_micros),
            };
        Ok(rows.into_iter().map(token).collect())
    }
}

impl std::fmt::Debug for Staging {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Staging(…)")
    }
}

/// `(?, ?), (?, ?)` for this number of rows and columns.
pub(super) fn rows(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    let mut text = String::new();
    for number in 0..rows {
        let comma = if number > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{row}");
    }
    text
}
