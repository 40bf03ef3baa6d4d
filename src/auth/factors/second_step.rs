//! The second step of a login: a second factor for the challenge of a right first step.
//!
//! The attempt is taken from the challenge before its proof is judged, so that of any number of attempts at once
//! no more are judged than the challenge allows.

use super::ceremony::step_challenge;
use super::state::SecondFactors;
use super::verify::{Attempt, FactorProof, VerifiedFactor};
use crate::auth::challenges::{challenge_expired, spend_step};
use crate::auth::error::Error;
use crate::clock::Timestamp;
use crate::domain::authentication::Authentication;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::user::User;
use crate::store::{Challenge, Grounds, SpendChallenge};

/// Proof of a second factor after a first step, for opening a session. Made only by
/// [`SecondFactors::answer_challenge`].
#[derive(Debug)]
pub struct SecondStepProof {
    challenge: Challenge,
    user: User,
    factor: VerifiedFactor,
}

/// The result of an attempt.
pub(in crate::auth) enum StepAnswer {
    Right(Box<SecondStepProof>),
    /// With the number of attempts that are left.
    Wrong {
        left: i32,
    },
}

impl SecondStepProof {
    pub(in crate::auth) fn user_id(&self) -> UserId {
        self.user.id
    }

    pub(in crate::auth) fn user(&self) -> &User {
        &self.user
    }

    pub(in crate::auth) fn factor(&self) -> &VerifiedFactor {
        &self.factor
    }

    pub(in crate::auth) fn into_factor(self) -> VerifiedFactor {
        self.factor
    }

    /// What was shown in both steps.
    pub(in crate::auth) fn shown(&self, at: Timestamp) -> Authentication {
        Authentication::with_factor(self.challenge.shown, self.factor.kind(), at)
    }

    /// Conditions that the store checks when it opens the session.
    pub(in crate::auth) fn grounds(&self, at: Timestamp, origin: &Origin) -> Grounds {
        let spend = spend_step(&self.challenge, self.user.id, at, origin);
        Grounds::SecondStep {
            spend: SpendChallenge { has_attempt: true, ..spend },
            factor: self.factor.factor(),
            settlement: self.factor.settlement(),
        }
    }
}

impl SecondFactors {
    /// Judges a second factor for the challenge of this token.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`, `RATE_LIMITED`.
    pub(in crate::auth) async fn answer_challenge(
        &self,
        challenge: Challenge,
        token: &str,
        proof: FactorProof<'_>,
        origin: &Origin,
    ) -> Result<StepAnswer, Error> {
        let now = self.clock.now();
        // Without a write: whoever holds the token of a dead challenge may repeat this.
        let user =
            challenge.user.filter(|_| challenge.is_open(now)).ok_or_else(challenge_expired)?;
        let account = self.store.users_by_id(&[user]).await?.remove(&user);
        let account = account.filter(User::is_active).ok_or_else(challenge_expired)?;
        let guess = self.admit(proof, &account, None, origin).await?;
        let Some(left) = self.store.take_attempt(challenge.id, now).await? else {
            self.passwords.refund_code(guess).await?;
            return Err(challenge_expired().into());
        };
        // Of the attempts that were left before this one.
        let asked = step_challenge(token, left + 1);
        let attempt = Attempt { guess, user: &account, session: None, origin };
        Ok(match self.verify(proof, Some(&asked), attempt).await? {
            Some(factor) => {
                StepAnswer::Right(Box::new(SecondStepProof { challenge, user: account, factor }))
            }
            None => StepAnswer::Wrong { left },
        })
    }
}
