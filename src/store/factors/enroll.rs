//! New second factors.

use crate::clock::Timestamp;
use crate::crypto::recovery_code::RecoveryCodeDigest;
use crate::domain::id::UserId;
use crate::domain::user::User;
use crate::store::audit::{Audit, NewEvent};
use crate::store::backend::metered;
use crate::store::email::outbox::{NewMail, Outbox};
use crate::store::email::spend::Spend;
use crate::store::error::Result;
use crate::store::factors::mark::{FactorsMark, Marks};
use crate::store::factors::spent::{SpendToken, Spent};
use crate::store::handle::Store;

/// Order to add an authenticator app to an account, in place of the one that it has.
#[derive(Clone, Debug)]
pub struct AddTotp {
    pub user: UserId,
    /// The token of the enrolment, which is used once.
    pub token: SpendToken,
    /// The mark that the account must still have.
    pub current: Option<FactorsMark>,
    pub next: FactorsMark,
    pub sealed_secret: Vec<u8>,
    /// The step of the code that confirmed it.
    pub step: i64,
    /// For an account that has none: new recovery codes.
    pub recovery_codes: Vec<RecoveryCodeDigest>,
    pub notice: Option<NewMail>,
    pub at: Timestamp,
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

        /// Adds the app. `None`, and nothing is changed, if the account's factors were changed, or the token
        /// was used.
        async fn add_totp(&mut self, order: &AddTotp) -> Result<Option<User>> {
            let Some(user) = self.lock_factors(order.user, order.current).await? else {
                return Ok(None);
            };
            if !self.spend_token(&order.token).await? {
                return Ok(None);
            }
            metered::query(
                "INSERT INTO totp (user_id, sealed_secret, last_step, confirmed_at) \
                 VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET \
                 sealed_secret = excluded.sealed_secret, last_step = excluded.last_step, \
                 confirmed_at = excluded.confirmed_at",
            )
            .bind(order.user.as_uuid())
            .bind(order.sealed_secret.clone())
            .bind(order.step)
            .bind(order.at.as_micros())
            .execute(&mut *self)
            .await?;
            self.mark_factors(order.user, order.next, None).await?;
            if !order.recovery_codes.is_empty() {
                self.replace_recovery_codes(order.user, &order.recovery_codes, order.at).await?;
            }
            Ok(Some(user))
        }
    }
}

impl Store {
    /// Adds an authenticator app in a session. `None`, and nothing is changed, if the account's factors were
    /// changed since it was asked for, or the token was used before.
    pub async fn enroll_totp(&self, order: AddTotp, event: NewEvent) -> Result<Option<User>> {
        transact!(self, conn => {
            let user = conn.add_totp(&order).await?;
            if user.is_some() {
                conn.record_event(&event).await?;
                conn.queue_mails(order.notice.as_slice()).await?;
            }
            Ok(user)
        })
    }
}
