//! Delivery of a refresh token in the answer or in the browser's cookie.
//!
//! A token in a cookie is never given in an answer. The session of a cookie that is
//! replaced is ended, so that a planted cookie is of no use and a forgotten one is not left open. A cookie is
//! cleared where its token is not valid any more, and never because the service failed.

use super::Sessions;
use super::token_issuer::SignedIn;
use super::token_transport::{CookieChange, RefreshCookie, TokenTransport};
use crate::auth::error::Error;
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::store::{EndSessions, Scope};

impl Sessions {
    /// Moves the refresh token into the cookie, if that is its transport.
    pub(in crate::auth) async fn deliver(
        &self,
        mut signed_in: SignedIn,
        transport: TokenTransport,
        cookie: &RefreshCookie,
        origin: Origin,
    ) -> Result<SignedIn, Error> {
        if transport == TokenTransport::Cookie {
            self.end_replaced(cookie, &signed_in, origin).await?;
            let tokens = &mut signed_in.tokens;
            if let Some(token) = tokens.refresh_token.take() {
                cookie.change(CookieChange::Set(token.into(), tokens.refresh_expires_at));
            }
        }
        Ok(signed_in)
    }

    /// Ends the session of the cookie that is replaced. Where that fails nobody is given the new token:
    /// the cookie stays, and with it the way to end its session next time.
    async fn end_replaced(
        &self,
        cookie: &RefreshCookie,
        signed_in: &SignedIn,
        origin: Origin,
    ) -> Result<(), Error> {
        let now = self.now();
        let held = cookie.token().and_then(|token| self.tokens.verify_refresh(token, now).ok());
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
