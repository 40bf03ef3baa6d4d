//! Defaults of PostgreSQL sessions that an administrator changed.

use crate::store::backend::database::Database;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};

/// A setting of the database or of the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDefault {
    pub name: String,
    pub value: String,
}

impl SessionDefault {
    /// Whether it prevents writes. The service overrides all others.
    #[must_use]
    pub fn forbids_writes(&self) -> bool {
        self.name == "default_transaction_read_only"
    }
}

impl Database {
    /// The defaults of transactions that differ from PostgreSQL's own.
    pub(in crate::store) async fn unusual_defaults(&self) -> Result<Vec<SessionDefault>> {
        let Self::Postgres(postgres) = self else { return Ok(Vec::new()) };
        let rows: Vec<(String, String)> = postgres
            .run(|| async {
                let mut lease = postgres.connections.lease().await?;
                let rows = metered::query_as(
                    "SELECT name, reset_val FROM pg_settings WHERE \
                     name = 'default_transaction_isolation' AND reset_val <> 'read committed' \
                     OR name IN ('default_transaction_deferrable', 'default_transaction_read_only') \
                     AND reset_val = 'on' ORDER BY name",
                );
                let rows = rows.fetch_all(&mut *lease).await.map_err(Error::from);
                lease.finish(rows).await
            })
            .await?;
        Ok(rows.into_iter().map(|(name, value)| SessionDefault { name, value }).collect())
    }
}
