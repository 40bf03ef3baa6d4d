//! Floors under sessions: very many of them end by one row.
//!
//! A statement that ends each session's row is bounded in time, as every operation is, so it cannot end
//! a hundred thousand. Past [`AT_ONCE`] an order therefore sets a floor: the sessions of one account, or
//! of everybody, whose ids are lower than the floor's are over from its commit on. The guard, the
//! rotation and whoever reads a refused token go by it. The rows are ended afterwards, in
//! [`batches`](super::batches).
//!
//! Rule: whether a session is below a floor is decided by its id alone, never by a clock. A floor is
//! higher than every id that there is when it is set, and it is set while no login of the account (or
//! of anybody) can commit; and a login that comes later gets an id above every floor
//! ([`Open::insert_session`](super::open)). So a session that was opened before is below, one that was
//! opened after is not, and no clock has to agree with another.

use sqlx::types::Uuid;
use sqlx::{PgConnection, SqliteConnection};

use super::conditions::{Arg, Conditions};
use super::end::{End as _, EndSessions, EndedSession, Scope};
use super::feed::CHANNEL;
use super::rows::{ip_column, user_agent_column};
use super::{Error, Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::audit::Note;
use crate::domain::id::{SessionId, UserId};
use crate::domain::session::{End, EndReason};

/// The most sessions that end in one transaction by an order about one account or everybody.
pub const AT_ONCE: usize = 1_000;

/// The number of a floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FloorId(pub(super) i64);

#[cfg(test)]
impl FloorId {
    pub(crate) const FIRST: Self = Self(1);
}

/// Sessions that are over: those with lower ids than `below`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Its number.
    pub id: FloorId,
    /// Of this account, or of everybody.
    pub user: Option<UserId>,
    /// The lowest id that a session above it can have.
    pub below: SessionId,
    /// A session that goes on nevertheless.
    pub except: Option<SessionId>,
    /// What ended them.
    pub reason: EndReason,
    /// Who ended them, where somebody did.
    pub by: Option<UserId>,
    /// When they ended.
    pub at: Timestamp,
    /// The last moment at which an access token of them could be alive; known once every row is ended.
    pub until: Option<Timestamp>,
}

impl Floor {
    /// Whether this session is over by it.
    #[must_use]
    pub fn covers(&self, user: UserId, session: SessionId) -> bool {
        session < self.below
            && self.except != Some(session)
            && self.user.is_none_or(|owner| owner == user)
    }

    /// Adds the same as a condition on rows of `sessions`.
    pub(super) fn add_to(&self, conditions: &mut Conditions) {
        conditions.and("id < ?", [Arg::Uuid(self.below.as_uuid())]);
        if let Some(user) = self.user {
            conditions.and("user_id = ?", [Arg::Uuid(user.as_uuid())]);
        }
        if let Some(except) = self.except {
            conditions.and("id <> ?", [Arg::Uuid(except.as_uuid())]);
        }
    }

    /// The end of the sessions that it covers.
    #[must_use]
    pub fn end(&self) -> End {
        End { at: self.at, reason: self.reason, by: self.by }
    }
}

/// What an order to end sessions led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// The sessions whose rows are ended.
    pub ended: Vec<EndedSession>,
    /// The floor under which all others of the scope are over.
    pub floor: Option<Floor>,
    /// Whether this order set the floor, rather than finding one that says the same.
    pub is_new: bool,
}

/// The floors that a session is below, by the columns of its id and its user.
macro_rules! from_floors_over {
    ($id:literal, $user:literal) => {
        concat!(
            " FROM session_floors AS floors WHERE floors.below > ",
            $id,
            " AND (floors.user_id = ",
            $user,
            " OR floors.user_id IS NULL) AND (floors.except_session IS NULL \
             OR floors.except_session <> ",
            $id,
            ")"
        )
    };
}
pub(super) use from_floors_over;

/// Whether a session, by the columns of its id and its user, is below a floor.
macro_rules! below_a_floor {
    ($id:literal, $user:literal) => {
        concat!("EXISTS (SELECT 1", $crate::store::floors::from_floors_over!($id, $user), ")")
    };
}
pub(super) use below_a_floor;

/// What a [`FloorRow`] reads.
macro_rules! floor_columns {
    () => {
        "id, user_id, below, except_session, reason, actor_id, ended_at, done_at, until"
    };
}
pub(super) use floor_columns;

/// The newest session of a user, or of all where `$1` is null: each along an index.
macro_rules! newest {
    () => {
        "SELECT id FROM (SELECT (SELECT id FROM sessions WHERE user_id = $1 \
         ORDER BY id DESC LIMIT 1) AS id WHERE $1 IS NOT NULL \
         UNION ALL SELECT (SELECT id FROM sessions ORDER BY id DESC LIMIT 1) AS id \
         WHERE $1 IS NULL) AS newest WHERE id IS NOT NULL"
    };
}

/// All floors: there are few, since each stands for very many sessions and goes with them.
pub(super) const FLOORS: &str =
    concat!("SELECT ", floor_columns!(), " FROM session_floors ORDER BY id");

/// A floor as it is read.
#[derive(sqlx::FromRow)]
pub(super) struct FloorRow {
    id: i64,
    user_id: Option<Uuid>,
    below: Uuid,
    except_session: Option<Uuid>,
    reason: String,
    actor_id: Option<Uuid>,
    ended_at: i64,
    done_at: Option<i64>,
    until: Option<i64>,
}

impl TryFrom<FloorRow> for Floor {
    type Error = Error;

    fn try_from(row: FloorRow) -> Result<Self> {
        Ok(Self {
            id: FloorId(row.id),
            user: row.user_id.map(UserId::from_uuid),
            below: SessionId::from_uuid(row.below),
            except: row.except_session.map(SessionId::from_uuid),
            reason: EndReason::parse(&row.reason).ok_or(Error::unreadable("end reason"))?,
            by: row.actor_id.map(UserId::from_uuid),
            at: Timestamp::from_micros(row.ended_at),
            until: row.done_at.and(row.until).map(Timestamp::from_micros),
        })
    }
}

impl Scope {
    /// Whose sessions and which of them stays, where the scope is so wide that it may hold very many.
    pub(super) fn wide(&self) -> Option<(Option<UserId>, Option<SessionId>)> {
        match *self {
            Self::User(user) => Some((Some(user), None)),
            Self::Others { user, except } => Some((Some(user), Some(except))),
            Self::All => Some((None, None)),
            Self::AllBut(except) => Some((None, Some(except))),
            Self::One(_) | Self::Own { .. } | Self::These(_) => None,
        }
    }
}

/// A column that an insert or update of an account returns where a session may be opened after it: it
/// keeps floors under everybody from being set until the transaction is over, and waits for one that is
/// being set. The session is inserted in a later statement, which sees that floor. A lock of the table
/// would wait for whatever tends it, such as autovacuum.
macro_rules! held_open {
    () => {
        ", pg_advisory_xact_lock_shared(2834790612442)"
    };
}
pub(super) use held_open;

/// Keeps logins of the account, or of anybody, from committing until the transaction is over. On SQLite
/// it is the only writer anyway.
trait Hold {
    async fn hold_logins(&mut self, user: Option<UserId>) -> Result<()>;
}

impl Hold for SqliteConnection {
    async fn hold_logins(&mut self, _: Option<UserId>) -> Result<()> {
        Ok(())
    }
}

impl Hold for PgConnection {
    async fn hold_logins(&mut self, user: Option<UserId>) -> Result<()> {
        match user {
            Some(user) => {
                counted::query("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE")
                    .bind(user.as_uuid())
                    .execute(self)
                    .await?;
            }
            // The other side of `held_open!`.
            None => {
                counted::query("SELECT pg_advisory_xact_lock(2834790612442)").execute(self).await?;
            }
        }
        Ok(())
    }
}

/// Wakes the feeds of other processes.
trait Wake {
    async fn wake_feeds(&mut self) -> Result<()>;
}

impl Wake for SqliteConnection {
    async fn wake_feeds(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Wake for PgConnection {
    async fn wake_feeds(&mut self) -> Result<()> {
        counted::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(self).await?;
        Ok(())
    }
}

steps! {
    /// The steps of a transaction that ends sessions, however many.
    pub(super) trait Floors {
        /// Ends the sessions of the scope, by their rows where they are few.
        async fn end_all(&mut self, end: &EndSessions) -> Result<Ending> {
            match (self.end_sessions(end).await?, end.scope.wide()) {
                (None, Some((user, except))) => self.set_floor(end, user, except).await,
                (ended, _) => {
                    let ended = ended.unwrap_or_default();
                    Ok(Ending { ended, ..Ending::default() })
                }
            }
        }

        /// A floor under all sessions that there are, whose rows are not all ended yet.
        async fn same_floor(
            &mut self,
            user: Option<UserId>,
            except: Option<SessionId>,
        ) -> Result<Option<Floor>> {
            let row: Option<FloorRow> = counted::query_as(concat!(
                "SELECT ", floor_columns!(), " FROM session_floors WHERE done_at IS NULL \
                 AND (user_id = $1 OR user_id IS NULL) \
                 AND (except_session IS NULL OR except_session = $2) AND NOT EXISTS \
                 (SELECT 1 FROM (", newest!(), ") AS newest WHERE newest.id >= below) \
                 ORDER BY id LIMIT 1"
            ))
            .bind(user.map(UserId::as_uuid))
            .bind(except.map(SessionId::as_uuid))
            .fetch_optional(self)
            .await?;
            row.map(Floor::try_from).transpose()
        }

        /// Sets a floor under all sessions that there are. Of many who do so at once one does.
        async fn set_floor(
            &mut self,
            end: &EndSessions,
            user: Option<UserId>,
            except: Option<SessionId>,
        ) -> Result<Ending> {
            // Asked before anybody waits: many may ask for the same at once.
            if let Some(floor) = self.same_floor(user, except).await? {
                return Ok(Ending { floor: Some(floor), ..Ending::default() });
            }
            self.hold_logins(user).await?;
            if let Some(floor) = self.same_floor(user, except).await? {
                return Ok(Ending { floor: Some(floor), ..Ending::default() });
            }
            let newest: Option<Uuid> = counted::query_scalar(newest!())
                .bind(user.map(UserId::as_uuid))
                .fetch_optional(&mut *self)
                .await?;
            let now = SessionId::first_after(end.at);
            let newest = newest.map(SessionId::from_uuid);
            let below = newest.map_or(now, |newest| newest.first_behind().max(now));
            let user_id = user.map(UserId::as_uuid);
            let except_id = except.map(SessionId::as_uuid);
            let row: FloorRow = counted::query_as(concat!(
                "INSERT INTO session_floors (user_id, below, except_session, reason, actor_id, \
                 ended_at, ip, user_agent, note, reached, leased_until) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0) RETURNING ",
                floor_columns!()
            ))
            .bind(user_id)
            .bind(below.as_uuid())
            .bind(except_id)
            .bind(end.reason.as_str())
            .bind(end.actor.map(UserId::as_uuid))
            .bind(end.at.as_micros())
            .bind(ip_column(end.origin.ip))
            .bind(user_agent_column(&end.origin))
            .bind(end.note.as_ref().map(Note::as_str))
            .bind(Uuid::nil())
            .fetch_one(&mut *self)
            .await?;
            self.wake_feeds().await?;
            Ok(Ending { floor: Some(row.try_into()?), is_new: true, ended: Vec::new() })
        }
    }
}

impl Store {
    /// A floor, if it is there.
    pub(super) async fn floor(&self, id: FloorId) -> Result<Option<Floor>> {
        let row: Option<FloorRow> = read!(self, conn => Ok::<_, Error>(counted::query_as(concat!(
            "SELECT ", floor_columns!(), " FROM session_floors WHERE id = $1"
        ))
        .bind(id.0)
        .fetch_optional(conn)
        .await?))?;
        row.map(Floor::try_from).transpose()
    }
}
