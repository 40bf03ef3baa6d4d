//! Deletion of expired rows.
//!
//! A row is deleted once it can no longer decide about a token: a blacklist entry when its token has
//! expired, a session when its last refresh and access tokens have and no entry refers to it, a row of
//! the feed at its `until`, and a private key when its last token has expired. Each batch is a
//! transaction of its own, so no lock is held for long.

use crate::clock::Timestamp;
use crate::store::backend::database::Database;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;

/// The kinds of expiring rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// Blacklist entries of expired tokens.
    BlacklistEntries,
    /// Expired and ended sessions.
    Sessions,
    /// Rows of the feed.
    SessionEnds,
    /// Audit events past their retention.
    AuditEvents,
    /// Private keys whose tokens have all expired. The row stays: a token of a known key is refused
    /// without asking the database whether the key was just created.
    SigningKeys,
    /// Failed-login counters that have run down.
    LoginFailures,
    /// Floors whose rows are all ended and whose access tokens have expired.
    SessionFloors,
    /// Reservations of former usernames.
    FormerUsernames,
    /// Names of deleted accounts, which their rows reserve.
    DeletedNames,
    /// Challenges that no code and no link completes any more.
    Challenges,
    /// Mails that were kept for administrators, without an SMTP server.
    KeptMails,
    /// Mails that could not be sent.
    FailedMails,
    /// Counters of mails that have run down.
    MailLimits,
    /// Tokens and challenges without a row that were used, and have expired.
    SpentTokens,
    /// Devices that are not trusted any more.
    TrustedDevices,
    /// Refresh tokens of other systems.
    ForeignTokens,
    /// Registrations with an address to be verified. An account that did not get its address goes with its
    /// row.
    UnprovedRegistrations,
}

/// Number of rows per kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    pub blacklist_entries: u64,
    pub sessions: u64,
    /// Rows of the feed, and floors.
    pub session_ends: u64,
    pub audit_events: u64,
    /// Private keys.
    pub signing_keys: u64,
    pub login_failures: u64,
    /// Former names that are free again.
    pub names: u64,
    /// Challenges, used tokens, and registrations that waited for one.
    pub challenges: u64,
    pub trusted_devices: u64,
    /// Refresh tokens of other systems.
    pub foreign_tokens: u64,
    /// Mails that were kept or had failed.
    pub mails: u64,
    /// Counters of mails.
    pub mail_limits: u64,
    /// Rows that lost IP address and user agent.
    pub metadata: u64,
}

/// Condition that a row has expired at `$1`.
macro_rules! expired {
    (blacklist_entries) => {
        "expires_at <= $1"
    };
    // A foreign key refuses to delete a session with entries; a later batch finds it again.
    (sessions) => {
        "token_expires_at <= $1 AND access_expires_at <= $1 AND NOT EXISTS \
         (SELECT 1 FROM blacklist_entries WHERE blacklist_entries.session_id = sessions.id)"
    };
    // For counts: assumes that expired entries are deleted first.
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
    (former_usernames) => {
        "reserved_until <= $1"
    };
    // No name has a colon.
    (deleted_names) => {
        "deleted_users.deleted_at <= $1 AND username_key NOT LIKE 'deleted:%'"
    };
    (challenges) => {
        "expires_at <= $1"
    };
    (kept_mails) => {
        "state = 'KEPT' AND created_at <= $1"
    };
    (failed_mails) => {
        "state = 'FAILED' AND created_at <= $1"
    };
    (mail_limits) => {
        "until <= $1"
    };
    (spent_tokens) => {
        "expires_at <= $1"
    };
    (trusted_devices) => {
        "expires_at <= $1"
    };
    (foreign_tokens) => {
        "expires_at <= $1"
    };
    // One that an administrator has made something else of stays, and waits for its address.
    (unproved_registrations) => {
        "registered_at <= $1 AND (users.email_key IS NOT NULL OR users.deleted_at IS NOT NULL \
         OR (users.role = 'USER' \
         AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.user_id = users.id) \
         AND NOT EXISTS (SELECT 1 FROM former_usernames WHERE former_usernames.user_id = users.id)))"
    };
}

macro_rules! delete {
    ($table:literal, $key:literal, $kind:ident) => {
        delete!($table, $key, $key, $kind)
    };
    // With a key of several columns, as a row and as a list.
    ($table:literal, $row:literal, $key:literal, $kind:ident) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE ",
            $row,
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

/// Replaces the keys of deleted accounts by texts that are no names, and that differ since ids do.
macro_rules! release_names {
    ($id:literal) => {
        concat!(
            "UPDATE users SET username_key = 'deleted:' || ",
            $id,
            ", username_skeleton = 'deleted:' || ",
            $id,
            ", email_key = NULL WHERE id IN (SELECT user_id FROM deleted_users \
             JOIN users ON users.id = user_id WHERE ",
            expired!(deleted_names),
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
    /// In the order of deletion: entries refer to sessions.
    pub const ALL: [Self; 17] = [
        Self::BlacklistEntries,
        Self::Sessions,
        Self::SessionEnds,
        Self::AuditEvents,
        Self::SigningKeys,
        Self::LoginFailures,
        Self::SessionFloors,
        Self::FormerUsernames,
        Self::DeletedNames,
        Self::Challenges,
        Self::KeptMails,
        Self::FailedMails,
        Self::MailLimits,
        Self::SpentTokens,
        Self::TrustedDevices,
        Self::ForeignTokens,
        Self::UnprovedRegistrations,
    ];

    /// The statement that deletes a batch; of registrations the one that finds it.
    fn delete(self, database: &Database) -> &'static str {
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
            Self::FormerUsernames => {
                delete!(
                    "former_usernames",
                    "(user_id, username_key)",
                    "user_id, username_key",
                    former_usernames
                )
            }
            Self::DeletedNames => match database {
                Database::Sqlite(_) => release_names!("lower(hex(id))"),
                Database::Postgres(_) => release_names!("id::text"),
            },
            Self::Challenges => delete!("challenges", "id", challenges),
            Self::KeptMails => delete!("emails", "id", kept_mails),
            Self::FailedMails => delete!("emails", "id", failed_mails),
            Self::MailLimits => delete!("email_limits", "bucket", mail_limits),
            Self::SpentTokens => delete!("spent_tokens", "digest", spent_tokens),
            Self::TrustedDevices => delete!("trusted_devices", "id", trusted_devices),
            Self::ForeignTokens => {
                delete!("foreign_tokens", "(source, jti)", "source, jti", foreign_tokens)
            }
            Self::UnprovedRegistrations => concat!(
                "SELECT user_id FROM unproved_registrations JOIN users ON users.id = user_id WHERE ",
                expired!(unproved_registrations),
                " LIMIT $2"
            ),
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
            Self::FormerUsernames => count!("former_usernames", former_usernames),
            Self::DeletedNames => {
                count!("deleted_users JOIN users ON users.id = user_id", deleted_names)
            }
            Self::Challenges => count!("challenges", challenges),
            Self::KeptMails => count!("emails", kept_mails),
            Self::FailedMails => count!("emails", failed_mails),
            Self::MailLimits => count!("email_limits", mail_limits),
            Self::SpentTokens => count!("spent_tokens", spent_tokens),
            Self::TrustedDevices => count!("trusted_devices", trusted_devices),
            Self::ForeignTokens => count!("foreign_tokens", foreign_tokens),
            Self::UnprovedRegistrations => count!(
                "unproved_registrations JOIN users ON users.id = user_id",
                unproved_registrations
            ),
        }
    }
}

impl Store {
    /// Deletes one batch of rows that expired before `before`. Returns 0 once none is left.
    pub async fn purge_batch(&self, kind: Expired, before: Timestamp) -> Result<u64> {
        let (batch, delete) = (self.deletion_batch_size(), kind.delete(self.kind()));
        if kind == Expired::UnprovedRegistrations {
            return self.purge_registrations(delete, before).await;
        }
        transact!(self, conn => {
            let done = metered::query(delete)
                .bind(before.as_micros())
                .bind(batch)
                .execute(conn)
                .await?;
            Ok(done.rows_affected())
        })
    }

    /// The number of rows that expired before `before`.
    pub async fn count_expired(&self, kind: Expired, before: Timestamp) -> Result<u64> {
        let count: i64 = read!(self, conn => Ok::<_, Error>(metered::query_scalar(kind.count())
            .bind(before.as_micros())
            .fetch_one(conn)
            .await?))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
