//! Addresses and user agents are kept for so long and no longer, whatever else is kept.
//!
//! Rule: of a session they go once it has not been used for so long, since its user knows it by
//! them; of an entry or an event, so long after it was written down. Each batch is a transaction of
//! its own, on an index that leads to the old rows only.

use super::{Error, Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::id::SessionId;

/// Where addresses and user agents are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metadata {
    /// In sessions.
    Sessions,
    /// In blacklist entries.
    BlacklistEntries,
    /// In audit events.
    AuditEvents,
}

/// Which rows of a kind hold any that is older than `$1`. A session is not used before it is opened,
/// and its id says when that was: `$2` is the first id after `$1`, so that this looks at no newer
/// sessions.
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

macro_rules! wipe {
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

impl Metadata {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sessions, Self::BlacklistEntries, Self::AuditEvents];

    fn wipe(self) -> &'static str {
        match self {
            Self::Sessions => {
                wipe!(sessions, "id", "ip = NULL, last_ip = NULL, user_agent = NULL")
            }
            Self::BlacklistEntries => {
                wipe!(blacklist_entries, "token_id", "ip = NULL, user_agent = NULL")
            }
            Self::AuditEvents => wipe!(audit_events, "id", "ip = NULL, user_agent = NULL"),
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
    /// Wipes one batch of what is older than `before`; the number of rows is zero once there is
    /// nothing left.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn wipe_batch(&self, kind: Metadata, before: Timestamp) -> Result<u64> {
        let batch = self.batch();
        transact!(self, conn => {
            let done = counted::query(kind.wipe())
                .bind(before.as_micros())
                .bind(SessionId::first_after(before).as_uuid())
                .bind(batch)
                .execute(conn)
                .await?;
            Ok(done.rows_affected())
        })
    }

    /// How many rows hold what is older than `before`.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn count_metadata(&self, kind: Metadata, before: Timestamp) -> Result<u64> {
        let count: i64 = read!(self, conn => Ok::<_, Error>(counted::query_scalar(kind.count())
            .bind(before.as_micros())
            .bind(SessionId::first_after(before).as_uuid())
            .fetch_one(conn)
            .await?))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
