//! What a refresh does beside [`Store::rotate`]: a new access token for a chain that stays, and what is
//! known of a token that is not the outstanding one.

use sqlx::types::Uuid;

use super::audit::{Audit, NewEvent};
use super::floors::{FloorId, below_a_floor};
use super::rows::{SessionRow, ip_column, session_columns};
use super::{Error, Result, Store, counted};
use crate::clock::Timestamp;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::Session;
use crate::domain::user::Role;

/// An order to give a new access token for a session whose chain stays as it is.
#[derive(Clone, Debug)]
pub struct Touch {
    /// The session.
    pub session_id: SessionId,
    /// The presented token.
    pub presented: TokenId,
    /// Whether it has to be the token before the outstanding one, or the outstanding one itself.
    pub is_retry: bool,
    /// When the new access token runs out, at the latest.
    pub access_expires_at: Timestamp,
    /// Now.
    pub at: Timestamp,
    /// From where.
    pub origin: Origin,
    /// Written down along with it.
    pub event: Option<NewEvent>,
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
    /// When it was rotated away, where its entry is still there.
    pub rotated_at: Option<Timestamp>,
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
    entered_at: Option<i64>,
    floor: Option<i64>,
}

impl Store {
    /// Marks a session as used without moving its chain. `None` where it is not live, its user not
    /// active, or the presented token not the one it has to be.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn touch(&self, touch: Touch) -> Result<Option<Refreshed>> {
        let row: Option<RefreshedRow> = transact!(self, conn => {
            let session: Option<SessionRow> = counted::query_as(concat!(
                "UPDATE sessions SET last_used_at = $1, last_ip = $2, \
                 access_expires_at = CASE WHEN access_expires_at > $3 THEN access_expires_at \
                 ELSE $3 END \
                 FROM users WHERE users.id = sessions.user_id AND users.deactivated_at IS NULL \
                 AND sessions.id = $4 AND $5 = CASE WHEN $6 = 1 THEN previous_token_id ELSE token_id END \
                 AND ended_at IS NULL AND token_expires_at > $1 AND NOT ",
                below_a_floor!("sessions.id", "sessions.user_id"),
                " RETURNING ",
                session_columns!()
            ))
            .bind(touch.at.as_micros())
            .bind(ip_column(touch.origin.ip))
            .bind(touch.access_expires_at.as_micros())
            .bind(touch.session_id.as_uuid())
            .bind(touch.presented.as_uuid())
            .bind(i64::from(touch.is_retry))
            .fetch_optional(&mut *conn)
            .await?;
            let Some(session) = session else { return Ok(None) };
            let role: String = counted::query_scalar(
                "SELECT role FROM users WHERE id = (SELECT user_id FROM sessions WHERE id = $1)",
            )
            .bind(touch.session_id.as_uuid())
            .fetch_one(&mut *conn)
            .await?;
            if let Some(event) = &touch.event {
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
            "SELECT ", session_columns!(), ", \
             (SELECT blacklisted_at FROM blacklist_entries \
              WHERE blacklist_entries.token_id = $1 AND session_id = $2) AS entered_at, \
             (SELECT min(id) FROM session_floors AS floors WHERE floors.below > sessions.id \
              AND (floors.user_id = sessions.user_id OR floors.user_id IS NULL) \
              AND (floors.except_session IS NULL OR floors.except_session <> sessions.id)) AS floor \
             FROM sessions WHERE id = $2 AND user_id = $3"
        ))
        .bind(token.as_uuid())
        .bind(session.as_uuid())
        .bind(user.as_uuid())
        .fetch_optional(conn)
        .await?))?;
        let Some(row) = row else { return Ok(None) };
        let rotated_at = row.entered_at.map(Timestamp::from_micros);
        let mut session = Session::try_from(row.session)?;
        if let (None, Some(floor)) = (&session.end, row.floor) {
            session.end = self.floor(FloorId(floor)).await?.map(|floor| floor.end());
        }
        Ok(Some(Known { session, rotated_at }))
    }
}
