//! Activation and deactivation of accounts.
//!
//! At least one administrator stays active, even if administrators deactivate each other concurrently.

use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::user::User;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::email::challenges::Challenges;
use crate::store::error::Result;
use crate::store::handle::Store;
use crate::store::query::rows::{UserRow, user_columns};
use crate::store::session_ends::end_all::{EndAll, Ending};
use crate::store::session_ends::end_order::EndSessions;

/// The account is the last active administrator, and nobody could undo its deactivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastAdministrator;

steps! {
    pub(in crate::store) trait Activation {
        /// Returns the account and whether it changed. An administrator is deactivated only if another one
        /// stays active; call [`LockAdministrators::lock_administrators`] first.
        async fn update_active(
            &mut self,
            id: UserId,
            active: bool,
            at: Timestamp,
        ) -> Result<Option<(User, bool)>> {
            let changed = metered::query(
                "UPDATE users SET deactivated_at = $1 \
                 WHERE id = $2 AND (deactivated_at IS NULL) <> ($1 IS NULL) AND deleted_at IS NULL \
                 AND ($1 IS NULL OR role <> 'ADMIN' OR EXISTS (SELECT 1 FROM users AS other \
                 WHERE other.role = 'ADMIN' AND other.deactivated_at IS NULL \
                 AND other.id <> users.id))",
            )
            .bind((!active).then(|| at.as_micros()))
            .bind(id.as_uuid())
            .execute(&mut *self)
            .await?
            .rows_affected();
            let row: Option<UserRow> = metered::query_as(concat!(
                "SELECT ", user_columns!(), " FROM users WHERE id = $1 AND deleted_at IS NULL"
            ))
            .bind(id.as_uuid())
            .fetch_optional(self)
            .await?;
            row.map(|row| Ok((row.try_into()?, changed > 0))).transpose()
        }
    }
}

impl Store {
    /// Deactivates an account and ends its sessions, or activates it. `None` if it does not exist or was
    /// deleted.
    pub async fn set_active(
        &self,
        id: UserId,
        active: bool,
        event: NewEvent,
        end: EndSessions,
    ) -> Result<Result<Option<(User, Ending)>, LastAdministrator>> {
        transact!(self, conn => {
            if !active {
                conn.lock_administrators(id).await?;
            }
            let Some((user, changed)) = conn.update_active(id, active, event.at).await? else {
                return Ok(Ok(None));
            };
            if user.is_active() != active {
                return Ok(Err(LastAdministrator));
            }
            if changed {
                conn.record_event(&event).await?;
                // They stay worthless when the account is activated again.
                conn.delete_challenges(id).await?;
            }
            let ended = if active { Ending::default() } else { conn.end_all(&end).await? };
            Ok(Ok(Some((user, ended))))
        })
    }
}

pub(in crate::store) trait LockAdministrators {
    /// Lets one transaction at a time deactivate, demote or delete an account: two that deactivate each other
    /// would otherwise each see the other one active. Whether the account is an administrator makes no
    /// difference, because it may just become one.
    async fn lock_administrators(&mut self, id: UserId) -> Result<()>;
}

/// Number of the advisory lock: "Sallypor" in ASCII, which no other program takes by accident.
const LOCK: i64 = 0x5361_6c6c_7970_6f72;

/// SQLite has one writer at a time.
impl LockAdministrators for SqliteConnection {
    async fn lock_administrators(&mut self, _: UserId) -> Result<()> {
        Ok(())
    }
}

impl LockAdministrators for PgConnection {
    async fn lock_administrators(&mut self, id: UserId) -> Result<()> {
        metered::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *self).await?;
        // For versions that have only these locks. All are locked in the order of ids, the account itself too,
        // although it may just be activated: two that lock in different orders wait for each other.
        metered::query(
            "SELECT id FROM users WHERE role = 'ADMIN' AND (deactivated_at IS NULL OR id = $1) \
             AND EXISTS (SELECT 1 FROM users AS target WHERE target.id = $1 AND target.role = 'ADMIN') \
             ORDER BY id FOR NO KEY UPDATE OF users",
        )
        .bind(id.as_uuid())
        .execute(self)
        .await?;
        Ok(())
    }
}
