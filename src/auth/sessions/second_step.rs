//! A second factor for the challenge of a login.

use super::Sessions;
use super::open::{LoginOutcome, OpenFor};
use crate::auth::challenges::wrong_code;
use crate::auth::emails::NoticeKind;
use crate::auth::error::Error;
use crate::auth::factors::{FactorProof, StepAnswer};
use crate::auth::proof::Proof;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::domain::audit::AuditKind;
use crate::domain::authentication::FactorUsed;
use crate::domain::id::SessionId;
use crate::domain::origin::Origin;
use crate::domain::user::User;
use crate::store::{Challenge, NewEvent, NewMail};

/// The outcome of a right proof, or what is wrong.
pub(super) type Answered = Result<LoginOutcome, WrongProof>;

/// A wrong proof, and the number of attempts that are left.
pub(super) struct WrongProof {
    pub error: UserError,
    pub left: i32,
}

/// An attempt by a second factor.
#[derive(Clone, Copy)]
pub(super) struct FactorAttempt<'a> {
    /// The token of the challenge.
    pub token: &'a str,
    pub proof: FactorProof<'a>,
    pub trusts_device: bool,
}

impl Sessions {
    pub(super) async fn answer_by_factor(
        &self,
        challenge: Challenge,
        attempt: FactorAttempt<'_>,
        origin: &Origin,
    ) -> Result<Answered, Error> {
        let FactorAttempt { token, proof, trusts_device } = attempt;
        let (name, left) = (challenge.session_name.clone(), challenge.attempts_left - 1);
        let step = match self.factors.answer_challenge(challenge, token, proof, origin).await? {
            StepAnswer::Right(step) => step,
            StepAnswer::Wrong { left } => {
                return Ok(Err(WrongProof { error: wrong_code(), left }));
            }
        };
        let kind = step.factor().kind();
        let (events, mails) = self.recovery_traces(kind, step.user(), None, origin).await?;
        let client = OpenFor { trusts_device, events, mails, ..OpenFor::step(name, origin) };
        match self.open(Proof::SecondStep(step), client).await {
            // It fitted, but was used before.
            Err(Error::Refused(error)) if error.code == UserErrorCode::InvalidProof => {
                Ok(Err(WrongProof { error, left: left.max(0) }))
            }
            outcome => outcome.map(Ok),
        }
    }

    /// The event and the notice of a recovery code that is used.
    pub(super) async fn recovery_traces(
        &self,
        kind: FactorUsed,
        user: &User,
        session: Option<SessionId>,
        origin: &Origin,
    ) -> Result<(Vec<NewEvent>, Vec<NewMail>), Error> {
        if kind != FactorUsed::RecoveryCode {
            return Ok(Default::default());
        }
        let now = self.now();
        let left = self.store.factors(user.id).await?.recovery_codes_left - 1;
        let event = NewEvent {
            kind: AuditKind::RecoveryCodeUsed,
            at: now,
            user: Some(user.id),
            actor: Some(user.id),
            session,
            origin: origin.clone(),
            detail: None,
        };
        let notice = NoticeKind::RecoveryCodeUsed { left: left.max(0) };
        let mail = self.emails.notice(notice, user, origin, now);
        Ok((vec![event], mail.into_iter().collect()))
    }
}
