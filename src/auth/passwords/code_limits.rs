//! Limits on guessing codes across challenges.
//!
//! A challenge allows five attempts, and anybody can request another one. So wrong codes are also counted by
//! the name that was entered, whether or not it has an account. A right password does not reset this count:
//! it is what a second step protects from.

use super::Passwords;
use crate::auth::error::Error;
use crate::auth::user_error::UserError;
use crate::domain::audit::AuditKind;
use crate::domain::throttle::{Bucket, CODE};
use crate::store::{Charge, NewEvent};

/// An attempt with a code that may be made, and the count that it is charged to if it is wrong.
pub(in crate::auth) struct CodeGuess(Vec<Charge>);

impl Passwords {
    /// Admits an attempt with a code, by the digest of the name that its challenge is for.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub(in crate::auth) async fn admit_code(&self, account: Bucket) -> Result<CodeGuess, Error> {
        if !self.limits.is_on {
            return Ok(CodeGuess(Vec::new()));
        }
        let charge = Charge { account: Some(account), ..self.limits.charge(CODE, &[&account.0]) };
        let tallies = self.store.tallies(&[charge.bucket]).await?;
        match charge.limit.wait(tallies.get(&charge.bucket), 0, self.clock.now()) {
            Some(wait) => Err(UserError::rate_limited(wait).into()),
            None => Ok(CodeGuess(vec![charge])),
        }
    }

    /// Counts and records a wrong code.
    pub(in crate::auth) async fn count_wrong_code(
        &self,
        guess: CodeGuess,
        failed: NewEvent,
    ) -> Result<(), Error> {
        let limited = NewEvent { kind: AuditKind::RateLimited, ..failed.clone() };
        self.store.charge_failure(guess.0, None, failed, limited).await?;
        Ok(())
    }
}
