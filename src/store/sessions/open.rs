//! A new session: login.

use sqlx::types::Uuid;
use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::crypto::password::PasswordHash;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::{EndReason, RefreshGrant, Session, SessionName};
use crate::domain::user::User;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::floor_sql::{below_a_floor, from_floors_over, global_floor_lock};
use crate::store::query::rows::{
    SessionRow, UserRow, ip_column, session_columns, user_agent_column, user_columns,
};
use crate::store::session_ends::end_order::{EndSessions, Scope};
use crate::store::session_ends::end_rows::EndRows;
use crate::store::session_ends::ended_session::EndedSession;
use crate::store::sessions::session_limit::SessionLimit;
use crate::store::throttle::{Settlement, Throttle};

#[derive(Clone, Debug)]
pub struct NewSession {
    pub id: SessionId,
    pub user_id: UserId,
    pub name: Option<SessionName>,
    pub origin: Origin,
    pub created_at: Timestamp,
    /// The first refresh token.
    pub token: RefreshGrant,
    pub access_expires_at: Timestamp,
    /// Upper bound of all later refresh tokens' expiry: a whole second.
    pub absolute_expires_at: Option<Timestamp>,
}

/// A login whose password was verified a moment ago.
#[derive(Clone, Debug)]
pub struct OpenSession {
    pub session: NewSession,
    /// The hash that the password was verified with. If the account has another hash by now, the password
    /// was changed meanwhile, and the login fails.
    pub verified: PasswordHash,
    /// The same password hashed with the current parameters, if the old hash is weaker.
    pub upgraded: Option<PasswordHash>,
    /// Whether to update the account's last login.
    pub record_login: bool,
    /// Maximum number of live sessions per user; the oldest ones beyond it end.
    pub max_sessions: Option<u32>,
    pub settlement: Settlement,
}

#[derive(Clone, Debug)]
pub struct Opened {
    pub user: User,
    pub session: Session,
    /// Sessions that ended because of the limit.
    pub ended: Vec<EndedSession>,
}

#[derive(sqlx::FromRow)]
struct InsertedRow {
    #[sqlx(flatten)]
    session: SessionRow,
    over_limit: Option<i32>,
}

/// Updates and locks the account, unless its password changed or it was deactivated.
macro_rules! confirm {
    ($($lock:tt)*) => {
        concat!(
            "UPDATE users SET last_login_at = COALESCE($1, last_login_at), \
             password_hash = COALESCE($2, password_hash) \
             WHERE id = $3 AND password_hash = $4 AND deactivated_at IS NULL RETURNING ",
            user_columns!(),
            $($lock)*
        )
    };
}

trait Confirm {
    const CONFIRM: &str;
}

/// SQLite has one writer at a time.
impl Confirm for SqliteConnection {
    const CONFIRM: &str = confirm!("");
}

impl Confirm for PgConnection {
    const CONFIRM: &str = confirm!(global_floor_lock!());
}

steps! {
    /// Steps of a login.
    pub(in crate::store) trait Open {
        /// Inserts a session. Also returns whether other sessions of the user may exceed `keep`: an upper
        /// bound, since rows below a floor count until they are ended. If the id is below a floor, because
        /// of a clock that is behind, the session gets an id above it: it is opened after the floor.
        async fn insert_session(
            &mut self,
            new: &NewSession,
            keep: Option<u32>,
        ) -> Result<(Session, bool)> {
            let mut id = new.id;
            loop {
                let row: Option<InsertedRow> = metered::query_as(concat!(
                    "INSERT INTO sessions (id, user_id, name, user_agent, ip, last_ip, created_at, \
                     last_used_at, token_id, token_issued_at, token_expires_at, generation, \
                     access_expires_at, absolute_expires_at) \
                     SELECT $1, $2, $3, $4, $5, $5, $6, $6, $7, $8, $9, 0, $10, $11 WHERE NOT ",
                    below_a_floor!("$1", "$2"),
                    " RETURNING ",
                    session_columns!(),
                    ", (SELECT 1 FROM sessions AS others WHERE others.user_id = $2 \
                     AND others.ended_at IS NULL AND others.id <> $1 LIMIT $12 OFFSET $13) AS over_limit"
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
                    return Ok((row.session.try_into()?, row.over_limit.is_some()));
                }
                let floor: Option<Uuid> = metered::query_scalar(concat!(
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

        /// Locks the account. `None` if its password is not the verified one any more, or the account is
        /// not active.
        async fn confirm_login(&mut self, open: &OpenSession) -> Result<Option<User>> {
            let login = open.record_login.then(|| open.session.created_at.as_micros());
            let row: Option<UserRow> = metered::query_as(Self::CONFIRM)
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
    /// Opens a session, ends those beyond the user's limit, and records the login. `None` if the account
    /// was deactivated or its password changed since it was verified.
    pub async fn open_session(&self, open: OpenSession, event: NewEvent) -> Result<Option<Opened>> {
        transact!(self, conn => {
            let Some(user) = conn.confirm_login(&open).await? else { return Ok(None) };
            let (session, may_exceed) = conn.insert_session(&open.session, open.max_sessions).await?;
            conn.record_event(&NewEvent { session: Some(session.id), ..event.clone() }).await?;
            conn.settle(&open.settlement).await?;
            let ended = match open.max_sessions.filter(|_| may_exceed) {
                None => Vec::new(),
                Some(keep) => {
                    let excess = conn.sessions_over_limit(user.id, session.id, keep, event.at).await?;
                    let end = EndSessions {
                        scope: Scope::These(excess),
                        reason: EndReason::SessionLimit,
                        at: event.at,
                        actor: Some(user.id),
                        origin: event.origin,
                        note: None,
                    };
                    conn.end_rows(&end).await?.unwrap_or_default()
                }
            };
            Ok(Some(Opened { user, session, ended }))
        })
    }
}
