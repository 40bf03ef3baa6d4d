//! The exchange of a refresh token of another system: once, in the transaction that opens its session.

use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::external_account::Source;
use crate::domain::foreign_token::{ForeignToken, ForeignTokenDecision, ForeignTokenTerms};
use crate::domain::id::{SessionId, UserId};
use crate::domain::user::User;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::foreign_tokens::known::KnownForeignTokens;
use crate::store::query::floor_sql::global_floor_lock;
use crate::store::query::rows::{UserRow, user_columns};

/// A verified token, and the terms on which it is exchanged.
#[derive(Clone, Debug)]
pub struct ExchangeToken {
    pub source: Source,
    pub token: ForeignToken,
    pub terms: ForeignTokenTerms,
    pub at: Timestamp,
}

trait ExchangeSql {
    const OWNER: &str;
}

macro_rules! select_owner {
    ($($lock:tt)*) => {
        concat!("SELECT ", user_columns!(), $($lock)*, " FROM users WHERE id = $1")
    };
}

/// SQLite has one writer at a time.
impl ExchangeSql for SqliteConnection {
    const OWNER: &str = select_owner!("");
}

impl ExchangeSql for PgConnection {
    const OWNER: &str = select_owner!(global_floor_lock!());
}

steps! {
    pub(in crate::store) trait ExchangeTokens {
        /// Marks the token as exchanged, for a session that [`ExchangeTokens::note_exchange`] names. `None` where
        /// it may not be exchanged, or was.
        async fn exchange_token(
            &mut self,
            user: UserId,
            exchange: &ExchangeToken,
        ) -> Result<Option<User>> {
            let ExchangeToken { source, token, terms, at } = exchange;
            let known = self.lock_foreign_token(source, &token.id, &token.external_id).await?;
            let Some(known) = known.filter(|known| known.owner.user == user) else { return Ok(None) };
            let record = known.record.as_ref();
            if token.decide(&known.owner, record, *terms) != ForeignTokenDecision::Exchange {
                return Ok(None);
            }
            let written = metered::query(
                "INSERT INTO foreign_tokens (source, jti, external_id, created_at, expires_at, \
                 exchanged_at) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (source, jti) DO UPDATE SET external_id = excluded.external_id, \
                 expires_at = excluded.expires_at, exchanged_at = excluded.exchanged_at \
                 WHERE foreign_tokens.exchanged_at IS NULL AND foreign_tokens.blacklisted_at IS NULL",
            )
            .bind(source.as_str())
            .bind(token.id.as_str())
            .bind(token.external_id.as_str())
            .bind(token.known_issue(record).map(Timestamp::as_micros))
            .bind(token.expires_at.as_micros())
            .bind(at.as_micros())
            .execute(&mut *self)
            .await?
            .rows_affected();
            // It was blacklisted by an import since the row was read; nothing was written.
            if written == 0 {
                return Ok(None);
            }
            let row: UserRow =
                metered::query_as(Self::OWNER).bind(user.as_uuid()).fetch_one(self).await?;
            Ok(Some(row.try_into()?))
        }

        /// Names the session that the token was exchanged for in this transaction.
        async fn note_exchange(&mut self, exchange: &ExchangeToken, session: SessionId) -> Result<()> {
            let noted = metered::query(
                "UPDATE foreign_tokens SET session_id = $3 WHERE source = $1 AND jti = $2",
            )
            .bind(exchange.source.as_str())
            .bind(exchange.token.id.as_str())
            .bind(session.as_uuid())
            .execute(self)
            .await?
            .rows_affected();
            if noted == 1 { Ok(()) } else { Err(Error::LostRace) }
        }
    }
}
