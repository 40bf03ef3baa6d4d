//! Floors: the cost of the libraries alone. A service made of them cannot be faster, so a figure is given as
//! a share of its floor.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
use async_graphql_axum::GraphQL;
use axum::Router;
use axum::routing::post_service;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgPool, Row};
use tokio::task::JoinSet;
use uuid::Uuid;

use sallyport::clock::{Clock, SystemClock};
use sallyport::domain::id::TokenId;
use sallyport::entropy::SystemEntropy;

use crate::database::Database;

/// Hidden argument that starts this program as the GraphQL floor.
pub const GRAPHQL: &str = "--graphql-floor";

struct Query;

struct Session;

struct User;

#[Object]
impl Query {
    async fn viewer_session(&self) -> Option<Session> {
        Some(Session)
    }

    async fn viewer(&self) -> Option<User> {
        Some(User)
    }
}

#[Object]
impl Session {
    async fn sid(&self) -> &'static str {
        "0199b4a8-2000-7000-8000-000000000002"
    }
}

#[Object]
impl User {
    async fn id(&self) -> &'static str {
        "VXNlcjowMTk5YjRhOC0yMDAwLTcwMDAtODAwMC0wMDAwMDAwMDAwMDE"
    }

    async fn username(&self) -> &'static str {
        "admin"
    }
}

/// Serves constants of the same shape, as the libraries' own example does.
pub async fn serve_graphql() {
    let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
    let app: Router = Router::new().route("/graphql", post_service(GraphQL::new(schema)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    axum::serve(listener, app).await.expect("served");
}

/// Runs as a process of its own, as the service does.
pub struct GraphqlFloor {
    process: Child,
    pub address: SocketAddr,
}

impl GraphqlFloor {
    pub fn start() -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .arg(GRAPHQL)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program");
        let mut line = String::new();
        let mut stdout = std::io::BufReader::new(process.stdout.take().expect("piped"));
        std::io::BufRead::read_line(&mut stdout, &mut line).expect("a line");
        Self { process, address: line.trim().parse().expect("an address") }
    }
}

impl Drop for GraphqlFloor {
    fn drop(&mut self) {
        let _ = (self.process.kill(), self.process.wait());
    }
}

/// Rotations per commit in the loop over SQLite.
const GROUP: usize = 32;

const SWAP: &str = "UPDATE sessions SET token_id = $3, token_issued_at = $4, token_expires_at = $5, \
    previous_token_id = token_id, rotated_at = $4, generation = generation + 1, last_used_at = $4 \
    FROM users WHERE users.id = user_id AND deactivated_at IS NULL \
    AND sessions.id = $1 AND token_id = $2 AND ended_at IS NULL AND token_expires_at > $4 \
    RETURNING sessions.id, user_id, generation";

const ENTER: &str = "INSERT INTO blacklist_entries (token_id, session_id, user_id, generation, \
    reason, issued_at, blacklisted_at, expires_at) \
    SELECT $1, id, user_id, generation - 1, 'ROTATED', $2, $2, $3 FROM sessions WHERE id = $4 \
    RETURNING (SELECT role FROM users WHERE users.id = user_id)";

/// Rotations per second of one connection that does nothing else.
pub async fn rotate_sqlite(database: &Database, time: Duration) -> f64 {
    let mut connection = database.sqlite().await;
    let rows = sqlx::query("SELECT id, token_id FROM sessions WHERE ended_at IS NULL LIMIT 64")
        .fetch_all(&mut connection)
        .await
        .expect("sessions");
    let mut chains: Vec<(Uuid, Uuid)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let (now, then) = times();
    let (began, mut done) = (Instant::now(), 0_u32);
    let mut groups = (0..chains.len()).collect::<Vec<_>>().into_iter().cycle();
    while began.elapsed() < time {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.expect("begun");
        for _ in 0..GROUP.min(chains.len()) {
            let (session, token) = &mut chains[groups.next().expect("a cycle")];
            let next = next_token();
            let swapped = sqlx::query(SWAP)
                .bind(*session)
                .bind(*token)
                .bind(next)
                .bind(now)
                .bind(then)
                .fetch_optional(&mut *transaction)
                .await;
            assert!(swapped.expect("swapped").is_some(), "a rotation that took no place");
            let entered = sqlx::query(ENTER)
                .bind(*token)
                .bind(now)
                .bind(then)
                .bind(*session)
                .fetch_one(&mut *transaction)
                .await;
            entered.expect("entered");
            *token = next;
            done += 1;
        }
        transaction.commit().await.expect("committed");
    }
    let rate = f64::from(done) / began.elapsed().as_secs_f64();
    connection.close().await.expect("closed");
    rate
}

/// Rotations per second of 64 connections that do nothing else.
pub async fn rotate_postgres(database: &Database, time: Duration) -> f64 {
    let pool = PgPoolOptions::new().max_connections(64).test_before_acquire(false);
    let pool: PgPool = pool.connect(&database.url()).await.expect("PostgreSQL");
    let rows = sqlx::query("SELECT id, token_id FROM sessions WHERE ended_at IS NULL LIMIT 64");
    let rows = rows.fetch_all(&pool).await.expect("sessions");
    let statement = format!(
        "WITH sessions AS ({SWAP}), entry AS (\
         INSERT INTO blacklist_entries (token_id, session_id, user_id, generation, reason, \
         issued_at, blacklisted_at, expires_at) \
         SELECT $2, id, user_id, generation - 1, 'ROTATED', $4, $4, $5 FROM sessions) \
         SELECT sessions.*, users.role FROM sessions JOIN users ON users.id = sessions.user_id"
    );
    let (now, then) = times();
    let (began, mut loops) = (Instant::now(), JoinSet::new());
    for row in &rows {
        let (session, mut token): (Uuid, Uuid) = (row.get(0), row.get(1));
        let mut connection = pool.acquire().await.expect("a connection");
        let statement = statement.clone();
        loops.spawn(async move {
            let mut done = 0_u32;
            while began.elapsed() < time {
                let next = next_token();
                let rotated = sqlx::query(sqlx::AssertSqlSafe(statement.as_str()))
                    .bind(session)
                    .bind(token)
                    .bind(next)
                    .bind(now)
                    .bind(then)
                    .fetch_optional(&mut *connection)
                    .await;
                assert!(rotated.expect("rotated").is_some(), "a rotation that took no place");
                token = next;
                done += 1;
            }
            done
        });
    }
    let mut done = 0;
    while let Some(made) = loops.join_next().await {
        done += made.expect("a loop");
    }
    let rate = f64::from(done) / began.elapsed().as_secs_f64();
    pool.close().await;
    rate
}

/// The times that a rotation writes: now, and the expiry of its token.
fn times() -> (i64, i64) {
    let now = SystemClock::new().now();
    (now.as_micros(), (now + Duration::from_hours(168)).as_micros())
}

fn next_token() -> Uuid {
    TokenId::new(SystemClock::new().now(), &SystemEntropy).as_uuid()
}
