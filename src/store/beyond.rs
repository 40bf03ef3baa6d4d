//! The sessions of a user beyond how many there may be.

use sqlx::types::Uuid;

use super::floors::below_a_floor;
use super::{Result, counted};
use crate::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};

/// The most sessions that one login ends because there are too many: where the limit was lowered, the
/// next logins end the others.
const AT_ONCE: i64 = 100;

steps! {
    /// A step of a login.
    pub(super) trait Beyond {
        /// The oldest live sessions of a user, as far as there are more than `keep`; never `newest`,
        /// the one just opened, which is one of those that are kept.
        ///
        /// Below a floor nothing is live, whether or not its row says so yet, but what floors leave
        /// out. The rows above all of them are read along an index; to ask of each row whether it is
        /// below one would read the very many that are.
        async fn beyond(
            &mut self,
            user: UserId,
            newest: SessionId,
            keep: u32,
            at: Timestamp,
        ) -> Result<Vec<SessionId>> {
            let kept = i64::from(keep.saturating_sub(1));
            let ids: Vec<Uuid> = counted::query_scalar(concat!(
                "SELECT id FROM (SELECT id FROM (SELECT id FROM sessions WHERE user_id = $1 \
                 AND id <> $2 AND ended_at IS NULL AND token_expires_at > $3 AND id >= \
                 COALESCE((SELECT below FROM session_floors WHERE user_id = $1 OR user_id IS NULL \
                 ORDER BY below DESC LIMIT 1), $4) ORDER BY id DESC LIMIT $5) AS above \
                 UNION SELECT id FROM sessions WHERE id IN (SELECT except_session \
                 FROM session_floors) AND user_id = $1 AND id <> $2 AND ended_at IS NULL \
                 AND token_expires_at > $3 AND NOT ",
                below_a_floor!("sessions.id", "sessions.user_id"),
                ") AS live ORDER BY id DESC LIMIT $6 OFFSET $7"
            ))
            .bind(user.as_uuid())
            .bind(newest.as_uuid())
            .bind(at.as_micros())
            .bind(Uuid::nil())
            .bind(kept + AT_ONCE)
            .bind(AT_ONCE)
            .bind(kept)
            .fetch_all(self)
            .await?;
            Ok(ids.into_iter().map(SessionId::from_uuid).collect())
        }
    }
}
