//! Whether a session is live, in a transaction that does something for it.

use crate::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::store::backend::metered;
use crate::store::error::Result;
use crate::store::query::floor_sql::below_a_floor;

steps! {
    pub(in crate::store) trait LiveSession {
        /// This replica may not have read the end of a session yet: the database knows it.
        async fn is_live_session(
            &mut self,
            session: SessionId,
            user: UserId,
            now: Timestamp,
        ) -> Result<bool> {
            let found: Option<i32> = metered::query_scalar(concat!(
                "SELECT 1 FROM sessions WHERE sessions.id = $1 AND sessions.user_id = $2 \
                 AND sessions.ended_at IS NULL AND sessions.token_expires_at > $3 AND NOT ",
                below_a_floor!("sessions.id", "sessions.user_id")
            ))
            .bind(session.as_uuid())
            .bind(user.as_uuid())
            .bind(now.as_micros())
            .fetch_optional(self)
            .await?;
            Ok(found.is_some())
        }
    }
}
