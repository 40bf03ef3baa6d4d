//! How far the move from each source is.

use crate::clock::Timestamp;
use crate::domain::external_account::Source;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::from_row::from_row;

/// State of the move from one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportStatus {
    pub source: Source,
    /// Number of imported accounts.
    pub users: i64,
    /// Number of accounts whose password is still a hash of the other system.
    pub legacy_passwords: i64,
    /// Number of refresh tokens that were exchanged for a session.
    pub exchanged_tokens: i64,
    pub last_exchange_at: Option<Timestamp>,
    /// When the last refresh token expires that the import named and that was neither exchanged nor blacklisted;
    /// `None` if none is left.
    pub last_token_expires_at: Option<Timestamp>,
}

from_row! {
    struct StatusRow {
        source: String,
        users: i64,
        legacy_passwords: i64,
        exchanged_tokens: i64,
        last_exchange_at: Option<i64>,
        last_token_expires_at: Option<i64>,
    }
}

impl From<StatusRow> for ImportStatus {
    fn from(row: StatusRow) -> Self {
        Self {
            source: Source::from_stored(row.source),
            users: row.users,
            legacy_passwords: row.legacy_passwords,
            exchanged_tokens: row.exchanged_tokens,
            last_exchange_at: row.last_exchange_at.map(Timestamp::from_micros),
            last_token_expires_at: row.last_token_expires_at.map(Timestamp::from_micros),
        }
    }
}

impl Store {
    /// State of the move from each source, by name.
    pub async fn import_status(&self, now: Timestamp) -> Result<Vec<ImportStatus>> {
        let rows: Vec<StatusRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(
            "SELECT source, \
             (SELECT count(*) FROM external_accounts AS accounts \
             WHERE accounts.source = import_sources.source) AS users, \
             (SELECT count(*) FROM password_credentials \
             JOIN external_accounts AS accounts ON accounts.user_id = password_credentials.user_id \
             WHERE scheme <> 'ARGON2ID' AND accounts.source = import_sources.source) \
             AS legacy_passwords, \
             (SELECT count(*) FROM foreign_tokens AS tokens \
             WHERE tokens.source = import_sources.source AND exchanged_at IS NOT NULL) \
             AS exchanged_tokens, \
             (SELECT max(exchanged_at) FROM foreign_tokens AS tokens \
             WHERE tokens.source = import_sources.source AND exchanged_at IS NOT NULL) \
             AS last_exchange_at, \
             (SELECT expires_at FROM foreign_tokens AS tokens \
             WHERE tokens.source = import_sources.source AND expires_at > $1 \
             AND external_id IS NOT NULL AND exchanged_at IS NULL AND blacklisted_at IS NULL \
             ORDER BY expires_at DESC LIMIT 1) AS last_token_expires_at \
             FROM import_sources ORDER BY source",
        )
        .bind(now.as_micros())
        .fetch_all(conn)
        .await?))?;
        Ok(rows.into_iter().map(ImportStatus::from).collect())
    }
}
