//! A login becomes a session.

use sqlx::types::Uuid;
use sqlx::{PgConnection, SqliteConnection};

use super::audit::{Audit, NewEvent};
use super::beyond::Beyond as _;
use super::end::{End, EndSessions, EndedSession, Scope};
use super::floors::{below_a_floor, from_floors_over, held_open};
use super::rows::{
    SessionRow, UserRow, ip_column, session_columns, user_agent_column, user_columns,
};
use super::throttle::{Settlement, Throttle};
use super::{Error, Result, Store, counted};
use crate::clock::Timestamp;
use crate::crypto::password::PasswordHash;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::{EndReason, RefreshGrant, Session, SessionName};
use crate::domain::user::User;

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// What its user calls it.
    pub name: Option<SessionName>,
    /// From where.
    pub origin: Origin,
    /// When.
    pub created_at: Timestamp,
    /// Its first refresh token.
    pub token: RefreshGrant,
    /// When its first access token runs out.
    pub access_expires_at: Timestamp,
    /// When it ends at the latest, however often it is refreshed: a whole second.
    pub absolute_expires_at: Option<Timestamp>,
}

/// A login whose password was right a moment ago.
#[derive(Clone, Debug)]
pub struct OpenSession {
    /// The session.
    pub session: NewSession,
    /// The hash that the password was checked with. If the account has another by now, the password
    /// was changed meanwhile, and the login comes to nothing.
    pub verified: PasswordHash,
    /// The same password hashed as it is done today, where the old hash is weaker.
    pub upgraded: Option<PasswordHash>,
    /// Whether the account remembers its last login.
    pub record_login: bool,
    /// How many live sessions the user may have; the oldest beyond it end.
    pub max_sessions: Option<u32>,
    /// What was counted against the login before it was known to be right.
    pub settlement: Settlement,
}

/// What a login led to.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The account.
    pub user: User,
    /// Its new session.
    pub session: Session,
    /// Sessions that had to go.
    pub ended: Vec<EndedSession>,
}

#[derive(sqlx::FromRow)]
struct InsertedRow {
    #[sqlx(flatten)]
    session: SessionRow,
    beyond: Option<i32>,
}

/// The account that a login is of, and what else the statement returns.
macro_rules! confirm {
    ($($held:tt)*) => {
        concat!(
            "UPDATE users SET last_login_at = COALESCE($1, last_login_at), \
             password_hash = COALESCE($2, password_hash) \
             WHERE id = $3 AND password_hash = $4 AND deactivated_at IS NULL RETURNING ",
            user_columns!(),
            $($held)*
        )
    };
}

trait Confirm {
    const CONFIRM: &str;
}

/// There is one writer.
impl Confirm for SqliteConnection {
    const CONFIRM: &str = confirm!("");
}

impl Confirm for PgConnection {
    const CONFIRM: &str = confirm!(held_open!());
}

steps! {
    /// Steps of a login.
    pub(super) trait Open {
        /// Adds a session, and says whether more others of its user may be live than `keep` leaves room
        /// for: rows below a floor count until they are ended. Where its id, by whatever clock, is below
        /// a floor, it gets one above: it is opened after the floor was set.
        async fn insert_session(
            &mut self,
            new: &NewSession,
            keep: Option<u32>,
        ) -> Result<(Session, bool)> {
            let mut id = new.id;
            loop {
                let row: Option<InsertedRow> = counted::query_as(concat!(
                    "INSERT INTO sessions (id, user_id, name, user_agent, ip, last_ip, created_at, \
                     last_used_at, token_id, token_issued_at, token_expires_at, generation, \
                     access_expires_at, absolute_expires_at) \
                     SELECT $1, $2, $3, $4, $5, $5, $6, $6, $7, $8, $9, 0, $10, $11 WHERE NOT ",
                    below_a_floor!("$1", "$2"),
                    " RETURNING ",
                    session_columns!(),
                    ", (SELECT 1 FROM sessions AS others WHERE others.user_id = $2 \
                     AND others.ended_at IS NULL AND others.id <> $1 LIMIT $12 OFFSET $13) AS beyond"
                ))
                .bind(id.as_uuid())
                .bind(new.user_id.as_uuid())
                .bind(new.name.as_ref().map(SessionName::as_str))
                .bind(user_agent_column(&new.origin))
                .bind(ip_column(new.origin.ip))
                .bind(new.created_at.as_micros())
                .bind(new.token.id.as_uuid())
                .bind(new.token.issued_at.as_micros())
                .bind(new.token.expires_at.as_micros())
                .bind(new.access_expires_at.as_micros())
                .bind(new.absolute_expires_at.map(Timestamp::as_micros))
                .bind(i64::from(keep.is_some()))
                .bind(keep.map_or(0, |keep| i64::from(keep.saturating_sub(1))))
                .fetch_optional(&mut *self)
                .await?;
                if let Some(row) = row {
                    return Ok((row.session.try_into()?, row.beyond.is_some()));
                }
                let floor: Option<Uuid> = counted::query_scalar(concat!(
                    "SELECT floors.below",
                    from_floors_over!("$1", "$2"),
                    " ORDER BY floors.below DESC LIMIT 1"
                ))
                .bind(id.as_uuid())
                .bind(new.user_id.as_uuid())
                .fetch_optional(&mut *self)
                .await?;
                id = id.raised_to(floor.map(SessionId::from_uuid).ok_or(Error::Contended)?);
            }
        }

        /// Locks the account if its password is still the verified one and it may log in.
        async fn confirm_login(&mut self, open: &OpenSession) -> Result<Option<User>> {
            let login = open.record_login.then(|| open.session.created_at.as_micros());
            let row: Option<UserRow> = counted::query_as(Self::CONFIRM)
            .bind(login)
            .bind(open.upgraded.as_ref().map(PasswordHash::as_str))
            .bind(open.session.user_id.as_uuid())
            .bind(open.verified.as_str())
            .fetch_optional(self)
            .await?;
            row.map(User::try_from).transpose()
        }
    }
}

impl Store {
    /// Opens a session, ends those beyond the user's limit, and records the login. `None` where the
    /// account was deactivated or its password changed since it was checked.
    ///
    /// # Errors
    /// [`Error`] where the database fails.
    pub async fn open_session(&self, open: OpenSession, event: NewEvent) -> Result<Option<Opened>> {
        transact!(self, conn => {
            let Some(user) = conn.confirm_login(&open).await? else { return Ok(None) };
            let (session, beyond) = conn.insert_session(&open.session, open.max_sessions).await?;
            conn.write_down(&NewEvent { session: Some(session.id), ..event.clone() }).await?;
            conn.settle(&open.settlement).await?;
            let ended = match open.max_sessions.filter(|_| beyond) {
                None => Vec::new(),
                Some(keep) => {
                    let beyond = conn.beyond(user.id, session.id, keep, event.at).await?;
                    let end = EndSessions {
                        scope: Scope::These(beyond),
                        reason: EndReason::SessionLimit,
                        at: event.at,
                        actor: Some(user.id),
                        origin: event.origin,
                        note: None,
                    };
                    conn.end_sessions(&end).await?.unwrap_or_default()
                }
            };
            Ok(Some(Opened { user, session, ended }))
        })
    }
}
