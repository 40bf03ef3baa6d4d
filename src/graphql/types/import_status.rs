//! State of a move from another system.

use async_graphql::Object;

use crate::graphql::scalars::DateTime;
use crate::store;

#[derive(Clone, Debug)]
pub struct ImportStatus(store::ImportStatus);

impl ImportStatus {
    pub(in crate::graphql) fn new(status: store::ImportStatus) -> Self {
        Self(status)
    }
}

/// State of the move from another system.
#[Object]
impl ImportStatus {
    /// Name of the system, such as `django`.
    async fn source(&self) -> &str {
        self.0.source.as_str()
    }

    /// Number of imported accounts.
    async fn users(&self) -> i32 {
        count(self.0.users)
    }

    /// Number of accounts whose password is still a hash of the other system.
    async fn legacy_passwords(&self) -> i32 {
        count(self.0.legacy_passwords)
    }

    /// Number of refresh tokens of the other system that were exchanged for a session.
    async fn exchanged_tokens(&self) -> i32 {
        count(self.0.exchanged_tokens)
    }

    /// When a refresh token was last exchanged; null if none was.
    async fn last_exchange_at(&self) -> Option<DateTime> {
        self.0.last_exchange_at.map(Into::into)
    }

    /// When the last refresh token of the other system that can still be exchanged expires; null if
    /// none is left.
    async fn last_token_expires_at(&self) -> Option<DateTime> {
        self.0.last_token_expires_at.map(Into::into)
    }
}

fn count(rows: i64) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}
