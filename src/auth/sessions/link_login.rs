//! Login by the link of a mail.

use super::Sessions;
use super::open::{LoginOutcome, OpenFor, parse_session_name};
use crate::auth::caller::Viewer;
use crate::auth::challenges::{Answer, ChallengeAnswer, challenge_expired};
use crate::auth::error::Error;
use crate::auth::proof::Proof;
use crate::auth::transport::{Cookies, TokenTransport};
use crate::domain::challenge::ChallengePurpose;
use crate::domain::origin::Origin;
use crate::redacted::redacted_debug;

#[derive(Clone, Copy)]
pub struct LinkLogin<'a> {
    pub link_token: &'a str,
    /// Shows that the account was registered here, or that the password was given here.
    pub challenge_token: Option<&'a str>,
    pub session_name: Option<&'a str>,
    /// The token of a trusted device; `None`: it may be in the cookie.
    pub device_token: Option<&'a str>,
    /// The caller, if logged in.
    pub viewer: Option<Viewer>,
}

redacted_debug!(LinkLogin<'_>);

impl Sessions {
    /// Logs in by the token of a link.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`; `INVALID_INPUT` for the session's name; `FORBIDDEN` for the cookie.
    pub async fn log_in_by_link(
        &self,
        login: LinkLogin<'_>,
        transport: TokenTransport,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<LoginOutcome, Error> {
        cookie.allow(transport)?;
        let name = parse_session_name(login.session_name)?;
        let answer = Answer::Link(login.link_token);
        let purposes = [ChallengePurpose::Login];
        let ChallengeAnswer::Right(verified) =
            self.challenges.answer(answer, &purposes, &origin).await?
        else {
            return Err(challenge_expired().into());
        };
        let tokens: Vec<&str> = login.challenge_token.into_iter().collect();
        let user = verified.user_id();
        let is_same_browser = self.is_same_browser(user, login.viewer, &tokens, cookie).await?;
        let name = name.or_else(|| verified.challenge().session_name.clone());
        let device = login.device_token.or(cookie.trusted_device_token());
        let client = OpenFor { device, ..OpenFor::step(name, &origin) };
        let proof = Proof::Email(Box::new(verified.into_proof(is_same_browser, None)));
        let outcome = self.open(proof, client).await?;
        self.deliver_outcome(outcome, transport, cookie, origin).await
    }
}
