//! Limits on guessing codes across challenges.
//!
//! A challenge allows five attempts, and anybody can request another one. So wrong codes are also counted by
//! the name that was entered, whether or not it has an account. A right password does not reset this count:
//! it is what a second step protects from.
//!
//! Every attempt is counted before its code is compared, by the one statement that checks the limit, and a
//! right code takes its count back. So attempts at once, on any number of challenges, cannot exceed it.
//!
//! Codes of second factors are counted likewise, each kind for itself: whoever uses up the attempts of one
//! kind, with a stolen password, leaves the user the others, and those where the user was logged in before. In a
//! live session they are counted by the session, and by all sessions of the account together, so that a thief
//! of an access token cannot lock the user out of logins.

use super::Passwords;
use crate::auth::error::Error;
use crate::auth::user_error::UserError;
use crate::domain::audit::AuditKind;
use crate::domain::authentication::FactorUsed;
use crate::domain::id::SessionId;
use crate::domain::origin::Origin;
use crate::domain::throttle::{Bucket, CODE, FACTOR, FACTOR_IN_SESSIONS};
use crate::domain::user::User;
use crate::store::{Charge, NewEvent, Settlement};

/// An attempt with a code that was counted as a wrong one.
#[derive(Debug, Default)]
#[must_use]
pub(in crate::auth) struct CodeGuess {
    /// Empty without limits.
    counted: Vec<Bucket>,
    /// The name of the limit that this attempt exhausted.
    closed: Option<&'static str>,
}

impl CodeGuess {
    /// Takes back the count, in the transaction of what the right code leads to.
    pub(in crate::auth) fn settlement(&self) -> Settlement {
        Settlement { refund: self.counted.clone(), ..Settlement::default() }
    }
}

impl Passwords {
    /// Admits and counts an attempt with a second factor: at a login, or in a live session.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub(in crate::auth) async fn admit_factor(
        &self,
        factor: FactorUsed,
        user: &User,
        session: Option<SessionId>,
        origin: &Origin,
    ) -> Result<CodeGuess, Error> {
        let kind: &[u8] = match factor {
            FactorUsed::Totp => b"totp",
            FactorUsed::RecoveryCode => b"recovery code",
            // It cannot be guessed.
            FactorUsed::Passkey { .. } => return Ok(CodeGuess::default()),
        };
        if !self.limits.is_on {
            return Ok(CodeGuess::default());
        }
        let (id, name) = (user.id.as_uuid(), user.names.username().key());
        let account = Some(self.limits.account(name));
        let charge = |limit, parts: &[&[u8]]| {
            let parts = [&[kind, id.as_bytes()], parts].concat();
            Charge { account, ..self.limits.charge(limit, &parts) }
        };
        if let Some(session) = session {
            let own = charge(FACTOR, &[b"session", session.as_uuid().as_bytes()]);
            // A thief of a password may have opened many sessions before the account had a factor.
            let all = charge(FACTOR_IN_SESSIONS, &[b"sessions"]);
            return self.admit_guess(vec![own, all]).await;
        }
        let everywhere = self.admit_guess(vec![charge(FACTOR, &[])]).await;
        // As for passwords: whoever knows the password must not lock the user out of where the user was.
        match everywhere {
            Err(Error::Refused(_)) if self.is_known(Some(user.id), origin).await? => {
                // Together: a thief may have been logged in from many addresses, too.
                self.admit_guess(vec![charge(FACTOR, &[b"known addresses"])]).await
            }
            everywhere => everywhere,
        }
    }

    /// Admits and counts an attempt to log in with a passkey, whose account is not known yet, by its source:
    /// each costs a row and a signature's verification.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub(in crate::auth) async fn admit_passkey(&self, origin: &Origin) -> Result<CodeGuess, Error> {
        if !self.limits.is_on {
            return Ok(CodeGuess::default());
        }
        let charges: Vec<Charge> = self.limits.sources(origin).collect();
        let counted = charges.iter().map(|charge| charge.bucket).collect();
        self.charge_or_refuse(charges).await?;
        Ok(CodeGuess { counted, closed: None })
    }

    /// Admits and counts an attempt with a code, by the digest of the name that its challenge is for.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub(in crate::auth) async fn admit_code(&self, account: Bucket) -> Result<CodeGuess, Error> {
        let charge = self.limits.charge(CODE, &[&account.0]);
        self.admit_guess(vec![Charge { account: Some(account), ..charge }]).await
    }

    async fn admit_guess(&self, charges: Vec<Charge>) -> Result<CodeGuess, Error> {
        if !self.limits.is_on {
            return Ok(CodeGuess::default());
        }
        let counted = charges.iter().map(|charge| charge.bucket).collect();
        let outcome = self.store.charge(charges, self.clock.now()).await?;
        match outcome.refused {
            Some(wait) => Err(UserError::rate_limited(wait).into()),
            None => Ok(CodeGuess { counted, closed: outcome.closed }),
        }
    }

    /// Takes back the count of an attempt that was no wrong guess.
    pub(in crate::auth) async fn refund_code(&self, guess: CodeGuess) -> Result<(), Error> {
        Ok(self.store.settle(guess.settlement()).await?)
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
