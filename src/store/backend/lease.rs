//! Connections leased from a PostgreSQL pool for one operation.
//!
//! A connection goes back to the pool only when no answer is under way on it and it carries no state
//! that the next operation would find. Otherwise it is closed.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::Mutex;

use crate::store::backend::connection_options::Pooler;
use crate::store::backend::server_selection::Servers;
use crate::store::error::Result;

/// Behind a transaction pooler the limits of a connection are set per transaction, since the next
/// transaction may run on another connection. See [`super::postgres`] for the limits.
const BEGIN_POOLED: &str = "BEGIN ISOLATION LEVEL READ COMMITTED NOT DEFERRABLE; SET LOCAL statement_timeout = '2s'; \
                            SET LOCAL idle_in_transaction_session_timeout = '5s'";

#[derive(Clone, Debug)]
pub(in crate::store) struct LeasedConnections {
    pool: PgPool,
    pooler: Pooler,
    servers: Servers,
    /// Locked while a search for another server is under way.
    failover: Arc<Mutex<()>>,
}

impl LeasedConnections {
    pub(in crate::store) fn new(pool: PgPool, pooler: Pooler, servers: Servers) -> Self {
        Self { pool, pooler, servers, failover: Arc::default() }
    }

    pub(in crate::store) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Leases a connection for a single statement.
    pub(in crate::store) async fn lease(&self) -> Result<Lease> {
        let mut lease = self.lease_for_transaction().await?;
        if self.pooler == Pooler::Transaction {
            // A transaction pins the pooler's connection, so that the prepared statement is still
            // there when it is executed.
            sqlx::raw_sql(BEGIN_POOLED).execute(&mut *lease).await?;
            lease.is_in_transaction = true;
        }
        Ok(lease)
    }

    /// Leases a connection for a transaction that begins with [`LeasedConnections::begin`] and calls
    /// [`LeasedConnections::clear`] before its end.
    pub(in crate::store) async fn lease_for_transaction(&self) -> Result<Lease> {
        match self.pool.acquire().await {
            Ok(connection) => {
                Ok(Lease { connection, is_in_transaction: false, is_finished: false })
            }
            Err(error) => {
                self.fail_over();
                Err(error.into())
            }
        }
    }

    /// Makes the pool connect to another server from now on, if one of them accepts writes.
    fn fail_over(&self) {
        let Ok(failover) = Arc::clone(&self.failover).try_lock_owned() else { return };
        if !self.servers.are_several() {
            return;
        }
        let (pool, servers) = (self.pool.clone(), self.servers.clone());
        tokio::spawn(async move {
            if let Ok(server) = servers.find().await {
                pool.set_connect_options(server);
            }
            drop(failover);
        });
    }

    /// The statement that begins a transaction.
    pub(in crate::store) fn begin(&self) -> &'static str {
        match self.pooler {
            Pooler::None => "BEGIN",
            Pooler::Transaction => BEGIN_POOLED,
        }
    }

    /// Removes prepared statements within the transaction: behind a pooler the next client of the
    /// server's connection would find them.
    pub(in crate::store) async fn clear(&self, connection: &mut PgConnection) -> Result<()> {
        if self.pooler == Pooler::Transaction {
            connection.clear_cached_statements().await?;
        }
        Ok(())
    }
}

/// A connection out of the pool. If the operation is cancelled before [`Lease::finish`], an answer may
/// still be under way, perhaps behind a lock; the connection is then closed rather than returned.
pub(in crate::store) struct Lease {
    connection: PoolConnection<sqlx::Postgres>,
    /// In a transaction only because a pooler lends a connection for one.
    is_in_transaction: bool,
    is_finished: bool,
}

impl Lease {
    /// Returns the connection to the pool. Call it after the last answer was read.
    pub(in crate::store) async fn finish<T>(mut self, outcome: Result<T>) -> Result<T> {
        if self.is_in_transaction {
            self.connection.clear_cached_statements().await?;
            // After a failed statement this rolls back, as the statement alone would have.
            sqlx::raw_sql("COMMIT").execute(&mut *self.connection).await?;
        }
        self.is_finished = true;
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
        if !self.is_finished {
            self.connection.close_on_drop();
        }
    }
}
