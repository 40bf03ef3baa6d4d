//! What has expired goes, a few rows at a time.
//!
//! Rule: nothing that is deleted could refuse or accept a token any more. An entry goes when its
//! token has expired, a session when its last refresh and access tokens have and no entry names it,
//! a row of the feed at its `until`, and a key's private part when its last token is dead. Each batch
//! is a transaction of its own, so no lock is held for long.

use super::{Error, Pools, Result, Store, counted};
use crate::clock::Timestamp;

/// What kinds of rows expire, in the order in which they can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// Blacklist entries of expired tokens.
    BlacklistEntries,
    /// Sessions that ran out or ended, once nothing of them is alive or remembered.
    Sessions,
    /// Rows of the feed that no live access token needs.
    SessionEnds,
    /// Audit events older than they are kept.
    AuditEvents,
    /// The private parts of signing keys of which no token is alive. Their rows stay: a token of such
    /// a key is refused without asking the database whether somebody just made the key.
    SigningKeys,
    /// Counts of wrong passwords that are forgotten.
    LoginFailures,
    /// Floors whose sessions' rows are all ended, once no access token of these is alive.
    SessionFloors,
}

/// How many rows of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Blacklist entries.
    pub blacklist_entries: u64,
    /// Sessions.
    pub sessions: u64,
    /// Rows of the feed, and floors.
    pub session_ends: u64,
    /// Audit events.
    pub audit_events: u64,
    /// Private parts of signing keys.
    pub signing_keys: u64,
    /// Counts of wrong passwords.
    pub login_failures: u64,
    /// Addresses and clients, in whatever rows; counted in the rows that lose them.
    pub metadata: u64,
}

/// Which rows of a kind have expired at `$1`.
macro_rules! expired {
    (blacklist_entries) => {
        "expires_at <= $1"
    };
    // While entries are left the foreign key would refuse; the next batch finds it.
    (sessions) => {
        "token_expires_at <= $1 AND access_expires_at <= $1 AND NOT EXISTS \
         (SELECT 1 FROM blacklist_entries WHERE blacklist_entries.session_id = sessions.id)"
    };
    // A count beside a count of entries: those will have gone by then.
    (sessions_alone) => {
        "token_expires_at <= $1 AND access_expires_at <= $1 AND NOT EXISTS \
         (SELECT 1 FROM blacklist_entries WHERE blacklist_entries.session_id = sessions.id \
          AND expires_at > $1)"
    };
    (session_ends) => {
        "until <= $1"
    };
    (audit_events) => {
        "occurred_at <= $1"
    };
    (signing_keys) => {
        "retired_at + token_lifetime <= $1 AND length(sealed_private) > 0"
    };
    (login_failures) => {
        "until <= $1"
    };
    (session_floors) => {
        "done_at IS NOT NULL AND until <= $1"
    };
}

macro_rules! delete {
    ($table:literal, $key:literal, $kind:ident) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE ",
            $key,
            " IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            expired!($kind),
            " LIMIT $2)"
        )
    };
}

macro_rules! count {
    ($table:literal, $kind:ident) => {
        concat!("SELECT count(*) FROM ", $table, " WHERE ", expired!($kind))
    };
}

impl Expired {
    /// All of them, in an order in which each makes room for the next.
    pub const ALL: [Self; 7] = [
        Self::BlacklistEntries,
        Self::Sessions,
        Self::SessionEnds,
        Self::AuditEvents,
        Self::SigningKeys,
        Self::LoginFailures,
        Self::SessionFloors,
    ];

    fn delete(self) -> &'static str {
        match self {
            Self::BlacklistEntries => delete!("blacklist_entries", "token_id", blacklist_entries),
            Self::Sessions => delete!("sessions", "id", sessions),
            Self::SessionEnds => delete!("session_ends", "seq", session_ends),
            Self::AuditEvents => delete!("audit_events", "id", audit_events),
            Self::SigningKeys => concat!(
                "UPDATE signing_keys SET sealed_private = substr(sealed_private, 1, 0) WHERE id IN \
                 (SELECT id FROM signing_keys WHERE ",
                expired!(signing_keys),
                " LIMIT $2)"
            ),
            Self::LoginFailures => delete!("login_failures", "bucket", login_failures),
            Self::SessionFloors => delete!("session_floors", "id", session_floors),
        }
    }

    fn count(self) -> &'static str {
        match self {
            Self::BlacklistEntries => count!("blacklist_entries", blacklist_entries),
            Self::Sessions => count!("sessions", sessions_alone),
            Self::SessionEnds => count!("session_ends", session_ends),
            Self::AuditEvents => count!("audit_events", audit_events),
            Self::SigningKeys => count!("signing_keys", signing_keys),
            Self::LoginFailures => count!("login_failures", login_failures),
            Self::SessionFloors => count!("session_floors", session_floors),
        }
    }
}

impl Store {
    /// The most rows that one statement deletes or wipes. On SQLite nobody else writes meanwhile, and
    /// another process that wants to looks again only after milliseconds. On PostgreSQL nobody waits,
    /// but each statement passes by the rows that those before it deleted.
    pub(super) fn batch(&self) -> i64 {
        match self.pools {
            Pools::Sqlite(_) => 50,
            Pools::Postgres(_) => 100,
        }
    }

    /// Deletes one batch of what expired before `before`; the number of rows is zero once there is
    /// nothing left.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn purge_batch(&self, kind: Expired, before: Timestamp) -> Result<u64> {
        let batch = self.batch();
        transact!(self, conn => {
            let done = counted::query(kind.delete())
                .bind(before.as_micros())
                .bind(batch)
                .execute(conn)
                .await?;
            Ok(done.rows_affected())
        })
    }

    /// How many rows have expired before `before`.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn count_expired(&self, kind: Expired, before: Timestamp) -> Result<u64> {
        let count: i64 = read!(self, conn => Ok::<_, Error>(counted::query_scalar(kind.count())
            .bind(before.as_micros())
            .fetch_one(conn)
            .await?))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
