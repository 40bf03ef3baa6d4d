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
use super::servers::{Servers, must_accept_writes};
use super::spent::Operation;
use super::{BOUND, Error, Result, together};

/// What the server is told once a connection: to give up a statement after [`BOUND`], and soon a
/// transaction of a process that went silent, whose locks would keep everybody else waiting.
/// What a transaction sees and whether it waits is said too: the database may have other defaults, by
/// which a race that is decided here would be an error. Whether it may write stays the database's word.
const LIMITS: &str = "SET statement_timeout = '2s'; \
                      SET idle_in_transaction_session_timeout = '5s'; \
                      SET default_transaction_isolation = 'read committed'; \
                      SET default_transaction_deferrable = off";

/// No column is a float, and poolers refuse a setting that they do not know.
fn plain(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("sallyport").extra_float_digits(None).disable_statement_logging()
}

/// How often an operation is tried that the server gave up in favour of another one.
const TRIES: u32 = 3;

/// A pool of connections.
#[derive(Debug)]
pub(super) struct Postgres {
    pub lender: Lender,
    feed: (Servers, bool),
}

impl Postgres {
    /// Connects to the first of these servers that will do.
    pub(super) async fn open(servers: &[PgConnectOptions], with: &Connections) -> Result<Self> {
        let servers = Servers::new(servers, plain);
        let feed = with.of_feed(&servers, |direct| {
            direct.postgres().map(|url| Servers::new(&url.servers, plain))
        });
        let (pooler, are_several) = (with.pooler, servers.are_several());
        let options = servers.find().await?;
        let connect = PgPoolOptions::new()
            .max_connections(with.most)
            // Of several servers another one has to be found before the operation is given up.
            .acquire_timeout(if are_several { BOUND / 2 } else { BOUND })
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if are_several {
                        must_accept_writes(connection).await?;
                    }
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
        Ok(Self { lender: Lender::new(pool, pooler, servers), feed })
    }

    /// Where the feed connects, and whether it can be woken there.
    pub(super) fn of_feed(&self) -> (Servers, bool) {
        self.feed.clone()
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
