//! Second factors that were somebody else's are deleted, with all that relied on them.

use crate::clock::Timestamp;
use crate::domain::id::UserId;
use crate::store::backend::metered;
use crate::store::error::Result;

/// The tables of an account's second factors, those that others refer to last.
const DELETIONS: [&str; 6] = [
    "DELETE FROM totp WHERE user_id = $1",
    "DELETE FROM recovery_codes WHERE user_id = $1",
    "DELETE FROM passkeys WHERE user_id = $1",
    "DELETE FROM passkey_handles WHERE user_id = $1",
    "DELETE FROM trusted_devices WHERE user_id = $1",
    "DELETE FROM second_factors WHERE user_id = $1",
];

/// What was added at `$2` or later.
const LATER: [&str; 3] = [
    "DELETE FROM totp WHERE user_id = $1 AND confirmed_at >= $2",
    "DELETE FROM recovery_codes WHERE user_id = $1 AND created_at >= $2",
    "DELETE FROM passkeys WHERE user_id = $1 AND created_at >= $2",
];

steps! {
    pub(in crate::store) trait Strip {
        /// Deletes all second factors, and every trace of them. Returns whether there were any.
        async fn strip_factors(&mut self, user: UserId) -> Result<bool> {
            let mut deleted = 0;
            for statement in DELETIONS {
                let done = metered::query(statement).bind(user.as_uuid()).execute(&mut *self).await?;
                deleted = done.rows_affected();
            }
            // The last one is the row that every account with factors has.
            Ok(deleted > 0)
        }

        /// Deletes what was added since then, and every trusted device, whoever trusted it. An account that keeps
        /// no factor loses the recovery codes, too.
        async fn strip_later_factors(&mut self, user: UserId, since: Timestamp) -> Result<()> {
            for statement in LATER {
                metered::query(statement)
                    .bind(user.as_uuid())
                    .bind(since.as_micros())
                    .execute(&mut *self)
                    .await?;
            }
            metered::query("DELETE FROM trusted_devices WHERE user_id = $1")
                .bind(user.as_uuid())
                .execute(&mut *self)
                .await?;
            let left: Option<i32> = metered::query_scalar(
                "SELECT 1 WHERE EXISTS (SELECT 1 FROM totp WHERE user_id = $1) \
                 OR EXISTS (SELECT 1 FROM passkeys WHERE user_id = $1)",
            )
            .bind(user.as_uuid())
            .fetch_optional(&mut *self)
            .await?;
            if left.is_none() {
                self.strip_factors(user).await?;
            }
            Ok(())
        }
    }
}
