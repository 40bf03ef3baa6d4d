//! Verification of an address by the code or link of a mail.

use super::Accounts;
use super::reset_password::EmailProofInput;
use crate::auth::caller::Viewer;
use crate::auth::challenges::{
    Answer, ChallengeAnswer, VerifiedChallenge, challenge_expired, wrong_code,
};
use crate::auth::error::Error;
use crate::auth::transport::{CookieChange, Cookies};
use crate::domain::challenge::ChallengePurpose;
use crate::domain::origin::Origin;
use crate::domain::user::User;
use crate::redacted::redacted_debug;
use crate::store::Scope;

#[derive(Clone, Copy)]
pub struct VerifyEmail<'a> {
    pub proof: EmailProofInput<'a>,
    /// Shows that the account was registered here.
    pub challenge_token: Option<&'a str>,
    /// The caller, if logged in.
    pub viewer: Option<Viewer>,
}

redacted_debug!(VerifyEmail<'_>);

impl Accounts {
    /// Verifies an address; returns the account and the number of sessions that the first proof of the
    /// address ended.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`, `INVALID_PROOF`, `RATE_LIMITED`.
    pub async fn verify_email(
        &self,
        verify: VerifyEmail<'_>,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<(User, usize), Error> {
        let purposes = [ChallengePurpose::Verify, ChallengePurpose::Register];
        let verified =
            self.answer_proof(verify.proof, &purposes, verify.viewer, cookie, &origin).await?;
        let user = verified.user_id();
        let challenge = verified.challenge();
        let by_code = matches!(verify.proof, EmailProofInput::Code { .. });
        // The code of a registration needs the token that only the registering client has.
        let began_here = by_code && challenge.purpose == ChallengePurpose::Register;
        let tokens: Vec<&str> = verify.challenge_token.into_iter().collect();
        let is_same_browser = began_here
            || self.sessions.is_same_browser(user, verify.viewer, &tokens, cookie).await?;
        let now = self.now();
        let order = verified.spend(is_same_browser, now, &origin);
        let spent = self.store.spend_challenge(order).await?.ok_or_else(challenge_expired)?;
        self.note_change(&spent.user);
        let count = self.ends.finish(&Scope::User(user), now, spent.ending).await?.count;
        if cookie.trusted_login_token().is_some() {
            cookie.login.change(CookieChange::Clear);
        }
        Ok((spent.user, count))
    }

    /// Judges a code or a link for a challenge of one of these purposes.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`, `INVALID_PROOF`, `RATE_LIMITED`.
    pub(super) async fn answer_proof(
        &self,
        proof: EmailProofInput<'_>,
        purposes: &[ChallengePurpose],
        viewer: Option<Viewer>,
        cookie: &Cookies,
        origin: &Origin,
    ) -> Result<VerifiedChallenge, Error> {
        let answered = match proof {
            EmailProofInput::Link(token) => {
                self.challenges.answer(Answer::Link(token), purposes, origin).await?
            }
            EmailProofInput::Code { challenge_token: Some(token), code } => {
                self.challenges.answer(Answer::Code { token, code }, purposes, origin).await?
            }
            EmailProofInput::Code { challenge_token: None, code } => {
                self.answer_own(purposes, viewer, code, cookie, origin).await?
            }
        };
        match answered {
            ChallengeAnswer::Right(verified) => Ok(verified),
            ChallengeAnswer::Wrong(_) => Err(wrong_code().into()),
        }
    }

    /// Judges a code without a token: for the latest challenge that the viewer's session asked for, or for
    /// that of the cookie.
    async fn answer_own(
        &self,
        purposes: &[ChallengePurpose],
        viewer: Option<Viewer>,
        code: &str,
        cookie: &Cookies,
        origin: &Origin,
    ) -> Result<ChallengeAnswer, Error> {
        if let Some(viewer) = viewer {
            let (user, session) = (viewer.user_id(), viewer.session_id());
            for purpose in purposes {
                let now = self.now();
                let found = self.store.challenge_of_session(user, session, *purpose, now).await?;
                if let Some(found) = found {
                    return self.challenges.answer_code(found, code, origin).await;
                }
            }
        }
        let token = cookie.trusted_login_token().ok_or_else(challenge_expired)?;
        self.challenges.answer(Answer::Code { token, code }, purposes, origin).await
    }
}
