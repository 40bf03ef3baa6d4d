//! The limit of live sessions per user.

use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::query::floor_sql::below_a_floor;

/// Maximum number of sessions that one login ends. After the limit was lowered, later logins end the
/// rest.
const MAX_ENDED: i64 = 100;

steps! {
    /// A step of a login.
    pub(super) trait SessionLimit {
        /// The live sessions of a user that exceed `keep`, the oldest ones. The session that was just
        /// opened, `newest`, is one of those that are kept.
        ///
        /// Two branches: sessions above all floors, by an index, and sessions that a floor excepts. One
        /// branch with the condition "not below a floor" would read the very many rows below floors that
        /// are not ended yet.
        async fn sessions_over_limit(
            &mut self,
            user: UserId,
            newest: SessionId,
            keep: u32,
            at: Timestamp,
        ) -> Result<Vec<SessionId>> {
            let kept = i64::from(keep.saturating_sub(1));
            let ids: Vec<Uuid> = metered::query_scalar(concat!(
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
            .bind(kept + MAX_ENDED)
            .bind(MAX_ENDED)
            .bind(kept)
            .fetch_all(self)
            .await?;
            Ok(ids.into_iter().map(SessionId::from_uuid).collect())
        }
    }
}
