//! [`Store::open_session`]: the only operation that inserts a session.

use sqlx::types::Uuid;

use crate::clock::Timestamp;
use crate::crypto::password::PasswordHash;
use crate::domain::authentication::Authentication;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::{EndReason, RefreshGrant, Session, SessionName};
use crate::domain::user::User;
use crate::store::accounts::create::{Accounts, NameTaken, NewUser};
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::credentials::Passwords;
use crate::store::email::order::{MailOrder, Order};
use crate::store::email::outbox::{NewMail, Outbox};
use crate::store::email::spend::{Spend, SpendChallenge};
use crate::store::error::{Error, Result};
use crate::store::factors::enroll::{AddTotp, Enroll};
use crate::store::factors::mark::{FactorsMark, Marks};
use crate::store::factors::use_factor::{Use, UseFactor};
use crate::store::handle::Store;
use crate::store::query::floor_sql::{below_a_floor, from_floors_over};
use crate::store::query::from_row::from_row;
use crate::store::query::rows::{SessionRow, ip_column, session_columns, user_agent_column};
use crate::store::session_ends::end_all::Ending;
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
    /// What the login showed. Its time is that of the creation.
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
    /// Mails to be queued with the session.
    pub mails: Vec<NewMail>,
    /// A challenge for the verification of the address, with its mail.
    pub verification: Option<MailOrder>,
}

/// What entitles the user to the session. The transaction that opens it checks that it still holds.
#[derive(Clone, Debug)]
pub enum Grounds {
    /// A password that was verified a moment ago.
    Password {
        /// The hash that the password was verified with. If the account has another hash by now, the
        /// password was changed meanwhile.
        verified: PasswordHash,
        /// The same password hashed with the current parameters, if the old hash is weaker.
        upgraded: Option<PasswordHash>,
        /// The mark of the second factors by which it was decided that the password is enough.
        factors: Option<FactorsMark>,
        settlement: Settlement,
    },
    /// A new account, which is created in the same transaction.
    Registration(NewUser),
    /// A code or a link of a mail, which is spent in the same transaction.
    Challenge(SpendChallenge),
    /// A second factor for the challenge of a first step. Both are used in the same transaction.
    SecondStep(SpendChallenge, UseFactor),
    /// A factor that is enrolled for the challenge of a first step, in the same transaction.
    Enrolment(SpendChallenge, Box<AddTotp>),
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

/// The reason why no session was opened, and nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// Since the password was verified it or the second factors were changed, the account was deactivated, or
    /// another login has upgraded the hash.
    GroundsChanged,
    /// The second factor was used before. The challenge has not been spent.
    FactorUsed,
    NameTaken(NameTaken),
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
                     second_factor_at, strong_factor_at) \
                     SELECT $1, $2, $3, $4, $5, $5, $6, $6, $7, $8, $9, 0, $10, $11, $14, $15, $16, $17 \
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

steps! {
    trait CheckGrounds {
        /// Locks or creates the account.
        async fn check_grounds(
            &mut self,
            open: &OpenSession,
        ) -> Result<Result<(User, Ending), NotOpened>> {
            let NewSession { user_id, created_at, .. } = open.session;
            match &open.grounds {
                Grounds::Password { verified, upgraded, factors, .. } => {
                    let last_login = open.record_login.then_some(created_at);
                    let user = self.confirm_password(user_id, verified, last_login).await?;
                    let Some(user) = user else { return Ok(Err(NotOpened::GroundsChanged)) };
                    if self.factors_mark(user_id).await? != *factors {
                        return Ok(Err(NotOpened::GroundsChanged));
                    }
                    if let Some(upgraded) = upgraded {
                        self.upgrade_hash(user_id, upgraded).await?;
                    }
                    Ok(Ok((user, Ending::default())))
                }
                Grounds::Registration(new) => {
                    let created = self.create_account(new).await?;
                    Ok(created.map(|user| (user, Ending::default())).map_err(NotOpened::NameTaken))
                }
                Grounds::Challenge(order)
                | Grounds::SecondStep(order, _)
                | Grounds::Enrolment(order, _) => {
                    // Before the challenge, which has other attempts. The lock comes first, as everywhere.
                    if let Grounds::SecondStep(_, used) = &open.grounds {
                        self.lock_account(user_id).await?;
                        if !self.use_factor(user_id, used).await? {
                            return Ok(Err(NotOpened::FactorUsed));
                        }
                    }
                    let Some(spent) = self.spend(order).await? else {
                        return Ok(Err(NotOpened::GroundsChanged));
                    };
                    if let Grounds::Enrolment(_, order) = &open.grounds
                        && self.add_totp(order).await?.is_none()
                    {
                        return Ok(Err(NotOpened::GroundsChanged));
                    }
                    let user = if open.record_login {
                        self.record_login(user_id, created_at).await?.unwrap_or(spent.user)
                    } else {
                        spent.user
                    };
                    Ok(Ok((user, spent.ending)))
                }
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
        transact!(self, conn => {
            let (user, ending) = match conn.check_grounds(&open).await? {
                Ok(grounds) => grounds,
                Err(not_opened) => return Ok(Err(not_opened)),
            };
            let (session, may_exceed) =
                conn.insert_session(&open.session, open.max_sessions).await?;
            conn.record_event(&NewEvent { session: Some(session.id), ..event.clone() }).await?;
            conn.queue_mails(&open.mails).await?;
            if let Some(verification) = &open.verification {
                conn.order_mail(verification).await?;
            }
            if let Grounds::Password { settlement, .. } = &open.grounds {
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
