//! A new password by the code or link of a mail.

use super::Accounts;
use crate::auth::caller::Viewer;
use crate::auth::challenges::{Answer, ChallengeAnswer, challenge_expired, wrong_code};
use crate::auth::emails::NoticeKind;
use crate::auth::error::Error;
use crate::auth::proof::Proof;
use crate::auth::sessions::{Continued, OpenFor, shown};
use crate::auth::transport::{CookieChange, Cookies, TokenTransport};
use crate::domain::challenge::ChallengePurpose;
use crate::domain::origin::Origin;
use crate::domain::user::User;
use crate::redacted::redacted_debug;

/// Proof of an address by a mail.
#[derive(Clone, Copy)]
pub enum EmailProofInput<'a> {
    Code {
        /// `None`: it is in the cookie, or the caller's session asked for the code.
        challenge_token: Option<&'a str>,
        code: &'a str,
    },
    Link(&'a str),
}

redacted_debug!(EmailProofInput<'_>);

#[derive(Clone, Copy)]
pub struct ResetPassword<'a> {
    pub proof: EmailProofInput<'a>,
    /// Shows that the account was registered here.
    pub challenge_token: Option<&'a str>,
    pub new_password: &'a str,
    /// The caller, if logged in.
    pub viewer: Option<Viewer>,
}

redacted_debug!(ResetPassword<'_>);

impl Accounts {
    /// Sets a new password, ends all sessions, verifies the address, and logs in. A weak password spends
    /// neither the code nor the link.
    ///
    /// # Errors
    /// `CHALLENGE_EXPIRED`, `WEAK_PASSWORD`, `RATE_LIMITED`, `OVERLOADED`; `FORBIDDEN` for the cookie.
    pub async fn reset_password(
        &self,
        reset: ResetPassword<'_>,
        transport: TokenTransport,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<Continued, Error> {
        cookie.allow(transport)?;
        let answer = match reset.proof {
            EmailProofInput::Link(token) => Answer::Link(token),
            EmailProofInput::Code { challenge_token, code } => {
                let token = challenge_token.or(cookie.trusted_login_token());
                Answer::Code { token: token.ok_or_else(challenge_expired)?, code }
            }
        };
        let purposes = [ChallengePurpose::Reset];
        let verified = match self.challenges.answer(answer, &purposes, &origin).await? {
            ChallengeAnswer::Right(verified) => verified,
            ChallengeAnswer::Wrong(challenge) => {
                let token = match reset.proof {
                    EmailProofInput::Code { challenge_token, .. } => challenge_token,
                    EmailProofInput::Link(_) => None,
                };
                return Ok(Continued::Wrong(wrong_code(), shown(&challenge, token)));
            }
        };
        let user = verified.user_id();
        let account = self.store.users_by_id(&[user]).await?.remove(&user);
        let account = account.ok_or_else(challenge_expired)?;
        let hash = self.passwords.hash_new(reset.new_password, &account.names).await?;
        let now = self.now();
        // The mail verifies the address that the notice goes to.
        let verified_account = User { email_verified_at: Some(now), ..account };
        let notice = self.emails.notice(NoticeKind::PasswordReset, &verified_account, &origin, now);
        let tokens: Vec<&str> = reset.challenge_token.into_iter().collect();
        let is_same_browser =
            self.sessions.is_same_browser(user, reset.viewer, &tokens, cookie).await?;
        let proof = Proof::Email(Box::new(verified.into_proof(is_same_browser, Some(hash))));
        let client =
            OpenFor { mails: notice.into_iter().collect(), ..OpenFor::step(None, &origin) };
        let outcome = self.sessions.open(proof, client).await?;
        if cookie.trusted_login_token().is_some() {
            cookie.login.change(CookieChange::Clear);
        }
        let outcome = self.sessions.deliver_outcome(outcome, transport, cookie, origin).await?;
        Ok(Continued::Login(outcome))
    }
}
