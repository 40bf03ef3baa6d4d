//! A PostgreSQL pool with a timeout for each operation and retries after lost races.
//!
//! Every operation succeeds or fails within [`OPERATION_TIMEOUT`]. The server cancels a statement after the
//! same time: while it waits for a lock it does not notice that the client is
//! gone, and its connections are few.

use futures_util::future::BoxFuture;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::store::backend::connection_options::{ConnectionOptions, Pooler};
use crate::store::backend::lease::LeasedConnections;
use crate::store::backend::server_selection::{Servers, must_accept_writes};
use crate::store::error::{Error, Result};
use crate::store::query_cost::OperationTimer;
use crate::store::timeout::{OPERATION_TIMEOUT, with_timeout};

/// Settings of each connection. The transaction of a process that went silent is soon rolled back,
/// since its locks keep everybody else waiting. Isolation is set because the database may have other
/// defaults, under which a race that a conditional write decides would be an error. Whether the
/// database accepts writes remains its own setting.
const SESSION_SETTINGS: &str = "SET statement_timeout = '2s'; \
                                SET idle_in_transaction_session_timeout = '5s'; \
                                SET default_transaction_isolation = 'read committed'; \
                                SET default_transaction_deferrable = off";

/// Attempts of an operation that the server aborts by a serialization failure or a deadlock.
const MAX_ATTEMPTS: u32 = 3;

/// `extra_float_digits` is left out: no column is a float, and poolers refuse unknown settings.
fn connect_options(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("sallyport").extra_float_digits(None).disable_statement_logging()
}

#[derive(Debug)]
pub(in crate::store) struct Postgres {
    pub connections: LeasedConnections,
    feed: (Servers, bool),
}

impl Postgres {
    /// Connects to the first of the servers that accepts writes.
    pub(in crate::store) async fn open(
        servers: &[PgConnectOptions],
        with: &ConnectionOptions,
    ) -> Result<Self> {
        let servers = Servers::new(servers, connect_options);
        let feed = with.feed_servers(&servers, |direct| {
            direct.postgres().map(|url| Servers::new(&url.servers, connect_options))
        });
        let (pooler, are_several) = (with.pooler, servers.are_several());
        let options = servers.find().await?;
        let connect = PgPoolOptions::new()
            .max_connections(with.max)
            // With several servers the other half of the time is left for finding another one.
            .acquire_timeout(if are_several { OPERATION_TIMEOUT / 2 } else { OPERATION_TIMEOUT })
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if are_several {
                        must_accept_writes(connection).await?;
                    }
                    if pooler == Pooler::None {
                        sqlx::raw_sql(SESSION_SETTINGS).execute(connection).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options);
        let pool = tokio::time::timeout(OPERATION_TIMEOUT * 2, connect)
            .await
            .map_err(|_| Error::TooSlow(OPERATION_TIMEOUT * 2))??;
        Ok(Self { connections: LeasedConnections::new(pool, pooler, servers), feed })
    }

    /// The servers that the feed connects to, and whether they deliver notifications.
    pub(in crate::store) fn feed_servers(&self) -> (Servers, bool) {
        self.feed.clone()
    }

    /// Runs a statement within the timeout, again if it lost a race.
    pub(in crate::store) async fn run<T, Fut>(&self, statement: impl Fn() -> Fut) -> Result<T>
    where
        Fut: Future<Output = Result<T>>,
    {
        let _timer = OperationTimer::start();
        let attempts = async {
            for _ in 1..MAX_ATTEMPTS {
                match statement().await {
                    Err(error) if error.is_lost_race() => {}
                    outcome => return outcome,
                }
            }
            statement().await
        };
        with_timeout(Box::pin(attempts)).await
    }

    /// Runs `body` in a transaction within the timeout, again if it lost a race.
    pub(in crate::store) async fn transact<T, F>(&self, body: F) -> Result<T>
    where
        T: Send,
        F: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T>> + Clone + Send,
    {
        self.run(|| {
            let body = body.clone();
            async move {
                let mut lease = self.connections.lease_for_transaction().await?;
                let outcome = async {
                    let mut transaction = lease.begin_with(self.connections.begin()).await?;
                    let outcome = body(&mut transaction).await;
                    self.connections.clear(&mut transaction).await?;
                    match outcome {
                        Ok(_) => transaction.commit().await?,
                        Err(_) => transaction.rollback().await?,
                    }
                    outcome
                };
                let outcome = outcome.await;
                lease.finish(outcome).await
            }
        })
        .await
    }
}
