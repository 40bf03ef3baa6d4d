//! Sessions below floors, as the database has them: seeded, ended, counted.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::{sleep, timeout};

use crate::server::{Server, execute};
use crate::times;

/// The sessions below floors that were live when the floor was set.
const BELOW: &str = "sessions JOIN session_floors AS floors ON sessions.id < floors.below \
    AND (floors.user_id = sessions.user_id OR floors.user_id IS NULL) \
    AND sessions.id IS DISTINCT FROM floors.except_session \
    WHERE (sessions.ended_at IS NULL OR sessions.ended_at >= floors.ended_at)";

/// How long anything of this is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection past every replica.
pub struct Floors {
    url: String,
    database: PgConnection,
}

impl Floors {
    pub async fn of(server: &Server) -> Self {
        let url = server.url();
        let database = PgConnection::connect(&url).await.unwrap();
        Self { url, database }
    }

    /// Makes an account that has the password of `admin` and so many live sessions, as logins long ago
    /// would have left them, of which access tokens live for a quarter of an hour.
    pub async fn add_account(&self, username: &str, sessions: usize) {
        let id = "('0190' || substr(replace(gen_random_uuid()::text, '-', ''), 5))::uuid";
        let sql = format!(
            "INSERT INTO users (id, username, username_key, username_skeleton, role, created_at) \
             SELECT gen_random_uuid(), '{username}', '{username}', '{username}', 'USER', created_at \
             FROM users WHERE username = 'admin'; \
             INSERT INTO password_credentials (user_id, scheme, hash) SELECT added.id, scheme, hash \
             FROM users AS added, users AS admin JOIN password_credentials ON user_id = admin.id \
             WHERE added.username = '{username}' AND admin.username = 'admin'; \
             INSERT INTO sessions (id, user_id, created_at, last_used_at, token_id, \
             token_issued_at, token_expires_at, generation, access_expires_at) \
             SELECT {id}, users.id, 0, 0, {id}, 0, 4000000000000000, 0, \
             (extract(epoch FROM now()) * 1000000)::bigint + 900000000 \
             FROM generate_series(1, {sessions}), users WHERE username = '{username}'; \
             ANALYZE sessions"
        );
        execute(&self.url, &sql).await;
    }

    async fn number(&mut self, sql: String) -> usize {
        let query = sqlx::query_scalar(AssertSqlSafe(sql));
        let found: i64 = query.fetch_one(&mut self.database).await.unwrap();
        found.try_into().unwrap()
    }

    /// How many sessions there are that have not ended.
    pub async fn live(&mut self) -> usize {
        self.number("SELECT count(*) FROM sessions WHERE ended_at IS NULL".to_owned()).await
    }

    /// How many rows below floors are ended.
    pub async fn ended(&mut self) -> usize {
        self.number(format!("SELECT count(sessions.ended_at) FROM {BELOW}")).await
    }

    /// Who ended rows last below the first floor.
    pub async fn worker(&mut self) -> Option<String> {
        sqlx::query_scalar("SELECT worker::text FROM session_floors ORDER BY id LIMIT 1")
            .fetch_one(&mut self.database)
            .await
            .unwrap()
    }

    async fn unfinished(&mut self) -> usize {
        self.number("SELECT count(*) FROM session_floors WHERE done_at IS NULL".to_owned()).await
    }

    /// Waits until there is a floor.
    pub async fn wait_for_one(&mut self) {
        let set = async {
            while self.unfinished().await == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, set).await.expect("a floor");
    }

    /// Waits until the first rows are ended.
    pub async fn wait_for_rows(&mut self) {
        let begun = async {
            while self.ended().await == 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, begun).await.expect("rows that end");
    }

    /// Waits until all rows are.
    pub async fn wait_until_done(&mut self) {
        let done = async {
            while self.unfinished().await > 0 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        let patience = PATIENCE * u32::try_from(times(4, 10)).unwrap();
        timeout(patience, done).await.expect("another process that ends the rows that are left");
    }

    /// So many sessions were below the floors, and each has ended, with an entry, a row for the feed and
    /// an event that say why.
    pub async fn assert_each_ended_once(&mut self, expected: usize) {
        let found = self.number(format!("SELECT count(*) FROM {BELOW}")).await;
        assert_eq!(found, expected, "sessions below the floors");
        let sql = format!(
            "WITH entries AS (SELECT session_id AS id, reason, count(*) AS n FROM blacklist_entries \
             WHERE reason <> 'ROTATED' GROUP BY 1, 2), \
             ends AS (SELECT session_id AS id, reason, count(*) AS n FROM session_ends \
             GROUP BY 1, 2), \
             events AS (SELECT session_id AS id, detail AS reason, count(*) AS n FROM audit_events \
             WHERE kind = 'SESSION_ENDED' GROUP BY 1, 2), \
             below AS (SELECT sessions.id, sessions.ended_at, end_reason, \
             floors.ended_at AS at, floors.reason FROM {BELOW}) \
             SELECT count(*) FROM below LEFT JOIN entries USING (id) LEFT JOIN ends USING (id) \
             LEFT JOIN events USING (id) \
             WHERE (below.ended_at, end_reason) IS DISTINCT FROM (at, below.reason) \
             OR (entries.reason, entries.n) IS DISTINCT FROM (below.reason, 1) \
             OR (ends.reason, ends.n) IS DISTINCT FROM (below.reason, 1) \
             OR (events.reason, events.n) IS DISTINCT FROM (below.reason, 1)"
        );
        assert_eq!(self.number(sql).await, 0, "sessions that did not end once");
    }
}
