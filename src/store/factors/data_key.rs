//! The stored data key.

use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;

impl Store {
    /// The data key, sealed.
    pub async fn data_key(&self) -> Result<Option<Vec<u8>>> {
        Ok(read!(self, conn => Ok::<_, Error>(
            metered::query_scalar("SELECT sealed FROM data_keys WHERE id = 1")
                .fetch_optional(conn)
                .await?
        ))?)
    }

    /// Stores the data key, unless there is one by now. Of several processes that start at once, one stores
    /// its key, and all read that one.
    pub async fn insert_data_key(&self, sealed: Vec<u8>) -> Result<()> {
        transact!(self, conn => {
            metered::query(
                "INSERT INTO data_keys (id, sealed) VALUES (1, $1) ON CONFLICT (id) DO NOTHING",
            )
            .bind(sealed.clone())
            .execute(conn)
            .await?;
            Ok(())
        })
    }

    /// Replaces the data key by the same one, sealed by the current master secret.
    pub async fn renew_data_key(&self, from: Vec<u8>, to: Vec<u8>) -> Result<()> {
        transact!(self, conn => {
            metered::query("UPDATE data_keys SET sealed = $2 WHERE id = 1 AND sealed = $1")
                .bind(from.clone())
                .bind(to.clone())
                .execute(conn)
                .await?;
            Ok(())
        })
    }
}
