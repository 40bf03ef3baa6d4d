//! Tokens without a row that may be used once.

use crate::clock::Timestamp;
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::handle::Store;

/// A token that is about to be used.
#[derive(Clone, Copy, Debug)]
pub struct SpendToken {
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    pub expires_at: Timestamp,
}

impl Store {
    /// Uses a token up, before what it is for is judged. `false` if it was used before.
    pub async fn use_up(&self, token: SpendToken) -> Result<bool> {
        transact!(self, conn => conn.spend_token(&token).await)
    }
}

steps! {
    pub(in crate::store) trait Spent {
        /// `false` if the token was used before.
        async fn spend_token(&mut self, token: &SpendToken) -> Result<bool> {
            let done = metered::query(
                "INSERT INTO spent_tokens (digest, expires_at) VALUES ($1, $2) \
                 ON CONFLICT (digest) DO NOTHING",
            )
            .bind(token.digest.to_vec())
            .bind(token.expires_at.as_micros())
            .execute(self)
            .await?;
            Ok(done.rows_affected() > 0)
        }
    }
}
