//! New second factors.

use crate::clock::Timestamp;
use crate::crypto::recovery_code::RecoveryCodeDigest;
use crate::domain::id::{PasskeyId, UserId};
use crate::domain::passkey::Passkey;
use crate::domain::user::User;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::email::outbox::{NewMail, Outbox};
use crate::store::email::spend::Spend;
use crate::store::error::Result;
use crate::store::factors::mark::{FactorsMark, Marks};
use crate::store::factors::passkeys::Passkeys;
use crate::store::factors::spent::{SpendToken, Spent};
use crate::store::handle::Store;
use crate::store::sessions::live::LiveSession;

/// Order to add a second factor to an account.
#[derive(Clone, Debug)]
pub struct AddFactor {
    pub user: UserId,
    /// The token of the enrollment, which is used once; `None` where it was used up before.
    pub token: Option<SpendToken>,
    /// The mark that the account must still have.
    pub current: Option<FactorsMark>,
    pub next: FactorsMark,
    pub factor: NewFactor,
    /// For an account that has none: new recovery codes.
    pub recovery_codes: Vec<RecoveryCodeDigest>,
    pub at: Timestamp,
}

/// A factor that was confirmed.
#[derive(Clone, Debug)]
pub enum NewFactor {
    /// An authenticator app, in place of the one that the account has.
    Totp {
        sealed_secret: Vec<u8>,
        /// The step of the code that confirmed it.
        step: i64,
    },
    Passkey {
        id: PasskeyId,
        passkey: Box<Passkey>,
        name: String,
    },
}

steps! {
    pub(in crate::store) trait Enroll {
        /// Replaces the account's recovery codes.
        async fn replace_recovery_codes(
            &mut self,
            user: UserId,
            codes: &[RecoveryCodeDigest],
            at: Timestamp,
        ) -> Result<()> {
            metered::query("DELETE FROM recovery_codes WHERE user_id = $1")
                .bind(user.as_uuid())
                .execute(&mut *self)
                .await?;
            for code in codes {
                metered::query(
                    "INSERT INTO recovery_codes (user_id, code_hash, created_at) VALUES ($1, $2, $3)",
                )
                .bind(user.as_uuid())
                .bind(code.0.to_vec())
                .bind(at.as_micros())
                .execute(&mut *self)
                .await?;
            }
            Ok(())
        }

        /// Locks the account, if it is active and its factors are as they were.
        async fn lock_factors(
            &mut self,
            user: UserId,
            current: Option<FactorsMark>,
        ) -> Result<Option<User>> {
            let Some((account, _)) = self.lock_account(user).await? else { return Ok(None) };
            let is_current = self.factors_mark(user).await? == current;
            Ok(Some(account).filter(|_| is_current))
        }

        /// Adds the factor. `None`, and nothing is changed, if the account's factors were changed, or the
        /// token was used.
        async fn add_factor(&mut self, order: &AddFactor) -> Result<Option<User>> {
            let Some(user) = self.lock_factors(order.user, order.current).await? else {
                return Ok(None);
            };
            if let Some(token) = &order.token
                && !self.spend_token(token).await?
            {
                return Ok(None);
            }
            match &order.factor {
                NewFactor::Totp { sealed_secret, step } => {
                    self.replace_totp(order.user, sealed_secret, *step, order.at).await?;
                }
                NewFactor::Passkey { id, passkey, name } => {
                    // Registered since it was looked up, by another account.
                    if !self.insert_passkey(order.user, *id, passkey, name, order.at).await? {
                        return Ok(None);
                    }
                }
            }
            self.mark_factors(order.user, order.next, None).await?;
            if !order.recovery_codes.is_empty() {
                self.replace_recovery_codes(order.user, &order.recovery_codes, order.at).await?;
            }
            Ok(Some(user))
        }

        async fn replace_totp(
            &mut self,
            user: UserId,
            sealed_secret: &[u8],
            step: i64,
            at: Timestamp,
        ) -> Result<()> {
            metered::query(
                "INSERT INTO totp (user_id, sealed_secret, last_step, confirmed_at) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET \
                 sealed_secret = excluded.sealed_secret, last_step = excluded.last_step, \
                 confirmed_at = excluded.confirmed_at",
            )
            .bind(user.as_uuid())
            .bind(sealed_secret.to_vec())
            .bind(step)
            .bind(at.as_micros())
            .execute(self)
            .await?;
            Ok(())
        }
    }
}

impl Store {
    /// Adds a factor in a session, which the event names. `None`, and nothing is changed, if that has ended, the
    /// account's factors were changed since it was asked for, or the token was used before.
    pub async fn enroll(
        &self,
        order: AddFactor,
        event: NewEvent,
        mails: Vec<NewMail>,
    ) -> Result<Option<User>> {
        transact!(self, conn => {
            if let Some(session) = event.session
                && !conn.is_live_session(session, order.user, order.at).await?
            {
                return Ok(None);
            }
            let user = conn.add_factor(&order).await?;
            if user.is_some() {
                conn.record_event(&event).await?;
                conn.queue_mails(&mails).await?;
            }
            Ok(user)
        })
    }
}
