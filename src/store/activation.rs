//! Deactivated and active accounts.
//!
//! Rule: of administrators one stays active, however many deactivate each other at once.

use sqlx::{PgConnection, SqliteConnection};

use super::audit::{Audit, NewEvent};
use super::end::EndSessions;
use super::floors::{Ending, Floors};
use super::rows::{UserRow, user_columns};
use super::{Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::user::User;

/// The account is the last active administrator, whose deactivation would leave nobody to undo it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastAdministrator;

steps! {
    /// The step of a transaction that deactivates or activates.
    trait Activation {
        /// Deactivates or activates; the flag tells whether that changed anything. An administrator is
        /// deactivated where another one stays active, and nobody else may be deactivating any.
        async fn update_active(
            &mut self,
            id: UserId,
            active: bool,
            at: Timestamp,
        ) -> Result<Option<(User, bool)>> {
            let changed = counted::query(
                "UPDATE users SET deactivated_at = $1 \
                 WHERE id = $2 AND (deactivated_at IS NULL) <> ($1 IS NULL) \
                 AND ($1 IS NULL OR role <> 'ADMIN' OR EXISTS (SELECT 1 FROM users AS other \
                 WHERE other.role = 'ADMIN' AND other.deactivated_at IS NULL \
                 AND other.id <> users.id))",
            )
            .bind((!active).then(|| at.as_micros()))
            .bind(id.as_uuid())
            .execute(&mut *self)
            .await?
            .rows_affected();
            let row: Option<UserRow> = counted::query_as(concat!(
                "SELECT ", user_columns!(), " FROM users WHERE id = $1"
            ))
            .bind(id.as_uuid())
            .fetch_optional(self)
            .await?;
            row.map(|row| Ok((row.try_into()?, changed > 0))).transpose()
        }
    }
}

impl Store {
    /// Deactivates an account and ends its sessions, or activates it. `None` where it is not there.
    ///
    /// # Errors
    /// [`Error`](super::Error) where the database fails.
    pub async fn set_active(
        &self,
        id: UserId,
        active: bool,
        event: NewEvent,
        end: EndSessions,
    ) -> Result<Result<Option<(User, Ending)>, LastAdministrator>> {
        transact!(self, conn => {
            if !active {
                conn.hold_administrators(id).await?;
            }
            let Some((user, changed)) = conn.update_active(id, active, event.at).await? else {
                return Ok(Ok(None));
            };
            if user.is_active() != active {
                return Ok(Err(LastAdministrator));
            }
            if changed {
                conn.write_down(&event).await?;
            }
            let ended = if active { Ending::default() } else { conn.end_all(&end).await? };
            Ok(Ok(Some((user, ended))))
        })
    }
}

/// Keeps administrators as they are until the transaction's end.
trait HoldAdministrators {
    /// Waits until nobody else is deactivating any, where this account is one.
    async fn hold_administrators(&mut self, id: UserId) -> Result<()>;
}

/// There is one writer.
impl HoldAdministrators for SqliteConnection {
    async fn hold_administrators(&mut self, _: UserId) -> Result<()> {
        Ok(())
    }
}

impl HoldAdministrators for PgConnection {
    async fn hold_administrators(&mut self, id: UserId) -> Result<()> {
        counted::query(
            "SELECT id FROM users WHERE role = 'ADMIN' AND deactivated_at IS NULL \
             AND EXISTS (SELECT 1 FROM users AS target WHERE target.id = $1 AND target.role = 'ADMIN') \
             ORDER BY id FOR NO KEY UPDATE OF users",
        )
        .bind(id.as_uuid())
        .execute(self)
        .await?;
        Ok(())
    }
}
