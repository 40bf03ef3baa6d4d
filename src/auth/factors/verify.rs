//! Verification of a second factor.
//!
//! An attempt is counted before its code is compared (the limits are those of `passwords`), and its count is taken
//! back in the transaction that uses the factor. That transaction also decides whether the code was used
//! before: here it is only known to fit.

use serde_json::Value;

use super::state::{SecondFactors, totp_context};
use crate::auth::error::Error;
use crate::auth::passwords::CodeGuess;
use crate::crypto::passkey::PasskeyChallenge;
use crate::crypto::recovery_code::RecoveryCode;
use crate::crypto::totp::{TotpCode, TotpSecret};
use crate::domain::audit::AuditKind;
use crate::domain::authentication::FactorUsed;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::user::User;
use crate::redacted::redacted_debug;
use crate::store::{NewEvent, Settlement, UseFactor};

/// A second factor that a client shows.
#[derive(Clone, Copy)]
pub enum FactorProof<'a> {
    /// Six digits of an authenticator app.
    TotpCode(&'a str),
    RecoveryCode(&'a str),
    /// The browser's response, as `PublicKeyCredential.toJSON` gives it.
    Passkey(&'a Value),
}

redacted_debug!(FactorProof<'_>);

impl FactorProof<'_> {
    /// What it is in audit events.
    pub(in crate::auth) fn name(self) -> &'static str {
        name(self.kind())
    }

    /// Before it is verified.
    fn kind(self) -> FactorUsed {
        match self {
            Self::TotpCode(_) => FactorUsed::Totp,
            Self::RecoveryCode(_) => FactorUsed::RecoveryCode,
            Self::Passkey(_) => FactorUsed::Passkey { is_backup_eligible: false },
        }
    }
}

fn name(kind: FactorUsed) -> &'static str {
    match kind {
        FactorUsed::Totp => "authenticator code",
        FactorUsed::RecoveryCode => "recovery code",
        FactorUsed::Passkey { .. } => "passkey",
    }
}

/// A second factor that fits the account, made only by [`SecondFactors::verify`].
#[derive(Debug)]
pub struct VerifiedFactor {
    factor: UseFactor,
    kind: FactorUsed,
    guess: CodeGuess,
}

impl VerifiedFactor {
    pub(in crate::auth) fn kind(&self) -> FactorUsed {
        self.kind
    }

    /// The order to use it up.
    pub(in crate::auth) fn factor(&self) -> UseFactor {
        self.factor
    }

    /// Counts that a right code takes back.
    pub(in crate::auth) fn settlement(&self) -> Settlement {
        self.guess.settlement()
    }
}

/// An attempt that was admitted.
pub(in crate::auth) struct Attempt<'a> {
    pub guess: CodeGuess,
    pub user: &'a User,
    /// The live session in which it is made; `None` at a login.
    pub session: Option<SessionId>,
    pub origin: &'a Origin,
}

impl SecondFactors {
    /// Admits and counts an attempt.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub(in crate::auth) async fn admit(
        &self,
        proof: FactorProof<'_>,
        user: &User,
        session: Option<SessionId>,
        origin: &Origin,
    ) -> Result<CodeGuess, Error> {
        self.passwords.admit_factor(proof.kind(), user, session, origin).await
    }

    /// Judges an admitted attempt. A wrong one is recorded, and the answer is `None`. `challenge`: what a passkey
    /// has to sign.
    pub(in crate::auth) async fn verify(
        &self,
        proof: FactorProof<'_>,
        challenge: Option<&PasskeyChallenge>,
        attempt: Attempt<'_>,
    ) -> Result<Option<VerifiedFactor>, Error> {
        let Attempt { guess, user, session, origin } = attempt;
        let judged = match (proof, challenge) {
            (FactorProof::TotpCode(code), _) => {
                let factor = self.totp_step(user.id, code).await?;
                factor.map(|factor| (factor, FactorUsed::Totp)).ok_or(name(FactorUsed::Totp))
            }
            (FactorProof::RecoveryCode(code), _) => {
                let kind = FactorUsed::RecoveryCode;
                let factor = self.recovery_code(user.id, code).await?;
                factor.map(|factor| (factor, kind)).ok_or(name(kind))
            }
            (FactorProof::Passkey(response), Some(challenge)) => {
                let judged = self.judge_passkey(response, challenge, Some(user.id)).await?;
                judged.map(|used| (used.factor, used.kind)).map_err(|wrong| wrong.detail)
            }
            (FactorProof::Passkey(_), None) => Err(proof.name()),
        };
        match judged {
            Ok((factor, kind)) => Ok(Some(VerifiedFactor { factor, kind, guess })),
            Err(detail) => {
                self.refuse(guess, detail, user.id, session, origin).await?;
                Ok(None)
            }
        }
    }

    /// Takes back the count of a factor that fitted, and was not used.
    pub(in crate::auth) async fn refund(&self, factor: VerifiedFactor) -> Result<(), Error> {
        self.passwords.refund_code(factor.guess).await
    }

    /// Counts a factor that fitted, but was used by somebody else meanwhile, or before.
    pub(in crate::auth) async fn refuse_used(
        &self,
        factor: VerifiedFactor,
        user: UserId,
        session: Option<SessionId>,
        origin: &Origin,
    ) -> Result<(), Error> {
        self.refuse(factor.guess, name(factor.kind), user, session, origin).await
    }

    async fn refuse(
        &self,
        guess: CodeGuess,
        detail: &'static str,
        user: UserId,
        session: Option<SessionId>,
        origin: &Origin,
    ) -> Result<(), Error> {
        let event = NewEvent {
            kind: AuditKind::ProofFailed,
            at: self.clock.now(),
            user: Some(user),
            actor: session.map(|_| user),
            session,
            origin: origin.clone(),
            detail: Some(detail),
        };
        self.passwords.record_wrong_code(guess, event).await
    }

    async fn recovery_code(&self, user: UserId, text: &str) -> Result<Option<UseFactor>, Error> {
        let Some(code) = RecoveryCode::parse(text) else { return Ok(None) };
        let is_known = self.store.has_recovery_code(user, code.digest()).await?;
        Ok(is_known.then_some(UseFactor::RecoveryCode(code.digest())))
    }

    async fn totp_step(&self, user: UserId, code: &str) -> Result<Option<UseFactor>, Error> {
        let Some(code) = TotpCode::parse(code) else { return Ok(None) };
        let Some(stored) = self.store.totp(user).await? else { return Ok(None) };
        let secret = self.data_key.unseal(&totp_context(user), &stored.sealed_secret);
        let secret = secret.and_then(|bytes| TotpSecret::from_bytes(&bytes));
        let Some(secret) = secret else {
            return Err(Error::Internal("the secret of an authenticator app does not open".into()));
        };
        let step = secret.step_of(&code, self.clock.now())?;
        let step = step.filter(|step| *step > stored.last_step);
        Ok(step.map(|step| UseFactor::Totp { step, since: stored.confirmed_at }))
    }
}
