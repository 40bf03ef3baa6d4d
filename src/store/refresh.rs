//! What a refresh does beside [`Store::rotate`]: a new access token for a chain that stays, and what is
//! known of a token that is not the outstanding one.

use sqlx::types::Uuid;

use super::audit::{Audit, NewEvent};
use super::floors::{FloorId, below_a_floor, from_floors_over};
use super::refresh_limit::{LimitColumns, limit_after, within_limit};
use super::rows::{SessionRow, ip, ip_column, session_columns};
use super::{Error, Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::origin::{Origin, UserAgent};
use crate::domain::session::Session;
use crate::domain::throttle::Limit;
use crate::domain::user::Role;

/// An order to give a new access token for a session whose chain stays as it is.
#[derive(Clone, Debug)]
pub struct Touch {
    /// The session.
    pub session_id: SessionId,
    /// The presented token, which has to be the outstanding one.
    pub presented: TokenId,
    /// When the new access token runs out, at the latest.
    pub access_expires_at: Timestamp,
    /// Now.
    pub at: Timestamp,
    /// From where.
    pub origin: Origin,
    /// How fast its session may be refreshed.
    pub limit: Option<Limit>,
}

/// An order to take note of a refresh that was asked for again.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// The session.
    pub session_id: SessionId,
    /// The presented token, which has to be the one before the outstanding one.
    pub presented: TokenId,
    /// When the new access token runs out, at the latest.
    pub access_expires_at: Timestamp,
    /// Now.
    pub at: Timestamp,
    /// From where.
    pub origin: Origin,
    /// What is in the audit already, as it was read.
    pub noted: Noted,
    /// What is in the audit then, and the event that makes it so, where it is not yet.
    pub note: Option<(Noted, NewEvent)>,
}

/// Which repeats of a session's last refresh are in the audit. Each is written down once, or a client
/// that repeats without end would fill the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noted {
    /// None.
    Nothing,
    /// One by the client that refreshed.
    SameClient,
    /// One by another client.
    AnotherClient,
}

impl Noted {
    fn from_column(number: i32) -> Self {
        match number {
            0 => Self::Nothing,
            1 => Self::SameClient,
            _ => Self::AnotherClient,
        }
    }

    fn column(self) -> i32 {
        match self {
            Self::Nothing => 0,
            Self::SameClient => 1,
            Self::AnotherClient => 2,
        }
    }
}

/// A session after a refresh.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// The session as it is now.
    pub session: Session,
    /// What its user may do.
    pub role: Role,
}

/// What is known of a presented token that was not the outstanding one.
#[derive(Clone, Debug)]
pub struct Known {
    /// The session it names.
    pub session: Session,
    /// What its user may do.
    pub role: Role,
    /// Whether its user may stay logged in.
    pub user_is_active: bool,
    /// When it was rotated away, where its entry is still there.
    pub rotated_at: Option<Timestamp>,
    /// From where, as far as its entry still says so.
    pub rotated_from: Origin,
    /// Which repeats of the session's last refresh are in the audit.
    pub noted: Noted,
    /// From when on it is as if the session had not been refreshed.
    pub limit_until: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
pub(super) struct RefreshedRow {
    #[sqlx(flatten)]
    session: SessionRow,
    role: String,
}

impl RefreshedRow {
    /// The outstanding token.
    pub(super) fn token(&self) -> Uuid {
        self.session.token_id
    }
}

impl TryFrom<RefreshedRow> for Refreshed {
    type Error = Error;

    fn try_from(row: RefreshedRow) -> Result<Self> {
        let role = Role::parse(&row.role).ok_or(Error::unreadable("role"))?;
        Ok(Self { session: row.session.try_into()?, role })
    }
}

#[derive(sqlx::FromRow)]
struct KnownRow {
    #[sqlx(flatten)]
    session: SessionRow,
    role: String,
    deactivated_at: Option<i64>,
    entered_at: Option<i64>,
    floor: Option<i64>,
    entry_ip: Option<Vec<u8>>,
    entry_agent: Option<String>,
    repeat_noted: i32,
    refresh_limit_until: Option<i64>,
}

impl TryFrom<KnownRow> for Known {
    type Error = Error;

    fn try_from(row: KnownRow) -> Result<Self> {
        Ok(Self {
            role: Role::parse(&row.role).ok_or(Error::unreadable("role"))?,
            user_is_active: row.deactivated_at.is_none(),
            rotated_at: row.entered_at.map(Timestamp::from_micros),
            rotated_from: Origin {
                ip: ip(row.entry_ip)?,
                user_agent: row.entry_agent.and_then(|text| UserAgent::parse(&text)),
            },
            noted: Noted::from_column(row.repeat_noted),
            limit_until: row.refresh_limit_until.map(Timestamp::from_micros),
            session: row.session.try_into()?,
        })
    }
}

steps! {
    /// Steps of refreshes that leave the chain as it is.
    trait Keep {
        /// What the user of a session may do.
        async fn role_of(&mut self, session: SessionId) -> Result<String> {
            let role = counted::query_scalar(
                "SELECT role FROM users WHERE id = (SELECT user_id FROM sessions WHERE id = $1)",
            );
            Ok(role.bind(session.as_uuid()).fetch_one(self).await?)
        }
    }
}

impl Store {
    /// Marks a session as used without moving its chain. `None` where it is not live, its user not
    /// active, the presented token not the outstanding one, or the limit used up.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn touch(&self, touch: Touch) -> Result<Option<Refreshed>> {
        let limit = LimitColumns::of(touch.limit, touch.at);
        let row: Option<RefreshedRow> = transact!(self, conn => {
            let session: Option<SessionRow> = counted::query_as(concat!(
                "UPDATE sessions SET last_used_at = given.at, last_ip = $2, \
                 access_expires_at = CASE WHEN access_expires_at > $3 THEN access_expires_at \
                 ELSE $3 END, refresh_limit_until = ", limit_after!(),
                " FROM users, (SELECT CAST($1 AS BIGINT) AS at, CAST($6 AS BIGINT) AS limit_from, \
                 CAST($7 AS BIGINT) AS limit_to, CAST($8 AS BIGINT) AS limit_step) AS given \
                 WHERE users.id = sessions.user_id AND users.deactivated_at IS NULL \
                 AND sessions.id = $4 AND token_id = $5 AND ended_at IS NULL \
                 AND token_expires_at > given.at AND NOT ",
                below_a_floor!("sessions.id", "sessions.user_id"),
                " AND ", within_limit!(), " RETURNING ",
                session_columns!()
            ))
            .bind(touch.at.as_micros())
            .bind(ip_column(touch.origin.ip))
            .bind(touch.access_expires_at.as_micros())
            .bind(touch.session_id.as_uuid())
            .bind(touch.presented.as_uuid())
            .bind(limit.from)
            .bind(limit.to)
            .bind(limit.step)
            .fetch_optional(&mut *conn)
            .await?;
            let Some(session) = session else { return Ok(None) };
            let role = conn.role_of(touch.session_id).await?;
            Ok(Some(RefreshedRow { session, role }))
        })?;
        row.map(Refreshed::try_from).transpose()
    }

    /// Takes note of a repeat, and that there is another access token of the session. `None` where it
    /// is not live, its user not active, the presented token not the one before the outstanding one,
    /// or something else noted by now: of many at once one writes the event.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn note_repeat(&self, repeat: Repeat) -> Result<Option<Refreshed>> {
        let row: Option<RefreshedRow> = transact!(self, conn => {
            let noted = repeat.note.as_ref().map_or(repeat.noted, |(noted, _)| *noted);
            let session: Option<SessionRow> = counted::query_as(concat!(
                "UPDATE sessions SET last_used_at = $1, last_ip = $2, repeat_noted = $7, \
                 access_expires_at = CASE WHEN access_expires_at > $3 THEN access_expires_at \
                 ELSE $3 END \
                 FROM users WHERE users.id = sessions.user_id AND users.deactivated_at IS NULL \
                 AND sessions.id = $4 AND previous_token_id = $5 AND repeat_noted = $6 \
                 AND ended_at IS NULL AND token_expires_at > $1 AND NOT ",
                below_a_floor!("sessions.id", "sessions.user_id"),
                " RETURNING ",
                session_columns!()
            ))
            .bind(repeat.at.as_micros())
            .bind(ip_column(repeat.origin.ip))
            .bind(repeat.access_expires_at.as_micros())
            .bind(repeat.session_id.as_uuid())
            .bind(repeat.presented.as_uuid())
            .bind(repeat.noted.column())
            .bind(noted.column())
            .fetch_optional(&mut *conn)
            .await?;
            let Some(session) = session else { return Ok(None) };
            let role = conn.role_of(repeat.session_id).await?;
            if let Some((_, event)) = &repeat.note {
                conn.write_down(event).await?;
            }
            Ok(Some(RefreshedRow { session, role }))
        })?;
        row.map(Refreshed::try_from).transpose()
    }

    /// What is known of a token that a session was refreshed with. `None` where the session is not
    /// this user's, or not there any more.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn known_token(
        &self,
        user: UserId,
        session: SessionId,
        token: TokenId,
    ) -> Result<Option<Known>> {
        let row: Option<KnownRow> = read!(self, conn => Ok::<_, Error>(counted::query_as(concat!(
            "SELECT ", session_columns!(), ", sessions.repeat_noted, sessions.refresh_limit_until, \
             users.role, users.deactivated_at, entry.blacklisted_at AS entered_at, \
             entry.ip AS entry_ip, entry.user_agent AS entry_agent, \
             (SELECT min(floors.id)",
            from_floors_over!("sessions.id", "sessions.user_id"),
            ") AS floor \
             FROM sessions JOIN users ON users.id = sessions.user_id \
             LEFT JOIN blacklist_entries AS entry \
             ON entry.token_id = $1 AND entry.session_id = sessions.id \
             WHERE sessions.id = $2 AND sessions.user_id = $3"
        ))
        .bind(token.as_uuid())
        .bind(session.as_uuid())
        .bind(user.as_uuid())
        .fetch_optional(conn)
        .await?))?;
        let Some(row) = row else { return Ok(None) };
        let floor = row.floor;
        let mut known = Known::try_from(row)?;
        if let (None, Some(floor)) = (&known.session.end, floor) {
            known.session.end = self.floor(FloorId(floor)).await?.map(|floor| floor.end());
        }
        Ok(Some(known))
    }
}
