//! The next step of a login: a proof for its challenge.

use super::Sessions;
use super::open::{LoginOutcome, OpenFor};
use super::second_step::{Answered, FactorAttempt, WrongProof};
use crate::auth::caller::Viewer;
use crate::auth::challenges::{ChallengeAnswer, LoginChallenge, challenge_expired, wrong_code};
use crate::auth::error::Error;
use crate::auth::factors::FactorProof;
use crate::auth::input_field::Field;
use crate::auth::proof::Proof;
use crate::auth::transport::{CookieChange, Cookies, TokenTransport};
use crate::auth::user_error::UserError;
use crate::crypto::secret_token::{SecretToken, TokenDigest};
use crate::domain::challenge::{ChallengePurpose, LoginStep};
use crate::domain::origin::Origin;
use crate::redacted::redacted_debug;
use crate::store::Challenge;

#[derive(Clone, Copy)]
pub struct ContinueLogin<'a> {
    /// `None`: it is in the cookie.
    pub challenge_token: Option<&'a str>,
    pub proof: StepProof<'a>,
    /// The token of a trusted device; `None`: it may be in the cookie.
    pub device_token: Option<&'a str>,
    /// Whether the device is to be trusted from now on.
    pub trust_device: bool,
    /// The caller, if logged in.
    pub viewer: Option<Viewer>,
}

redacted_debug!(ContinueLogin<'_>);

/// Proof that a client gives for the next step of a login.
#[derive(Clone, Copy)]
pub enum StepProof<'a> {
    /// A code of a mail. A password, which is never a next step, is judged like a wrong one.
    EmailCode(&'a str),
    Factor(FactorProof<'a>),
}

redacted_debug!(StepProof<'_>);

/// What a step of a login comes to.
#[derive(Debug)]
pub enum Continued {
    Login(LoginOutcome),
    /// The proof is wrong, and the challenge has so many attempts left.
    Wrong(UserError, LoginChallenge),
}

impl Sessions {
    /// Completes a challenge by a proof. The tokens are delivered as the challenge was: in cookies if its token
    /// was in one.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`, `RATE_LIMITED`; `FORBIDDEN` for the cookie.
    pub async fn continue_login(
        &self,
        step: ContinueLogin<'_>,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<Continued, Error> {
        let (token, transport) = match (step.challenge_token, cookie.login.token()) {
            (Some(token), _) => (token, TokenTransport::Body),
            (None, Some(token)) => {
                cookie.trust(Field::ChallengeToken)?;
                (token, TokenTransport::Cookie)
            }
            (None, None) => return Err(challenge_expired().into()),
        };
        let digest = TokenDigest::of(token).ok_or_else(challenge_expired)?;
        let found = self.store.challenge_by_token(digest).await?.ok_or_else(challenge_expired)?;
        let answered = match (found.purpose, step.proof) {
            (ChallengePurpose::Login | ChallengePurpose::Register, StepProof::EmailCode(code)) => {
                self.answer_by_code(found.clone(), code, step, cookie, &origin).await?
            }
            (ChallengePurpose::SecondStep, StepProof::Factor(proof)) => {
                let attempt = FactorAttempt { token, proof, trusts_device: step.trust_device };
                self.answer_by_factor(found.clone(), attempt, &origin).await?
            }
            (
                ChallengePurpose::Login
                | ChallengePurpose::Register
                | ChallengePurpose::SecondStep
                | ChallengePurpose::EnrollFactor,
                _,
            ) => self.refuse_kind(&found).await?,
            _ => return Err(challenge_expired().into()),
        };
        let outcome = match answered {
            Ok(outcome) => outcome,
            Err(WrongProof { error, left }) => {
                let steps = self.steps_of(&found).await?;
                let passkey_options = match found.user {
                    Some(user) => self.step_options(user, &steps, token, left).await?,
                    None => None,
                };
                let device_trust = self.device_trust(found.purpose);
                let challenge = Challenge { attempts_left: left, ..found };
                let again = shown(&challenge, step.challenge_token);
                let shown = LoginChallenge { steps, passkey_options, device_trust, ..again };
                return Ok(Continued::Wrong(error, shown));
            }
        };
        if transport == TokenTransport::Cookie {
            cookie.login.change(CookieChange::Clear);
        }
        let outcome = self.deliver_outcome(outcome, transport, cookie, origin).await?;
        Ok(Continued::Login(outcome))
    }

    async fn answer_by_code(
        &self,
        challenge: Challenge,
        code: &str,
        step: ContinueLogin<'_>,
        cookie: &Cookies,
        origin: &Origin,
    ) -> Result<Answered, Error> {
        let verified = match self.challenges.answer_code(challenge, code, origin).await? {
            ChallengeAnswer::Right(verified) => verified,
            ChallengeAnswer::Wrong(challenge) => {
                return Ok(Err(WrongProof { error: wrong_code(), left: challenge.attempts_left }));
            }
        };
        let challenge = verified.challenge();
        // Whoever knew the password, or registered the account, is in the right browser.
        let began_here =
            challenge.purpose == ChallengePurpose::Register || !challenge.shown.is_empty();
        let is_same_browser = began_here
            || self.is_same_browser(verified.user_id(), step.viewer, &[], cookie).await?;
        let device = step.device_token.or(cookie.trusted_device_token());
        let client = OpenFor { device, ..OpenFor::step(challenge.session_name.clone(), origin) };
        let proof = Proof::Email(Box::new(verified.into_proof(is_same_browser, None)));
        self.open(proof, client).await.map(Ok)
    }

    /// Judges a proof of a kind that the challenge does not ask for: as a wrong one.
    async fn refuse_kind(&self, challenge: &Challenge) -> Result<Answered, Error> {
        let left = self.store.take_attempt(challenge.id, self.now()).await?;
        Ok(Err(WrongProof { error: wrong_code(), left: left.ok_or_else(challenge_expired)? }))
    }

    /// The proofs that a challenge asks for.
    async fn steps_of(&self, challenge: &Challenge) -> Result<Vec<LoginStep>, Error> {
        Ok(match (challenge.purpose, challenge.user) {
            (ChallengePurpose::SecondStep, Some(user)) => self.store.factors(user).await?.steps(),
            (ChallengePurpose::EnrollFactor, _) => vec![LoginStep::EnrollFactor],
            _ => vec![LoginStep::EmailCode],
        })
    }
}

/// The challenge after a wrong code of a mail, with the token that the client gave in its input.
pub(in crate::auth) fn shown(challenge: &Challenge, token: Option<&str>) -> LoginChallenge {
    LoginChallenge {
        token: token.and_then(SecretToken::parse),
        expires_at: challenge.code_expires_at,
        sent_to: None,
        steps: vec![LoginStep::EmailCode],
        attempts_left: challenge.attempts_left,
        passkey_options: None,
        device_trust: None,
    }
}
