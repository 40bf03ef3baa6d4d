//! PostgreSQL: a pool, a bound on every operation, and another try for what lost a race.
//!
//! Rule: an operation is answered within [`BOUND`], well or badly. A hung server must look like one
//! that is down, not like a login that takes a minute. The server gives up as soon: of a process that
//! hung up it does not know while it waits for a lock, and its places are few.

use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};

use super::connections::{Connections, Pooler};
use super::lease::Lender;
use super::spent::Operation;
use super::{BOUND, Error, Result, together};

/// What the server is told once a connection: to give up a statement after [`BOUND`], and soon a
/// transaction of a process that went silent, whose locks would keep everybody else waiting.
const LIMITS: &str = "SET statement_timeout = '2s'; SET idle_in_transaction_session_timeout = '5s'";

/// How often an operation is tried that the server gave up in favour of another one.
const TRIES: u32 = 3;

/// A pool of connections.
#[derive(Debug)]
pub(super) struct Postgres {
    pub lender: Lender,
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
        let lender = Lender::new(pool, pooler);
        Ok(Self { lender, feed: Box::new((plain(feed), can_listen)) })
    }

    /// How the feed connects, and whether it can be woken there.
    pub(super) fn of_feed(&self) -> (PgConnectOptions, bool) {
        (*self.feed).clone()
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
                    Err(error) if error.is_of_a_lost_race() => {}
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
                let mut lease = self.lender.lease_to_begin().await?;
                let outcome = async {
                    let mut transaction = lease.begin_with(self.lender.begin()).await?;
                    let outcome = body(&mut transaction).await;
                    self.lender.tidy(&mut transaction).await?;
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
