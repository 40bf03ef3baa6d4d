//! Limits on guessing codes across challenges.
//!
//! A challenge allows five attempts, and anybody can request another one. So wrong codes are also counted by
//! the name that was entered, whether or not it has an account. A right password does not reset this count:
//! it is what a second step protects from.
//!
//! Every attempt is counted before its code is compared, by the one statement that checks the limit, and a
//! right code takes its count back. So attempts at once, on any number of challenges, cannot exceed it.

use super::Passwords;
use crate::auth::error::Error;
use crate::auth::user_error::UserError;
use crate::domain::audit::AuditKind;
use crate::domain::throttle::{Bucket, CODE};
use crate::store::{Charge, NewEvent, Settlement};

/// An attempt with a code that was counted as a wrong one.
#[must_use]
pub(in crate::auth) struct CodeGuess {
    /// `None` without limits.
    counted: Option<Bucket>,
    /// The name of the limit that this attempt exhausted.
    closed: Option<&'static str>,
}

impl Passwords {
    /// Admits and counts an attempt with a code, by the digest of the name that its challenge is for.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub(in crate::auth) async fn admit_code(&self, account: Bucket) -> Result<CodeGuess, Error> {
        if !self.limits.is_on {
            return Ok(CodeGuess { counted: None, closed: None });
        }
        let charge = Charge { account: Some(account), ..self.limits.charge(CODE, &[&account.0]) };
        let charged = self.store.charge(vec![charge], self.clock.now()).await?;
        match charged.refused {
            Some(wait) => Err(UserError::rate_limited(wait).into()),
            None => Ok(CodeGuess { counted: Some(charge.bucket), closed: charged.closed }),
        }
    }

    /// Takes back the count of an attempt that was no wrong guess.
    pub(in crate::auth) async fn refund_code(&self, guess: CodeGuess) -> Result<(), Error> {
        let refund = guess.counted.into_iter().collect();
        Ok(self.store.settle(Settlement { refund, ..Settlement::default() }).await?)
    }

    /// Records a wrong code.
    pub(in crate::auth) async fn record_wrong_code(
        &self,
        guess: CodeGuess,
        failed: NewEvent,
    ) -> Result<(), Error> {
        let limited = NewEvent { kind: AuditKind::RateLimited, ..failed.clone() };
        self.store.charge_failure(Vec::new(), guess.closed, failed, limited).await?;
        Ok(())
    }
}
