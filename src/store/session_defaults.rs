//! What sessions of the database begin with, where that is not as PostgreSQL comes.

use super::{Error, Pools, Result, Store, counted};

/// A setting of the database, or of the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDefault {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl SessionDefault {
    /// Whether it keeps the service from writing; the others it passes by.
    #[must_use]
    pub fn forbids_writes(&self) -> bool {
        self.name == "default_transaction_read_only"
    }
}

impl Store {
    /// The defaults of transactions that are not PostgreSQL's own.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn unusual_defaults(&self) -> Result<Vec<SessionDefault>> {
        let Pools::Postgres(postgres) = self.pools() else { return Ok(Vec::new()) };
        let rows: Vec<(String, String)> = postgres
            .run(|| async {
                let mut lease = postgres.lender.lease().await?;
                let rows = counted::query_as(
                    "SELECT name, reset_val FROM pg_settings WHERE \
                     name = 'default_transaction_isolation' AND reset_val <> 'read committed' \
                     OR name IN ('default_transaction_deferrable', 'default_transaction_read_only') \
                     AND reset_val = 'on' ORDER BY name",
                );
                let rows = rows.fetch_all(&mut *lease).await.map_err(Error::from);
                lease.at_rest(rows).await
            })
            .await?;
        Ok(rows.into_iter().map(|(name, value)| SessionDefault { name, value }).collect())
    }
}
