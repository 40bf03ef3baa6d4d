//! Delivery of a refresh token in the answer or in the browser's cookie.
//!
//! A token in a cookie is never given in an answer. The session of a cookie that is
//! replaced is ended, so that a planted cookie is of no use and a forgotten one is not left open. A cookie is
//! cleared where its token is not valid any more, and never because the service failed.

use zeroize::Zeroizing;

use super::Sessions;
use super::open::LoginOutcome;
use super::token_issuer::SignedIn;
use crate::auth::challenges::LoginChallenge;
use crate::auth::error::Error;
use crate::auth::transport::{CookieChange, Cookies, TokenTransport};
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::store::{EndSessions, Scope};

impl Sessions {
    /// Clears the cookie if it is of a session of this user, all of whose sessions have ended.
    pub(in crate::auth) fn clear_cookie_of(&self, user: UserId, cookie: &Cookies) {
        let token = cookie.refresh.token();
        let token = token.and_then(|token| self.tokens.verify_refresh(token, self.now()).ok());
        if token.is_some_and(|token| token.user_id == user) {
            cookie.refresh.change(CookieChange::Clear);
        }
    }

    /// Moves the refresh token into the cookie, if that is its transport.
    pub(in crate::auth) async fn deliver(
        &self,
        mut signed_in: SignedIn,
        transport: TokenTransport,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<SignedIn, Error> {
        if transport == TokenTransport::Cookie {
            self.end_replaced(cookie, &signed_in, origin).await?;
            let tokens = &mut signed_in.tokens;
            if let Some(token) = tokens.refresh_token.take() {
                cookie.refresh.change(CookieChange::Set(token.into(), tokens.refresh_expires_at));
            }
            if let Some((token, expires_at)) = signed_in.device.take() {
                let token = Zeroizing::new(token.as_str().to_owned());
                cookie.device.change(CookieChange::Set(token, expires_at));
            }
        }
        Ok(signed_in)
    }

    /// Delivers the tokens of a session, or the token of a challenge.
    pub(in crate::auth) async fn deliver_outcome(
        &self,
        outcome: LoginOutcome,
        transport: TokenTransport,
        cookie: &Cookies,
        origin: Origin,
    ) -> Result<LoginOutcome, Error> {
        match outcome {
            LoginOutcome::Session(user, signed_in) => {
                let signed_in = self.deliver(*signed_in, transport, cookie, origin).await?;
                Ok(LoginOutcome::Session(user, Box::new(signed_in)))
            }
            LoginOutcome::Challenge(challenge) => {
                Ok(LoginOutcome::Challenge(deliver_challenge(challenge, transport, cookie)))
            }
        }
    }

    /// Ends the session of the cookie that is replaced. Where that fails nobody is given the new token:
    /// the cookie stays, and with it the way to end its session next time.
    async fn end_replaced(
        &self,
        cookie: &Cookies,
        signed_in: &SignedIn,
        origin: Origin,
    ) -> Result<(), Error> {
        let now = self.now();
        let held =
            cookie.refresh.token().and_then(|token| self.tokens.verify_refresh(token, now).ok());
        let Some(held) = held.filter(|held| held.session_id != signed_in.session.id) else {
            return Ok(());
        };
        let end = EndSessions {
            scope: Scope::Own { user: held.user_id, session: held.session_id },
            reason: EndReason::Logout,
            at: now,
            actor: Some(held.user_id),
            origin,
            note: None,
        };
        self.ends.end(end, None).await?;
        Ok(())
    }
}

/// Moves the token of a challenge into its cookie, if that is its transport.
pub(in crate::auth) fn deliver_challenge(
    mut challenge: LoginChallenge,
    transport: TokenTransport,
    cookie: &Cookies,
) -> LoginChallenge {
    if transport == TokenTransport::Cookie
        && let Some(token) = challenge.token.take()
    {
        let token = Zeroizing::new(token.as_str().to_owned());
        cookie.login.change(CookieChange::Set(token, challenge.expires_at));
    }
    challenge
}
