//! Removal of IP addresses and user agents after their retention, independent of that of the rows.
//!
//! The retention of a session's metadata starts at its last use, since its user recognizes the session
//! by them; that of an entry or event at its creation. Each batch is a transaction of its own, on an
//! index of old rows only.

use crate::clock::Timestamp;
use crate::domain::id::SessionId;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;

/// The tables that hold client metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientMetadata {
    Sessions,
    BlacklistEntries,
    AuditEvents,
}

/// `FROM` clause of the rows with metadata older than `$1`. A session is older than its last use, and
/// its id contains its time: `$2` is the first id after `$1`, which excludes newer sessions by the
/// primary key.
macro_rules! old {
    (sessions) => {
        "sessions WHERE id < $2 AND last_used_at <= $1 \
         AND (ip IS NOT NULL OR last_ip IS NOT NULL OR user_agent IS NOT NULL)"
    };
    (blacklist_entries) => {
        "blacklist_entries WHERE blacklisted_at <= $1 AND $2 = $2 \
         AND (ip IS NOT NULL OR user_agent IS NOT NULL)"
    };
    (audit_events) => {
        "audit_events WHERE occurred_at <= $1 AND $2 = $2 \
         AND (ip IS NOT NULL OR user_agent IS NOT NULL)"
    };
}

macro_rules! clear {
    ($kind:ident, $key:literal, $columns:literal) => {
        concat!(
            "UPDATE ",
            stringify!($kind),
            " SET ",
            $columns,
            " WHERE ",
            $key,
            " IN (SELECT ",
            $key,
            " FROM ",
            old!($kind),
            " LIMIT $3)"
        )
    };
}

impl ClientMetadata {
    pub const ALL: [Self; 3] = [Self::Sessions, Self::BlacklistEntries, Self::AuditEvents];

    fn clear(self) -> &'static str {
        match self {
            Self::Sessions => {
                clear!(sessions, "id", "ip = NULL, last_ip = NULL, user_agent = NULL")
            }
            Self::BlacklistEntries => {
                clear!(blacklist_entries, "token_id", "ip = NULL, user_agent = NULL")
            }
            Self::AuditEvents => clear!(audit_events, "id", "ip = NULL, user_agent = NULL"),
        }
    }

    fn count(self) -> &'static str {
        match self {
            Self::Sessions => concat!("SELECT count(*) FROM ", old!(sessions)),
            Self::BlacklistEntries => concat!("SELECT count(*) FROM ", old!(blacklist_entries)),
            Self::AuditEvents => concat!("SELECT count(*) FROM ", old!(audit_events)),
        }
    }
}

impl Store {
    /// Clears one batch of metadata older than `before`. Returns 0 once none is left.
    pub async fn clear_metadata_batch(
        &self,
        kind: ClientMetadata,
        before: Timestamp,
    ) -> Result<u64> {
        let batch = self.deletion_batch_size();
        transact!(self, conn => {
            let done = metered::query(kind.clear())
                .bind(before.as_micros())
                .bind(SessionId::first_after(before).as_uuid())
                .bind(batch)
                .execute(conn)
                .await?;
            Ok(done.rows_affected())
        })
    }

    /// The number of rows with metadata older than `before`.
    pub async fn count_metadata(&self, kind: ClientMetadata, before: Timestamp) -> Result<u64> {
        let count: i64 = read!(self, conn => Ok::<_, Error>(metered::query_scalar(kind.count())
            .bind(before.as_micros())
            .bind(SessionId::first_after(before).as_uuid())
            .fetch_one(conn)
            .await?))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
