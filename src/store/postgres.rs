//! PostgreSQL: a pool, a bound on every operation, and another try for what lost a race.
//!
//! Rule: an operation is answered within [`BOUND`], well or badly. A hung server must look like one
//! that is down, not like a login that takes a minute. The server gives up as soon: of a process that
//! hung up it does not know while it waits for a lock, and its places are few.

use std::ops::{Deref, DerefMut};

use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use super::connections::{Connections, Pooler};
use super::spent::Operation;
use super::{BOUND, Error, Result, together};

/// What the server is told once a connection: to give up a statement after [`BOUND`], and soon a
/// transaction of a process that went silent, whose locks would keep everybody else waiting.
const LIMITS: &str = "SET statement_timeout = '2s'; SET idle_in_transaction_session_timeout = '5s'";

/// The same, told once a transaction, because the next one may have another connection.
const BEGIN_LENT: &str = "BEGIN; SET LOCAL statement_timeout = '2s'; \
                          SET LOCAL idle_in_transaction_session_timeout = '5s'";

/// How often an operation is tried that the server gave up in favour of another one.
const TRIES: u32 = 3;

/// A pool of connections.
#[derive(Debug)]
pub(super) struct Postgres {
    pool: PgPool,
    pooler: Pooler,
    feed: Box<(PgConnectOptions, bool)>,
}

impl Postgres {
    /// Connects.
    pub(super) async fn open(options: PgConnectOptions, with: &Connections) -> Result<Self> {
        // No column is a float, and poolers refuse a setting that they do not know.
        let plain = |options: PgConnectOptions| {
            options
                .application_name("sallyport")
                .extra_float_digits(None)
                .disable_statement_logging()
        };
        let options = plain(options);
        let (feed, can_listen) = with.of_feed(&options);
        let pooler = with.pooler;
        let connect = PgPoolOptions::new()
            .max_connections(with.most)
            .acquire_timeout(BOUND)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if pooler == Pooler::None {
                        sqlx::raw_sql(LIMITS).execute(connection).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options);
        let pool = tokio::time::timeout(BOUND * 2, connect)
            .await
            .map_err(|_| Error::TooSlow(BOUND * 2))??;
        Ok(Self { pool, pooler, feed: Box::new((plain(feed), can_listen)) })
    }

    /// The connections for operations.
    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How the feed connects, and whether it can be woken there.
    pub(super) fn of_feed(&self) -> (PgConnectOptions, bool) {
        (*self.feed).clone()
    }

    /// A connection for one statement.
    pub(super) async fn lease(&self) -> Result<Lease> {
        let mut lease = self.lease_to_begin().await?;
        if self.pooler == Pooler::Transaction {
            sqlx::raw_sql(BEGIN_LENT).execute(&mut *lease).await?;
            lease.is_lent = true;
        }
        Ok(lease)
    }

    /// A connection for a transaction, which is begun with [`Postgres::begin`] and is
    /// [`tidied`](Postgres::tidy) before its end.
    pub(super) async fn lease_to_begin(&self) -> Result<Lease> {
        let connection = self.pool.acquire().await?;
        Ok(Lease { connection, is_lent: false, is_at_rest: false })
    }

    /// What a transaction begins with.
    pub(super) fn begin(&self) -> &'static str {
        match self.pooler {
            Pooler::None => "BEGIN",
            Pooler::Transaction => BEGIN_LENT,
        }
    }

    /// Takes back, inside the transaction, what it leaves on its connection.
    pub(super) async fn tidy(&self, connection: &mut PgConnection) -> Result<()> {
        if self.pooler == Pooler::Transaction {
            connection.clear_cached_statements().await?;
        }
        Ok(())
    }

    /// Runs a statement within the bound, and again where it lost a race.
    pub(super) async fn run<T, Fut>(&self, statement: impl Fn() -> Fut) -> Result<T>
    where
        Fut: Future<Output = Result<T>>,
    {
        let _operation = Operation::begin();
        let tries = async {
            for _ in 1..TRIES {
                match statement().await {
                    Err(error) if lost_a_race(&error) => {}
                    outcome => return outcome,
                }
            }
            statement().await
        };
        together(Box::pin(tries)).await
    }

    /// Runs `body` in a transaction, within the bound, and again where it lost a race.
    pub(super) async fn transact<T, F>(&self, body: F) -> Result<T>
    where
        T: Send,
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T>> + Clone + Send,
    {
        self.run(|| {
            let body = body.clone();
            async move {
                let mut lease = self.lease_to_begin().await?;
                let outcome = async {
                    let mut transaction = lease.begin_with(self.begin()).await?;
                    let outcome = body(&mut transaction).await;
                    self.tidy(&mut transaction).await?;
                    match outcome {
                        Ok(_) => transaction.commit().await?,
                        Err(_) => transaction.rollback().await?,
                    }
                    outcome
                };
                let outcome = outcome.await;
                lease.at_rest(outcome).await
            }
        })
        .await
    }
}

/// A connection out of the pool, which goes back there only at rest. One whose operation was given
/// up has an answer under way, perhaps behind a lock, and would make the next one wait for that.
pub(super) struct Lease {
    connection: PoolConnection<sqlx::Postgres>,
    /// Whether it is in a transaction for no other reason than that poolers lend it for one.
    is_lent: bool,
    is_at_rest: bool,
}

impl Lease {
    /// Gives the connection back, now that there is an outcome of all it was asked.
    pub(super) async fn at_rest<T>(mut self, outcome: Result<T>) -> Result<T> {
        if self.is_lent {
            self.connection.clear_cached_statements().await?;
            // After a failed statement this rolls back, as the statement alone would have.
            sqlx::raw_sql("COMMIT").execute(&mut *self.connection).await?;
        }
        self.is_at_rest = true;
        outcome
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.is_at_rest {
            self.connection.close_on_drop();
        }
    }
}

/// Serialization failures and deadlocks: the server undid everything, and the same may succeed now.
fn lost_a_race(error: &Error) -> bool {
    let Error::Unavailable(error) = error else { return false };
    let sqlx::Error::Database(error) = error.as_ref() else { return false };
    matches!(error.code().as_deref(), Some("40001" | "40P01"))
}
