//! A connected database of either kind.

use crate::clock::Timestamp;
use crate::store::backend::connection_options::ConnectionOptions;
use crate::store::backend::database_url::{DatabaseUrl, Target};
use crate::store::backend::metered;
use crate::store::backend::postgres::Postgres;
use crate::store::backend::sqlite::Sqlite;
use crate::store::error::Result;
use crate::store::query_cost::OperationTimer;

const EMPTY_QUERY: &str = "SELECT 1";

#[derive(Debug)]
pub(in crate::store) enum Database {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Database {
    pub(in crate::store) async fn connect(
        url: &DatabaseUrl,
        options: &ConnectionOptions,
    ) -> Result<Self> {
        Ok(match url.target() {
            Target::Sqlite(path) => Self::Sqlite(Sqlite::open(path, options.durability).await?),
            Target::Postgres(url) => Self::Postgres(Postgres::open(&url.servers, options).await?),
        })
    }

    /// The time of the server's clock; `None` for SQLite, which has none of its own.
    pub(in crate::store) async fn now(&self) -> Result<Option<Timestamp>> {
        let Self::Postgres(postgres) = self else { return Ok(None) };
        let now = || async {
            let mut lease = postgres.connections.lease().await?;
            let micros = metered::query_scalar(
                "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
            );
            let micros = micros.fetch_one(&mut *lease).await.map_err(Into::into);
            lease.finish(micros).await
        };
        Ok(Some(Timestamp::from_micros(postgres.run(now).await?)))
    }

    /// Sends an empty query.
    pub(in crate::store) async fn ping(&self) -> Result<()> {
        match self {
            Self::Sqlite(sqlite) => {
                let _timer = OperationTimer::start();
                metered::query(EMPTY_QUERY).execute(&mut *sqlite.reader().await?).await?;
                Ok(())
            }
            Self::Postgres(postgres) => {
                let ping = || async {
                    let mut lease = postgres.connections.lease().await?;
                    let answer = metered::query(EMPTY_QUERY).execute(&mut *lease).await;
                    lease.finish(answer.map(|_| ()).map_err(Into::into)).await
                };
                postgres.run(ping).await
            }
        }
    }
}
