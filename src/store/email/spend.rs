//! Spending of challenges: the one step by which a code or a link takes effect.
//!
//! A challenge is spent by one conditional statement in the transaction of what it leads to, so that of any
//! number of concurrent uses one takes effect. It is worthless if the account is not what it was: another
//! password, another address, deactivated or deleted.
//!
//! The first proof of an address ends what was there before it: sessions, password, other challenges. A
//! person who registers somebody else's address must not stay in the account once its owner proves it.

use sqlx::{PgConnection, SqliteConnection};

use crate::clock::Timestamp;
use crate::crypto::digest::sha256;
use crate::crypto::password::{PasswordHash, PasswordScheme};
use crate::domain::audit::AuditKind;
use crate::domain::id::{ChallengeId, SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::domain::user::{Email, User};
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::credentials::Passwords;
use crate::store::email::challenge_row::PasswordMark;
use crate::store::email::challenges::Challenges;
use crate::store::error::Result;
use crate::store::factors::mark::{FactorsMark, Marks};
use crate::store::factors::strip::Strip;
use crate::store::handle::Store;
use crate::store::query::rows::{UserRow, user_columns};
use crate::store::session_ends::end_all::{EndAll, Ending};
use crate::store::session_ends::end_order::{EndSessions, Scope};

/// Order to spend a challenge of an account.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a condition of its own")]
pub struct SpendChallenge {
    pub id: ChallengeId,
    pub user: UserId,
    /// The mark of the password that the account had when the challenge was stored.
    pub password: Option<PasswordMark>,
    /// The mark of the second factors that the account had when the challenge was stored. Compared only where
    /// it leads to a login.
    pub factors: Option<FactorsMark>,
    /// Whether it leads to a session, or to the next step of a login.
    pub is_login: bool,
    /// Whether it was decided that the second factors go, as somebody else's: by the first proof of the address.
    pub must_strip: bool,
    /// Canonical form of the address that the account must still have.
    pub email_key: Option<String>,
    /// Whether it was answered by a mail to the account's address, which verifies that.
    pub is_by_mail: bool,
    /// Whether the browser that registered the account, or a session of it, spends the challenge: then a
    /// first proof of the address ends nothing.
    pub is_same_browser: bool,
    /// Whether an attempt was taken for it beforehand, so that it may have been the last one.
    pub has_attempt: bool,
    /// A new password, which ends all sessions.
    pub new_password: Option<PasswordHash>,
    pub at: Timestamp,
    pub origin: Origin,
}

/// A challenge that was spent.
#[derive(Clone, Debug)]
pub struct Spent {
    pub user: User,
    /// Sessions that ended by it.
    pub ending: Ending,
    /// Whether this was the first proof of the address.
    pub is_first_proof: bool,
}

impl PasswordMark {
    #[must_use]
    pub fn of(hash: &PasswordHash) -> Self {
        Self(sha256(hash.as_str().as_bytes()))
    }
}

trait LockHash {
    const LOCK_HASH: &str;
}

/// SQLite has one writer at a time.
impl LockHash for SqliteConnection {
    const LOCK_HASH: &str = "SELECT scheme, hash FROM password_credentials WHERE user_id = $1";
}

impl LockHash for PgConnection {
    const LOCK_HASH: &str =
        "SELECT scheme, hash FROM password_credentials WHERE user_id = $1 FOR NO KEY UPDATE";
}

steps! {
    pub(in crate::store) trait Spend {
        /// Marks the challenge as used. `false` if it was used before, has expired, or less than `least`
        /// attempts are left.
        async fn mark_used(
            &mut self,
            challenge: ChallengeId,
            least: i32,
            at: Timestamp,
        ) -> Result<bool> {
            let done = metered::query(
                "UPDATE challenges SET used_at = $2 WHERE id = $1 AND used_at IS NULL \
                 AND expires_at > $2 AND attempts_left >= $3",
            )
            .bind(challenge.as_uuid())
            .bind(at.as_micros())
            .bind(least)
            .execute(self)
            .await?;
            Ok(done.rows_affected() > 0)
        }

        /// Locks the account. Also returns the mark of its password.
        async fn lock_account(
            &mut self,
            user: UserId,
        ) -> Result<Option<(User, Option<PasswordMark>)>> {
            let row: Option<(String, String)> = metered::query_as(Self::LOCK_HASH)
                .bind(user.as_uuid())
                .fetch_optional(&mut *self)
                .await?;
            // A hash of a scheme that this version does not know counts as none, as everywhere.
            let row = row.filter(|(scheme, _)| PasswordScheme::parse(scheme).is_some());
            let mark = row.map(|(_, hash)| PasswordMark(sha256(hash.as_bytes())));
            let user = self.lock_user(user).await?;
            Ok(user.filter(User::is_active).map(|user| (user, mark)))
        }

        async fn verify_address(&mut self, user: UserId, at: Timestamp) -> Result<Option<User>> {
            let row: Option<UserRow> = metered::query_as(concat!(
                "UPDATE users SET email_verified_at = $2 WHERE id = $1 RETURNING ",
                user_columns!()
            ))
            .bind(user.as_uuid())
            .bind(at.as_micros())
            .fetch_optional(self)
            .await?;
            row.map(User::try_from).transpose()
        }

        /// Locks the account, if the challenge is still worth something: it is open, and the account is what it
        /// was.
        async fn may_spend(&mut self, order: &SpendChallenge) -> Result<Option<User>> {
            let Some((user, mark)) = self.lock_account(order.user).await? else {
                return Ok(None);
            };
            let email_key = user.names.email().map(Email::key);
            if email_key != order.email_key.as_deref() || mark != order.password {
                return Ok(None);
            }
            if order.is_login && self.factors_mark(order.user).await? != order.factors {
                return Ok(None);
            }
            let found: Option<i32> = metered::query_scalar(
                "SELECT 1 FROM challenges WHERE id = $1 AND used_at IS NULL AND expires_at > $2 \
                 AND attempts_left >= $3",
            )
            .bind(order.id.as_uuid())
            .bind(order.at.as_micros())
            .bind(least_attempts(order))
            .fetch_optional(self)
            .await?;
            Ok(found.map(|_| user))
        }

        /// Spends a challenge, verifies its address if it was answered by a mail, and sets the new
        /// password. `None`, and nothing is changed, if it is worthless.
        async fn spend(&mut self, order: &SpendChallenge) -> Result<Option<Spent>> {
            let Some(mut user) = self.may_spend(order).await? else { return Ok(None) };
            let is_first_proof = order.is_by_mail && user.email_verified_at.is_none();
            let strips = is_first_proof && !order.is_same_browser;
            if order.must_strip && !strips {
                return Ok(None);
            }
            if !self.mark_used(order.id, least_attempts(order), order.at).await? {
                return Ok(None);
            }
            if is_first_proof {
                user = self.verify_address(order.user, order.at).await?.unwrap_or(user);
                self.record_event(&event(AuditKind::EmailVerified, order)).await?;
            }
            if let Some(hash) = &order.new_password {
                self.update_password(order.user, None, hash, order.at).await?;
                // With the time of the change.
                user = self.lock_user(order.user).await?.unwrap_or(user);
                self.record_event(&event(AuditKind::PasswordReset, order)).await?;
            } else if strips {
                self.delete_password(order.user).await?;
            }
            if strips && self.strip_factors(order.user).await? {
                let removed = event(AuditKind::FactorRemoved, order);
                let detail = Some("all, by the first proof of the address");
                self.record_event(&NewEvent { detail, ..removed }).await?;
            }
            if strips || order.new_password.is_some() {
                self.delete_challenges(order.user).await?;
            }
            let reason = match (&order.new_password, strips) {
                (Some(_), _) => EndReason::PasswordReset,
                (None, true) => EndReason::EmailVerified,
                (None, false) => {
                    return Ok(Some(Spent { user, ending: Ending::default(), is_first_proof }));
                }
            };
            let ending = self.end_by_proof(order, reason).await?;
            Ok(Some(Spent { user, ending, is_first_proof }))
        }

        /// Ends all sessions of the account whose challenge was spent.
        async fn end_by_proof(
            &mut self,
            order: &SpendChallenge,
            reason: EndReason,
        ) -> Result<Ending> {
            let end = EndSessions {
                scope: Scope::User(order.user),
                reason,
                at: order.at,
                actor: Some(order.user),
                origin: order.origin.clone(),
                note: None,
            };
            self.end_all(&end).await
        }
    }
}

/// Attempts that must be left.
fn least_attempts(order: &SpendChallenge) -> i32 {
    i32::from(!order.has_attempt)
}

fn event(kind: AuditKind, order: &SpendChallenge) -> NewEvent {
    NewEvent {
        kind,
        at: order.at,
        user: Some(order.user),
        actor: Some(order.user),
        session: None::<SessionId>,
        origin: order.origin.clone(),
        detail: None,
    }
}

impl Store {
    /// Spends a challenge that leads to no session. `None` if it is worthless.
    pub async fn spend_challenge(&self, order: SpendChallenge) -> Result<Option<Spent>> {
        transact!(self, conn => conn.spend(&order).await)
    }
}
