//! Floors: a bulk end of sessions by one row of `session_floors`.
//!
//! A floor ends all sessions, of one account or of everybody, whose ids are lower than its own limit,
//! from its commit on. It is used where more than
//! [`MAX_ENDS_PER_TRANSACTION`](super::end_order::MAX_ENDS_PER_TRANSACTION) sessions end at once, which
//! one statement could not do within the timeout. The guard, rotations and lookups of refused tokens
//! check floors; [`end_batches`](super::end_batches) ends the rows afterwards.
//!
//! The session id alone decides whether a session is below a floor, never a clock. When a floor is set
//! it is higher than every existing id, and no login within its scope can commit meanwhile; a later
//! login gets an id above every floor. So earlier sessions are below it and later ones are not, however
//! far the clocks of replicas are apart.

use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::domain::id::{SessionId, UserId};
use crate::domain::session::{End, EndReason};
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::conditions::{Arg, Conditions};
use crate::store::query::from_row::from_row;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FloorId(pub(in crate::store) i64);

#[cfg(test)]
impl FloorId {
    pub(crate) const FIRST: Self = Self(1);
}

/// The sessions with ids lower than `below` have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    pub id: FloorId,
    /// The account, or `None` for all accounts.
    pub user: Option<UserId>,
    /// The lowest id that is not below it.
    pub below: SessionId,
    /// A session that stays live nevertheless.
    pub except: Option<SessionId>,
    pub reason: EndReason,
    /// The user who ended them, if known.
    pub by: Option<UserId>,
    pub at: Timestamp,
    /// The last moment at which an access token of these sessions could be accepted; known once every
    /// row is ended.
    pub until: Option<Timestamp>,
}

impl Floor {
    /// Whether it ended this session.
    #[must_use]
    pub fn covers(&self, user: UserId, session: SessionId) -> bool {
        session < self.below
            && self.except != Some(session)
            && self.user.is_none_or(|owner| owner == user)
    }

    /// [`Floor::covers`] as a condition on `sessions`.
    pub(in crate::store) fn add_to(&self, conditions: &mut Conditions) {
        conditions.and("id < ?", [Arg::Uuid(self.below.as_uuid())]);
        if let Some(user) = self.user {
            conditions.and("user_id = ?", [Arg::Uuid(user.as_uuid())]);
        }
        if let Some(except) = self.except {
            conditions.and("id <> ?", [Arg::Uuid(except.as_uuid())]);
        }
    }

    #[must_use]
    pub fn end(&self) -> End {
        End { at: self.at, reason: self.reason, by: self.by }
    }
}

/// Columns of a [`FloorRow`].
macro_rules! floor_columns {
    () => {
        "id, user_id, below, except_session, reason, actor_id, ended_at, done_at, until"
    };
}
pub(in crate::store) use floor_columns;

/// All floors. They are few: each stands for very many sessions, and is deleted after them.
pub(in crate::store) const FLOORS: &str =
    concat!("SELECT ", floor_columns!(), " FROM session_floors ORDER BY id");

from_row! {
    pub(in crate::store) struct FloorRow {
        id: i64,
        user_id: Option<Uuid>,
        below: Uuid,
        except_session: Option<Uuid>,
        pub(super) reason: String,
        actor_id: Option<Uuid>,
        ended_at: i64,
        done_at: Option<i64>,
        until: Option<i64>,
    }
}

impl From<FloorRow> for Floor {
    fn from(row: FloorRow) -> Self {
        Self {
            id: FloorId(row.id),
            user: row.user_id.map(UserId::from_uuid),
            below: SessionId::from_uuid(row.below),
            except: row.except_session.map(SessionId::from_uuid),
            reason: EndReason::read(&row.reason),
            by: row.actor_id.map(UserId::from_uuid),
            at: Timestamp::from_micros(row.ended_at),
            until: row.done_at.and(row.until).map(Timestamp::from_micros),
        }
    }
}

impl Store {
    pub(in crate::store) async fn floor(&self, id: FloorId) -> Result<Option<Floor>> {
        let row: Option<FloorRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", floor_columns!(), " FROM session_floors WHERE id = $1"
        ))
        .bind(id.0)
        .fetch_optional(conn)
        .await?))?;
        Ok(row.map(Floor::from))
    }
}
