//! An ended session, as far as access tokens can still be presented.

use std::time::Duration;

use sqlx::types::Uuid;

use crate::clock::{MAX_SKEW, Timestamp};
use crate::domain::id::{SessionId, UserId};
use crate::domain::session::{EndReason, Session};

/// An access token is accepted for up to this time after its `exp`, so an ended session is remembered
/// as much longer.
pub const MAX_LEEWAY: Duration = MAX_SKEW;

/// A session that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedSession {
    pub id: SessionId,
    pub user_id: UserId,
    pub reason: EndReason,
    /// The last moment at which one of its access tokens could be accepted.
    pub until: Timestamp,
}

impl EndedSession {
    /// `None` if the session has not ended.
    #[must_use]
    pub fn of(session: &Session) -> Option<Self> {
        let Session { id, user_id, access_expires_at, .. } = *session;
        let reason = session.end.as_ref()?.reason;
        Some(Self { id, user_id, reason, until: access_expires_at + MAX_LEEWAY })
    }

    pub(in crate::store) fn from_columns(
        session: Uuid,
        user: Uuid,
        reason: &str,
        until: i64,
    ) -> Self {
        Self {
            id: SessionId::from_uuid(session),
            user_id: UserId::from_uuid(user),
            reason: EndReason::read(reason),
            until: Timestamp::from_micros(until),
        }
    }
}
