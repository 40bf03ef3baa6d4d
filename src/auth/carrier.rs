//! Log in, refresh and log out with the refresh token in a browser's cookie or without.
//!
//! Rules: a token that is in a cookie is never given in an answer. A cookie that another takes the
//! place of does not live on: its session is ended, so that one that was planted is of no use, and
//! one that was forgotten is not left open. A cookie goes where its token is good for nothing any
//! more, and never for a failure of ours.

use super::cookie::{CookieChange, RefreshCookie, TokenTransport};
use super::error::{Error, UserError, UserErrorCode};
use super::logout::{LoggedOut, LogoutScope};
use super::{Auth, Caller, SignedIn};
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::origin::Origin;
use crate::domain::session::EndReason;
use crate::store::{EndSessions, Scope};

const TOKEN: &[&str] = &["input", "refreshToken"];
const TRANSPORT: &[&str] = &["input", "transport"];

/// What somebody refreshes.
#[derive(Clone, Copy)]
pub struct Refresh<'a> {
    /// The refresh token; without one, the cookie's.
    pub token: Option<&'a str>,
    /// How the next one is given; where nothing is said, as this one came.
    pub transport: Option<TokenTransport>,
    /// What the client calls this refresh.
    pub attempt_id: Option<&'a str>,
}

/// Redacted.
impl std::fmt::Debug for Refresh<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refresh(…)")
    }
}

impl Auth {
    /// Signs in, and gives the refresh token by this transport. Nothing of `sign_in` happens where the
    /// cookie is wished for by a page that may not.
    ///
    /// # Errors
    /// [`UserErrorCode::Forbidden`], or what `sign_in` fails with.
    pub async fn sign_in_by<T>(
        &self,
        transport: TokenTransport,
        cookie: &RefreshCookie,
        origin: Origin,
        sign_in: impl Future<Output = Result<(T, SignedIn), Error>> + Send,
    ) -> Result<(T, SignedIn), Error> {
        if transport == TokenTransport::Cookie {
            cookie.trust(TRANSPORT)?;
        }
        let (with, mut signed_in) = sign_in.await?;
        if transport == TokenTransport::Cookie {
            self.end_replaced(cookie, &signed_in, origin).await?;
            put(&mut signed_in, cookie);
        }
        Ok((with, signed_in))
    }

    /// Refreshes with the input's token or the cookie's.
    ///
    /// # Errors
    /// [`UserErrorCode::Forbidden`] for a cookie that does not count, else as
    /// [`refresh`](Self::refresh).
    pub async fn refresh_by(
        &self,
        asked: Refresh<'_>,
        cookie: &RefreshCookie,
        origin: Origin,
    ) -> Result<SignedIn, Error> {
        let (token, came_by) = match (asked.token, cookie.token()) {
            (Some(token), _) => (token, TokenTransport::Body),
            (None, Some(token)) => (token, TokenTransport::Cookie),
            (None, None) => return Err(no_token().into()),
        };
        let transport = asked.transport.unwrap_or(came_by);
        match (came_by, transport) {
            (TokenTransport::Body, TokenTransport::Body) => {}
            (TokenTransport::Body, TokenTransport::Cookie) => cookie.trust(TRANSPORT)?,
            (TokenTransport::Cookie, TokenTransport::Cookie) => cookie.trust(TOKEN)?,
            (TokenTransport::Cookie, TokenTransport::Body) => return Err(stays_in_cookie().into()),
        }
        let refreshed = self.refresh(token, asked.attempt_id, origin.clone()).await;
        if came_by == TokenTransport::Cookie && refreshed.as_ref().is_err_and(is_the_end) {
            cookie.change(CookieChange::Clear);
        }
        let mut signed_in = refreshed?;
        if transport == TokenTransport::Cookie {
            self.end_replaced(cookie, &signed_in, origin).await?;
            if came_by == TokenTransport::Body {
                // Where refresh tokens do not rotate the same one goes on.
                signed_in.tokens.refresh_token.get_or_insert_with(|| token.to_owned());
            }
            put(&mut signed_in, cookie);
        }
        Ok(signed_in)
    }

    /// Logs out, as the input's token, the bearer or else the cookie says.
    ///
    /// # Errors
    /// [`UserErrorCode::Forbidden`] where only a cookie says who, and it does not count; else as
    /// [`logout`](Self::logout).
    pub async fn logout_by(
        &self,
        token: Option<&str>,
        scope: LogoutScope,
        cookie: &RefreshCookie,
        caller: &Caller,
    ) -> Result<LoggedOut, Error> {
        let held = cookie.token().and_then(|token| self.verify_refresh(token, self.now()).ok());
        // A bearer names its session itself. The cookie helps where it is of the same, for it may
        // live when the access token has run out; and where it took the place of that session, or a
        // tab with the token of before would leave its browser logged in.
        let by_cookie = token.is_none()
            && cookie.token().is_some()
            && match (caller.token(), &held) {
                (Err(_), _) => cookie.trust(TOKEN).map(|()| true)?,
                (Ok(bearer), Some(held)) => {
                    let is_over = || {
                        bearer.user_id == held.user_id
                            && matches!(
                                self.revocations.end_of(bearer.user_id, bearer.session_id),
                                Ok(Some(_))
                            )
                    };
                    (bearer.session_id == held.session_id || is_over())
                        && cookie.trust(TOKEN).is_ok()
                }
                (Ok(_), None) => false,
            };
        let presented = if by_cookie { cookie.token() } else { token };
        let done = self.logout(presented, scope, caller).await;
        let is_over = match &done {
            Ok(done) => {
                by_cookie && done.session_id.is_none()
                    || held.is_some_and(|held| is_ended(&held, scope, done))
            }
            Err(error) => by_cookie && is_the_end(error),
        };
        if is_over {
            cookie.change(CookieChange::Clear);
        }
        done
    }

    /// Ends the session of a cookie that another's takes the place of. Where that fails nobody is
    /// given the new one: the cookie stays, and with it the way to end its session next time.
    async fn end_replaced(
        &self,
        cookie: &RefreshCookie,
        signed_in: &SignedIn,
        origin: Origin,
    ) -> Result<(), Error> {
        let now = self.now();
        let held = cookie.token().and_then(|token| self.verify_refresh(token, now).ok());
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
        self.end(end, None).await?;
        Ok(())
    }
}

/// Takes the refresh token out of the answer and into the cookie.
fn put(signed_in: &mut SignedIn, cookie: &RefreshCookie) {
    let tokens = &mut signed_in.tokens;
    if let Some(token) = tokens.refresh_token.take() {
        cookie.change(CookieChange::Set(token.into(), tokens.refresh_expires_at));
    }
}

/// Whether no later refresh with the same token can do better.
fn is_the_end(error: &Error) -> bool {
    let Error::Refused(refusal) = error else { return false };
    matches!(
        refusal.code,
        UserErrorCode::RefreshTokenInvalid
            | UserErrorCode::RefreshTokenExpired
            | UserErrorCode::RefreshTokenReused
            | UserErrorCode::SessionEnded
    )
}

/// Whether a logout ended the session of this token.
fn is_ended(held: &RefreshToken, scope: LogoutScope, done: &LoggedOut) -> bool {
    let is_of_session = done.session_id == Some(held.session_id);
    let is_of_user = done.user_id == Some(held.user_id);
    match scope {
        LogoutScope::Current => is_of_session,
        LogoutScope::Others => is_of_user && !is_of_session,
        LogoutScope::All => is_of_user,
    }
}

fn no_token() -> UserError {
    const MESSAGE: &str = "there is no refresh token, neither in the input nor in a cookie";
    UserError::new(UserErrorCode::RefreshTokenInvalid, TOKEN, MESSAGE)
}

/// Else any script in the page could ask for what the cookie is to keep from it.
fn stays_in_cookie() -> UserError {
    UserError::invalid(TRANSPORT, "a refresh token that came in a cookie is not given in an answer")
}
