//! Logout by a refresh token of another system that was not exchanged.

use crate::clock::Timestamp;
use crate::domain::external_account::Source;
use crate::domain::foreign_token::ForeignToken;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::foreign_tokens::known::KnownForeignTokens;
use crate::store::handle::Store;

impl Store {
    /// Blacklists the token, so that it is exchanged for no session any more. `false` where nothing was changed:
    /// it is blacklisted already, it was exchanged, or no account was imported with its id.
    pub async fn refuse_foreign_token(
        &self,
        source: Source,
        token: ForeignToken,
        event: NewEvent,
    ) -> Result<bool> {
        transact!(self, conn => {
            let known = conn.lock_foreign_token(&source, &token.id, &token.external_id).await?;
            let Some(known) = known else { return Ok(false) };
            if known.record.is_some_and(|record| token.is_of_another(&record)) {
                return Ok(false);
            }
            let written = metered::query(
                "INSERT INTO foreign_tokens (source, jti, external_id, created_at, expires_at, \
                 blacklisted_at) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (source, jti) DO UPDATE SET blacklisted_at = excluded.blacklisted_at \
                 WHERE foreign_tokens.exchanged_at IS NULL AND foreign_tokens.blacklisted_at IS NULL",
            )
            .bind(source.as_str())
            .bind(token.id.as_str())
            .bind(token.external_id.as_str())
            .bind(token.issued_at.map(Timestamp::as_micros))
            .bind(token.expires_at.as_micros())
            .bind(event.at.as_micros())
            .execute(&mut *conn)
            .await?
            .rows_affected();
            if written > 0 {
                conn.record_event(&event).await?;
            }
            Ok(written > 0)
        })
    }
}
