//! The connections of a pool, lent for an operation.
//!
//! Rule: what goes back to the pool is at rest, and nothing is left on it that the next one would find.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::Mutex;

use super::Result;
use super::connections::Pooler;
use super::servers::Servers;

/// The limits of a connection, told once a transaction behind a pooler: the next transaction may have
/// another connection.
const BEGIN_LENT: &str = "BEGIN ISOLATION LEVEL READ COMMITTED NOT DEFERRABLE; SET LOCAL statement_timeout = '2s'; \
                          SET LOCAL idle_in_transaction_session_timeout = '5s'";

/// Lends connections.
#[derive(Clone, Debug)]
pub(super) struct Lender {
    pool: PgPool,
    pooler: Pooler,
    servers: Servers,
    /// Whether another server is being looked for.
    looking: Arc<Mutex<()>>,
}

impl Lender {
    /// Lends those of a pool.
    pub(super) fn new(pool: PgPool, pooler: Pooler, servers: Servers) -> Self {
        Self { pool, pooler, servers, looking: Arc::default() }
    }

    /// Where they are.
    pub(super) fn pool(&self) -> &PgPool {
        &self.pool
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

    /// A connection for a transaction, which is begun with [`Lender::begin`] and is
    /// [`tidied`](Lender::tidy) before its end.
    pub(super) async fn lease_to_begin(&self) -> Result<Lease> {
        match self.pool.acquire().await {
            Ok(connection) => Ok(Lease { connection, is_lent: false, is_at_rest: false }),
            Err(error) => {
                self.look_elsewhere();
                Err(error.into())
            }
        }
    }

    /// Has the pool connect to another server from now on, where there is one that will do.
    fn look_elsewhere(&self) {
        let Ok(looking) = Arc::clone(&self.looking).try_lock_owned() else { return };
        if !self.servers.are_several() {
            return;
        }
        let (pool, servers) = (self.pool.clone(), self.servers.clone());
        tokio::spawn(async move {
            if let Ok(server) = servers.find().await {
                pool.set_connect_options(server);
            }
            drop(looking);
        });
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
