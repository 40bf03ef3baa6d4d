//! The servers that a PostgreSQL URL names, and the one of them that is used.
//!
//! Rule: of several the first that accepts writes is used, and looked for anew where it cannot be
//! connected to any more. One alone is connected to whatever it is: what it refuses says why.

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, Row};
use tokio::time::timeout;

use super::{BOUND, Error, Result};

/// What a server says that does not accept writes: a standby, for one.
const READS_ONLY: &str = "none of the servers in the database URL accepts writes";

/// The servers, in the order in which they are tried; one at least.
#[derive(Clone, Debug)]
pub(super) struct Servers(Vec<PgConnectOptions>);

impl Servers {
    /// Those of a URL, each connected to by these options besides.
    pub(super) fn new(
        servers: &[PgConnectOptions],
        with: impl Fn(PgConnectOptions) -> PgConnectOptions,
    ) -> Self {
        Self(servers.iter().cloned().map(with).collect())
    }

    /// Whether there is a choice.
    pub(super) fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// The one to connect to.
    pub(super) async fn find(&self) -> Result<PgConnectOptions> {
        if let [only] = &self.0[..] {
            return Ok(only.clone());
        }
        let mut failed = None;
        for server in &self.0 {
            match timeout(BOUND, accepts_writes(server)).await {
                Ok(Ok(true)) => return Ok(server.clone()),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => failed = Some(error.into()),
                Err(_) => failed = Some(Error::TooSlow(BOUND)),
            }
        }
        Err(failed.unwrap_or_else(|| sqlx::Error::Protocol(READS_ONLY.to_owned()).into()))
    }
}

async fn accepts_writes(server: &PgConnectOptions) -> sqlx::Result<bool> {
    let mut connection = server.connect().await?;
    let accepts = !reads_only(&mut connection).await?;
    // It answered; how it is left does not matter.
    let _ = connection.close().await;
    Ok(accepts)
}

async fn reads_only(connection: &mut PgConnection) -> sqlx::Result<bool> {
    let row = sqlx::raw_sql("SHOW transaction_read_only").fetch_one(connection).await?;
    Ok(row.try_get::<&str, _>(0)? == "on")
}

/// Refuses a connection to a server that does not accept writes: it may have become a standby.
///
/// # Errors
/// Where it does not, or does not answer.
pub(super) async fn must_accept_writes(connection: &mut PgConnection) -> sqlx::Result<()> {
    if reads_only(connection).await? {
        return Err(sqlx::Error::Protocol(READS_ONLY.to_owned()));
    }
    Ok(())
}
