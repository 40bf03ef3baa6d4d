//! Refresh tokens of another system that may still be exchanged.

use crate::clock::Timestamp;
use crate::domain::external_account::Source;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;

impl Store {
    /// When the last token that the import named, and that was neither exchanged nor blacklisted, expires. `None`
    /// if none is left.
    pub async fn last_foreign_token(
        &self,
        source: &Source,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let last: Option<i64> = read!(self, conn => Ok::<_, Error>(metered::query_scalar(
            "SELECT max(expires_at) FROM foreign_tokens WHERE source = $1 AND expires_at > $2 \
             AND external_id IS NOT NULL AND exchanged_at IS NULL AND blacklisted_at IS NULL",
        )
        .bind(source.as_str())
        .bind(now.as_micros())
        .fetch_one(conn)
        .await?))?;
        Ok(last.map(Timestamp::from_micros))
    }
}
