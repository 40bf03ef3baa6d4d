//! Deletion of accounts.
//!
//! A deletion empties the personal columns of the account, removes its credentials and ends its sessions in
//! one transaction. The row stays, because audit events refer to it, and its keys reserve the names until
//! [`Expired::DeletedNames`](crate::store::Expired) replaces them. IP addresses and user agents of the user's
//! sessions, blacklist entries and audit events are removed in batches afterwards, since they may be many.
//! Those of administrators who acted on the account stay: a deletion must not remove the traces of who did
//! it.

use std::time::Duration;

use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::user::{DELETED_USERNAME, User};
use crate::store::accounts::activation::LockAdministrators;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::credentials::Passwords;
use crate::store::email::challenges::Challenges;
use crate::store::email::outbox::{NewMail, Outbox};
use crate::store::error::{Error, Result};
use crate::store::factors::strip::Strip;
use crate::store::handle::Store;
use crate::store::query::rows::{UserRow, user_columns};
use crate::store::session_ends::end_all::{EndAll, Ending};
use crate::store::session_ends::end_order::EndSessions;

/// More than any request takes.
const LONGEST_REQUEST: Duration = Duration::from_mins(5);

/// Reason why an account was not deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDeleted {
    LastAdministrator,
    /// The account does not exist or was deleted before.
    Missing,
}

pub(in crate::store) trait LockPassword {
    /// Locks the password before the account, as every transaction that locks both does.
    async fn lock_password(&mut self, user: UserId) -> Result<()>;
}

/// SQLite has one writer at a time.
impl LockPassword for SqliteConnection {
    async fn lock_password(&mut self, _: UserId) -> Result<()> {
        Ok(())
    }
}

impl LockPassword for PgConnection {
    async fn lock_password(&mut self, user: UserId) -> Result<()> {
        metered::query("SELECT 1 FROM password_credentials WHERE user_id = $1 FOR UPDATE")
            .bind(user.as_uuid())
            .execute(self)
            .await?;
        Ok(())
    }
}

/// Rows of the deleted user `$1` that still have client metadata; `$2` is the size of a batch.
macro_rules! erase {
    ($table:literal, $key:literal, $columns:literal, $whose:literal, $has:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET ",
            $columns,
            " WHERE ",
            $key,
            " IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $whose,
            " AND (",
            $has,
            ") LIMIT $2)"
        )
    };
}

const ERASE: [&str; 3] = [
    erase!(
        "sessions",
        "id",
        "name = NULL, ip = NULL, last_ip = NULL, user_agent = NULL",
        "user_id = $1",
        "name IS NOT NULL OR ip IS NOT NULL OR last_ip IS NOT NULL OR user_agent IS NOT NULL"
    ),
    erase!(
        "blacklist_entries",
        "token_id",
        "ip = NULL, user_agent = NULL",
        "user_id = $1 AND (actor_id IS NULL OR actor_id = $1)",
        "ip IS NOT NULL OR user_agent IS NOT NULL"
    ),
    erase!(
        "audit_events",
        "id",
        "ip = NULL, user_agent = NULL",
        "user_id = $1 AND (actor_id IS NULL OR actor_id = $1)",
        "ip IS NOT NULL OR user_agent IS NOT NULL"
    ),
];

steps! {
    trait Delete {
        /// Empties the account. An administrator stays if no other one is active; call
        /// [`LockAdministrators::lock_administrators`] first.
        async fn empty_account(&mut self, user: UserId, at: Timestamp) -> Result<Option<User>> {
            let row: Option<UserRow> = metered::query_as(concat!(
                "UPDATE users SET username = $3, email = NULL, role = 'USER', last_login_at = NULL, \
                 email_verified_at = NULL, locale = NULL, external_id = NULL, roles = NULL, \
                 deleted_at = $2, \
                 deactivated_at = COALESCE(deactivated_at, $2) \
                 WHERE id = $1 AND deleted_at IS NULL AND (role <> 'ADMIN' \
                 OR deactivated_at IS NOT NULL OR EXISTS (SELECT 1 FROM users AS other \
                 WHERE other.role = 'ADMIN' AND other.deactivated_at IS NULL \
                 AND other.id <> users.id)) RETURNING ",
                user_columns!()
            ))
            .bind(user.as_uuid())
            .bind(at.as_micros())
            .bind(DELETED_USERNAME)
            .fetch_optional(self)
            .await?;
            row.map(User::try_from).transpose()
        }

        async fn has_account(&mut self, user: UserId) -> Result<bool> {
            let found: Option<i32> =
                metered::query_scalar("SELECT 1 FROM users WHERE id = $1 AND deleted_at IS NULL")
                    .bind(user.as_uuid())
                    .fetch_optional(self)
                    .await?;
            Ok(found.is_some())
        }
    }
}

impl Store {
    /// Deletes an account, its credentials and its sessions.
    pub async fn delete_user(
        &self,
        user: UserId,
        event: NewEvent,
        end: EndSessions,
        mails: Vec<NewMail>,
    ) -> Result<Result<(User, Ending), NotDeleted>> {
        transact!(self, conn => {
            conn.lock_password(user).await?;
            conn.lock_administrators(user).await?;
            let Some(deleted) = conn.empty_account(user, event.at).await? else {
                let is_last = conn.has_account(user).await?;
                return Ok(Err(if is_last { NotDeleted::LastAdministrator } else { NotDeleted::Missing }));
            };
            conn.delete_password(user).await?;
            conn.strip_factors(user).await?;
            metered::query("INSERT INTO deleted_users (user_id, deleted_at) VALUES ($1, $2)")
                .bind(user.as_uuid())
                .bind(event.at.as_micros())
                .execute(&mut *conn)
                .await?;
            conn.delete_all_challenges(user).await?;
            conn.delete_mails(user).await?;
            conn.queue_mails(&mails).await?;
            conn.record_event(&event).await?;
            let ended = conn.end_all(&end).await?;
            // Its row there stays: another import must not make the account again.
            metered::query(
                "UPDATE external_accounts SET password_fingerprint = NULL WHERE user_id = $1",
            )
            .bind(user.as_uuid())
            .execute(conn)
            .await?;
            Ok(Ok((deleted, ended)))
        })
    }

    /// Deleted accounts whose client metadata can be erased for good, the oldest first, at most a hundred.
    pub async fn accounts_to_erase(&self, now: Timestamp) -> Result<Vec<UserId>> {
        let ids: Vec<sqlx::types::Uuid> = read!(self, conn => Ok::<_, Error>(metered::query_scalar(
            "SELECT user_id FROM deleted_users WHERE erased_at IS NULL AND deleted_at <= $1 \
             ORDER BY deleted_at LIMIT 100",
        )
        .bind((now - LONGEST_REQUEST).as_micros())
        .fetch_all(conn)
        .await?))?;
        Ok(ids.into_iter().map(UserId::from_uuid).collect())
    }

    /// Erases one batch of the client metadata of a deleted account. Returns 0 once none is left, and then
    /// marks the account as erased, unless it was deleted just now: a request that had read the account
    /// before can still write metadata, which the next purge erases.
    pub async fn erase_batch(&self, user: UserId, at: Timestamp) -> Result<u64> {
        let batch = self.deletion_batch_size();
        transact!(self, conn => {
            let mut erased = 0;
            for statement in ERASE {
                let done = metered::query(statement)
                    .bind(user.as_uuid())
                    .bind(batch)
                    .execute(&mut *conn)
                    .await?;
                erased += done.rows_affected();
            }
            if erased == 0 {
                metered::query("UPDATE deleted_users SET erased_at = $2 WHERE user_id = $1 AND deleted_at <= $3")
                    .bind(user.as_uuid())
                    .bind(at.as_micros())
                    .bind((at - LONGEST_REQUEST).as_micros())
                    .execute(&mut *conn)
                    .await?;
            }
            Ok(erased)
        })
    }

    /// Removes one batch of deletions of which nothing is left to do. Returns 0 once there is none.
    pub async fn forget_deletions(&self) -> Result<u64> {
        let batch = self.deletion_batch_size();
        transact!(self, conn => {
            let done = metered::query(
                "DELETE FROM deleted_users WHERE user_id IN (SELECT user_id FROM deleted_users \
                 JOIN users ON users.id = user_id WHERE erased_at IS NOT NULL \
                 AND username_key LIKE 'deleted:%' LIMIT $1)",
            )
            .bind(batch)
            .execute(conn)
            .await?;
            Ok(done.rows_affected())
        })
    }
}
