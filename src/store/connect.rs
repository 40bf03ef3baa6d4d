//! From a database URL to a connected store.

use std::sync::atomic::AtomicU64;

use super::connections::Connections;
use super::database_url::{DatabaseUrl, Target};
use super::postgres::Postgres;
use super::rotations::{Carrier, Rotations};
use super::sqlite::Sqlite;
use super::{Pools, Result, Store, counted};
use crate::clock::Timestamp;

impl Store {
    /// Connects by the defaults, see [`Store::connect_with`].
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database cannot be reached or opened.
    pub async fn connect(url: &DatabaseUrl) -> Result<Self> {
        Self::connect_with(url, &Connections::default()).await
    }

    /// Connects, and makes the file of an embedded database where there is none. It migrates
    /// nothing.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database cannot be reached or opened.
    pub async fn connect_with(url: &DatabaseUrl, connections: &Connections) -> Result<Self> {
        let (pools, carrier) = match url.target() {
            Target::Sqlite(path) => {
                let sqlite = Sqlite::open(path, connections.commits).await?;
                let carrier = Carrier::Sqlite(sqlite.writer.clone());
                (Pools::Sqlite(sqlite), carrier)
            }
            Target::Postgres(url) => {
                let postgres = Postgres::open(&url.servers, connections).await?;
                let carrier = Carrier::Postgres(postgres.lender.clone());
                (Pools::Postgres(postgres), carrier)
            }
        };
        Ok(Self { pools, rotations: Rotations::open(carrier), operations: AtomicU64::new(0) })
    }

    /// What time it is in the database, where that has a clock of its own.
    ///
    /// # Errors
    /// [`Error`](super::Error) where it does not answer.
    pub async fn now(&self) -> Result<Option<Timestamp>> {
        let Pools::Postgres(postgres) = self.pools() else { return Ok(None) };
        let now = || async {
            let mut lease = postgres.lender.lease().await?;
            let micros = counted::query_scalar(
                "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
            );
            let micros = micros.fetch_one(&mut *lease).await.map_err(Into::into);
            lease.at_rest(micros).await
        };
        Ok(Some(Timestamp::from_micros(postgres.run(now).await?)))
    }

    /// Asks the database for nothing.
    ///
    /// # Errors
    /// [`Error`](super::Error) where it does not answer.
    pub async fn ping(&self) -> Result<()> {
        read!(self, conn => {
            counted::query("SELECT 1").execute(conn).await?;
            Ok(())
        })
    }
}
