//! Selection of the server among those that a PostgreSQL URL names.
//!
//! Of several servers the first that accepts writes is used; once a connection to it fails, the
//! selection is repeated. A single server is used unconditionally: its own error then says why a
//! write fails.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, Row};
use tokio::time::timeout;

use crate::store::error::{Error, Result};
use crate::store::timeout::OPERATION_TIMEOUT;

const READ_ONLY: &str = "no server in the database URL accepts writes";

/// The servers, in the order in which they are tried; one at least.
#[derive(Clone, Debug)]
pub(in crate::store) struct Servers(Vec<PgConnectOptions>);

impl Servers {
    /// `with` completes the options of each server.
    pub(in crate::store) fn new(
        servers: &[PgConnectOptions],
        with: impl Fn(PgConnectOptions) -> PgConnectOptions,
    ) -> Self {
        Self(servers.iter().cloned().map(with).collect())
    }

    pub(in crate::store) fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// The first server that accepts writes.
    pub(in crate::store) async fn find(&self) -> Result<PgConnectOptions> {
        if let [only] = &self.0[..] {
            return Ok(only.clone());
        }
        let mut failed = None;
        for server in &self.0 {
            match timeout(OPERATION_TIMEOUT, accepts_writes(server)).await {
                Ok(Ok(true)) => return Ok(server.clone()),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => failed = Some(error.into()),
                Err(_) => failed = Some(Error::TooSlow(OPERATION_TIMEOUT)),
            }
        }
        Err(failed.unwrap_or_else(|| sqlx::Error::Protocol(READ_ONLY.to_owned()).into()))
    }
}

async fn accepts_writes(server: &PgConnectOptions) -> sqlx::Result<bool> {
    let mut connection = server.connect().await?;
    let accepts = !is_read_only(&mut connection).await?;
    // The answer is there; an error while closing changes nothing.
    let _ = connection.close().await;
    Ok(accepts)
}

async fn is_read_only(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let row = sqlx::raw_sql("SHOW transaction_read_only").fetch_one(connection).await?;
    Ok(row.try_get::<&str, _>(0)? == "on")
}

/// Refuses a connection to a server that does not accept writes: it may have become a standby.
pub(in crate::store) async fn must_accept_writes(
    connection: &mut PgConnection,
) -> sqlx::Result<()> {
    if is_read_only(connection).await? {
        return Err(sqlx::Error::Protocol(READ_ONLY.to_owned()));
    }
    Ok(())
}
