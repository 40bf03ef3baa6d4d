//! [`Store::open_session`]: the only operation that inserts a session.

use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::domain::authentication::Authentication;
use crate::domain::id::{SessionId, TrustedDeviceId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::{EndReason, RefreshGrant, Session, SessionName};
use crate::domain::user::{Role, User};
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::email::order::{MailOrder, Order};
use crate::store::email::outbox::{NewMail, Outbox};
use crate::store::error::{Error, Result};
use crate::store::factors::trusted_devices::{NewTrustedDevice, TrustDevices};
use crate::store::foreign_tokens::exchange::ExchangeTokens;
use crate::store::handle::Store;
use crate::store::query::floor_sql::{below_a_floor, from_floors_over};
use crate::store::query::from_row::from_row;
use crate::store::query::rows::{SessionRow, ip_column, session_columns, user_agent_column};
use crate::store::session_ends::end_all::Ending;
use crate::store::session_ends::end_order::{EndSessions, Scope};
use crate::store::session_ends::end_rows::EndRows;
use crate::store::session_ends::ended_session::EndedSession;
use crate::store::sessions::grounds::{CheckGrounds, Grounds, NotOpened};
use crate::store::sessions::session_limit::SessionLimit;
use crate::store::throttle::Throttle;

#[derive(Clone, Debug)]
pub struct NewSession {
    pub id: SessionId,
    pub user_id: UserId,
    pub name: Option<SessionName>,
    pub origin: Origin,
    pub created_at: Timestamp,
    /// What the login showed, and when.
    pub authentication: Authentication,
    /// The first refresh token.
    pub token: RefreshGrant,
    pub access_expires_at: Timestamp,
    /// Upper bound of all later refresh tokens' expiry: a whole second.
    pub absolute_expires_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct OpenSession {
    pub session: NewSession,
    pub grounds: Grounds,
    /// Whether to update the account's last login.
    pub record_login: bool,
    /// Maximum number of live sessions per user; the oldest ones beyond it end.
    pub max_sessions: Option<u32>,
    /// The role by which it was decided that the grounds are enough, where that depends on it.
    pub judged_role: Option<Role>,
    /// The device on which the second factor was not asked for: it must still be trusted.
    pub trusted_device: Option<TrustedDeviceId>,
    /// A device to be trusted from now on.
    pub trust: Option<NewTrustedDevice>,
    /// Events beside that of the login.
    pub events: Vec<NewEvent>,
    /// Mails to be queued with the session.
    pub mails: Vec<NewMail>,
    /// A challenge for the verification of the address, with its mail.
    pub verification: Option<MailOrder>,
}

#[derive(Clone, Debug)]
pub struct Opened {
    pub user: User,
    pub session: Session,
    /// Sessions that ended because of the limit.
    pub ended: Vec<EndedSession>,
    /// Sessions that the spent challenge ended.
    pub ending: Ending,
}

from_row! {
    struct InsertedRow {
        #[flatten]
        session: SessionRow,
        over_limit: Option<i32>,
    }
}

steps! {
    trait InsertSession {
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
                     access_expires_at, absolute_expires_at, methods, assurance, \
                     second_factor_at, strong_factor_at, authenticated_at) \
                     SELECT $1, $2, $3, $4, $5, $5, $6, $6, $7, $8, $9, 0, $10, $11, $14, $15, $16, $17, $18 \
                     WHERE NOT ",
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
                .bind(new.authentication.methods.bits())
                .bind(new.authentication.assurance.rank())
                .bind(new.authentication.second_factor_at.map(Timestamp::as_micros))
                .bind(new.authentication.strong_factor_at.map(Timestamp::as_micros))
                .bind(new.authentication.at.as_micros())
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
    }
}

impl Store {
    /// Opens a session, ends those beyond the user's limit, and records the event.
    pub async fn open_session(
        &self,
        open: OpenSession,
        event: NewEvent,
    ) -> Result<Result<Opened, NotOpened>> {
        let last_login = open.record_login.then_some(open.session.created_at);
        let (user, now) = (open.session.user_id, open.session.created_at);
        transact!(self, conn => {
            // Before anything is used up.
            if let Some(device) = open.trusted_device
                && !conn.is_trusted(user, device, now).await?
            {
                return Ok(Err(NotOpened::GroundsChanged));
            }
            let (user, ending) = match conn.check_grounds(user, &open.grounds, last_login).await? {
                Ok(grounds) => grounds,
                Err(not_opened) => return Ok(Err(not_opened)),
            };
            // Another role may need a second factor: nothing of this stays, and the client tries again.
            if open.judged_role.is_some_and(|role| role != user.role) {
                return Err(Error::LostRace);
            }
            if let Some(trust) = &open.trust {
                conn.trust_device(user.id, trust).await?;
            }
            let (session, may_exceed) =
                conn.insert_session(&open.session, open.max_sessions).await?;
            if let Grounds::ForeignToken(exchange) = &open.grounds {
                conn.note_exchange(exchange, session.id).await?;
            }
            for event in [&event].into_iter().chain(&open.events) {
                conn.record_event(&NewEvent { session: Some(session.id), ..event.clone() }).await?;
            }
            conn.queue_mails(&open.mails).await?;
            if let Some(verification) = &open.verification {
                conn.order_mail(verification).await?;
            }
            if let Some(settlement) = open.grounds.settlement() {
                // Late, since other logins wait for these rows.
                conn.settle(settlement).await?;
            }
            let ended = match open.max_sessions.filter(|_| may_exceed) {
                None => Vec::new(),
                Some(keep) => {
                    let excess =
                        conn.sessions_over_limit(user.id, session.id, keep, event.at).await?;
                    let end = EndSessions {
                        scope: Scope::These(excess),
                        reason: EndReason::SessionLimit,
                        at: event.at,
                        actor: Some(user.id),
                        origin: event.origin,
                        note: None,
                    };
                    conn.end_rows(&end, end.reason.as_str()).await?.unwrap_or_default()
                }
            };
            Ok(Ok(Opened { user, session, ended, ending }))
        })
    }
}
