//! What the database knows about a refresh token that is not the outstanding one.

use crate::clock::Timestamp;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::origin::{Origin, UserAgent};
use crate::domain::session::Session;
use crate::domain::user_claims::UserClaims;
use crate::store::backend::metered;
use crate::store::error::{Error, Result};
use crate::store::handle::Store;
use crate::store::query::floor_sql::from_floors_over;
use crate::store::query::from_row::from_row;
use crate::store::query::rows::{ClaimsRow, SessionRow, ip_from_column, session_columns};
use crate::store::session_ends::floor::FloorId;
use crate::store::sessions::refresh_retry::LoggedRetries;

/// A presented refresh token and its session.
#[derive(Clone, Debug)]
pub struct KnownToken {
    pub session: Session,
    /// What access tokens say of the session's user.
    pub claims: UserClaims,
    pub user_is_active: bool,
    /// When it was replaced by a rotation; `None` if its blacklist entry was deleted or never existed.
    pub rotated_at: Option<Timestamp>,
    /// Origin of that rotation, as far as it is still stored.
    pub rotated_from: Origin,
    pub logged: LoggedRetries,
    /// When the rate limit of the session is fully available again.
    pub limit_until: Option<Timestamp>,
}

from_row! {
    struct KnownTokenRow {
        #[flatten]
        session: SessionRow,
        #[flatten]
        claims: ClaimsRow,
        deactivated_at: Option<i64>,
        entered_at: Option<i64>,
        floor: Option<i64>,
        entry_ip: Option<Vec<u8>>,
        entry_agent: Option<String>,
        logged_retries: i32,
        refresh_limit_until: Option<i64>,
    }
}

impl TryFrom<KnownTokenRow> for KnownToken {
    type Error = Error;

    fn try_from(row: KnownTokenRow) -> Result<Self> {
        Ok(Self {
            claims: row.claims.into(),
            user_is_active: row.deactivated_at.is_none(),
            rotated_at: row.entered_at.map(Timestamp::from_micros),
            rotated_from: Origin {
                ip: ip_from_column(row.entry_ip)?,
                user_agent: row.entry_agent.and_then(|text| UserAgent::parse(&text)),
            },
            logged: LoggedRetries::from_column(row.logged_retries),
            limit_until: row.refresh_limit_until.map(Timestamp::from_micros),
            session: row.session.try_into()?,
        })
    }
}

impl Store {
    /// `None` if the user has no session with this id.
    pub async fn known_token(
        &self,
        user: UserId,
        session: SessionId,
        token: TokenId,
    ) -> Result<Option<KnownToken>> {
        let row: Option<KnownTokenRow> = read!(self, conn => Ok::<_, Error>(metered::query_as(concat!(
            "SELECT ", session_columns!(), ", sessions.logged_retries, sessions.refresh_limit_until, \
             users.role, users.external_id, users.deactivated_at, entry.blacklisted_at AS entered_at, \
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
        let mut known = KnownToken::try_from(row)?;
        if let (None, Some(floor)) = (&known.session.end, floor) {
            known.session.end = self.floor(FloorId(floor)).await?.map(|floor| floor.end());
        }
        Ok(Some(known))
    }
}
