//! The next step of a login: a code for its challenge.

use super::Sessions;
use super::open::{LoginOutcome, OpenFor};
use crate::auth::caller::Viewer;
use crate::auth::challenges::{
    Answer, ChallengeAnswer, LoginChallenge, challenge_expired, wrong_code,
};
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::proof::Proof;
use crate::auth::transport::{CookieChange, Cookies, TokenTransport};
use crate::auth::user_error::UserError;
use crate::crypto::secret_token::SecretToken;
use crate::domain::challenge::{ChallengePurpose, LoginStep};
use crate::domain::origin::Origin;
use crate::redacted::redacted_debug;
use crate::store::Challenge;

#[derive(Clone, Copy)]
pub struct ContinueLogin<'a> {
    /// `None`: it is in the cookie.
    pub challenge_token: Option<&'a str>,
    pub code: &'a str,
    /// The caller, if logged in.
    pub viewer: Option<Viewer>,
}

redacted_debug!(ContinueLogin<'_>);

/// What a step of a login comes to.
#[derive(Debug)]
pub enum Continued {
    Login(LoginOutcome),
    /// The proof is wrong, and the challenge has so many attempts left.
    Wrong(UserError, LoginChallenge),
}

impl Sessions {
    /// Completes a challenge by a code. The tokens are delivered as the challenge was: in cookies if its
    /// token was in one.
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
        let purposes = [ChallengePurpose::Login, ChallengePurpose::Register];
        let answer = Answer::Code { token, code: step.code };
        let verified = match self.challenges.answer(answer, &purposes, &origin).await? {
            ChallengeAnswer::Right(verified) => verified,
            ChallengeAnswer::Wrong(challenge) => {
                return Ok(Continued::Wrong(wrong_code(), shown(&challenge, step.challenge_token)));
            }
        };
        let challenge = verified.challenge();
        // Whoever knew the password, or registered the account, is in the right browser.
        let began_here =
            challenge.purpose == ChallengePurpose::Register || !challenge.shown.is_empty();
        let is_same_browser = began_here
            || self.is_same_browser(verified.user_id(), step.viewer, &[], cookie).await?;
        let name = challenge.session_name.clone();
        let client = OpenFor::step(name, &origin);
        let proof = Proof::Email(verified.into_proof(is_same_browser, None));
        let outcome = self.open(proof, client).await?;
        if transport == TokenTransport::Cookie {
            cookie.login.change(CookieChange::Clear);
        }
        let outcome = self.deliver_outcome(outcome, transport, cookie, origin).await?;
        Ok(Continued::Login(outcome))
    }
}

/// The challenge after a wrong code, with the token that the client gave in its input.
pub(in crate::auth) fn shown(challenge: &Challenge, token: Option<&str>) -> LoginChallenge {
    LoginChallenge {
        token: token.and_then(SecretToken::parse),
        expires_at: challenge.code_expires_at,
        sent_to: None,
        steps: vec![LoginStep::EmailCode],
        attempts_left: challenge.attempts_left,
    }
}
