//! Removal of registrations that waited for the proof of an address.
//!
//! An account that was created without its address, because another account has it, can never be proved. It
//! would keep its username for good, so it goes after a while, with its password and second factors. Audit
//! events keep its id. An account that has its address only loses the row.

use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::user::Role;
use crate::store::accounts::delete::LockPassword;
use crate::store::backend::metered;
use crate::store::credentials::Passwords;
use crate::store::error::Result;
use crate::store::factors::strip::Strip;
use crate::store::handle::Store;

const REGISTRATION: &str = "DELETE FROM unproved_registrations WHERE user_id = $1";
const PASSWORD: &str = "DELETE FROM password_credentials WHERE user_id = $1";
const ACCOUNT: &str = "DELETE FROM users WHERE id = $1";

steps! {
    trait RemoveRegistration {
        /// Removes the registration, and its account if that has no address.
        async fn remove_registration(&mut self, id: UserId) -> Result<()> {
            self.lock_password(id).await?;
            // Another purge was faster.
            let Some(user) = self.lock_user(id).await? else { return Ok(()) };
            let statements: &[&'static str] = if user.is_deleted() || user.names.email().is_some() {
                &[REGISTRATION]
            } else if user.role == Role::User {
                &[REGISTRATION, PASSWORD, ACCOUNT]
            } else {
                // An administrator by now, and perhaps the only one.
                &[]
            };
            if statements.contains(&ACCOUNT) {
                self.strip_factors(id).await?;
            }
            for statement in statements {
                metered::query(*statement).bind(id.as_uuid()).execute(&mut *self).await?;
            }
            Ok(())
        }
    }
}

impl Store {
    /// Removes the registrations that the statement finds.
    pub(super) async fn purge_registrations(
        &self,
        find: &'static str,
        before: Timestamp,
    ) -> Result<u64> {
        let batch = self.deletion_batch_size();
        transact!(self, conn => {
            let found: Vec<Uuid> = metered::query_scalar(find)
                .bind(before.as_micros())
                .bind(batch)
                .fetch_all(&mut *conn)
                .await?;
            for id in &found {
                conn.remove_registration(UserId::from_uuid(*id)).await?;
            }
            Ok(u64::try_from(found.len()).unwrap_or(u64::MAX))
        })
    }
}
