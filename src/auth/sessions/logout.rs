//! Logout: of the current session, of the others, or of all.
//!
//! A token of a session is enough to end that session, however old it is; to end others the caller must be
//! logged in. Logging out twice is success, and a token never makes a logout fail unless it was not issued
//! here. A token that is not valid any more ends its session and reads nothing: see
//! [`Sessions::ended_sessions`].

use super::Sessions;
use super::end::Ended;
use super::refresh_errors::{is_final, refused, unverified};
use crate::auth::caller::{Caller, Viewer};
use crate::auth::error::{Denial, Error, UnauthenticatedReason};
use crate::auth::input_field::Field;
use crate::auth::transport::{CookieChange, Cookies};
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::crypto::TokenError;
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::refresh_decision::{PresentedToken, RefreshDecision};
use crate::domain::session::{EndReason, Session};
use crate::domain::words;
use crate::store::{self, EndSessions, Ending, Scope};

words! {
    /// Sessions that a logout ends.
    LogoutScope {
        /// The session whose token is presented.
        Current = "CURRENT",
        /// All other sessions of its user.
        Others = "OTHERS",
        All = "ALL",
    }
}

/// Result of a logout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    /// `None` where there was nothing to log out; so `session_id`.
    user_id: Option<UserId>,
    session_id: Option<SessionId>,
    /// The newest first, at most a hundred.
    ended: Vec<SessionId>,
    count: usize,
    /// Whether the caller was logged in before.
    was_logged_in: bool,
    presented: Option<TokenId>,
}

impl LoggedOut {
    /// Count of the sessions that it ended.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    pub(super) fn with_ended(self, ended: Ended) -> Self {
        let Ended { count, newest } = ended;
        Self { ended: newest, count, ..self }
    }
}

/// The session that logs out.
struct Leaving {
    user: UserId,
    session: SessionId,
    /// Whether the presented refresh token is known to be the outstanding one.
    is_outstanding: bool,
}

impl Sessions {
    /// Logs out the session that the input's token, the bearer token or else the cookie names.
    ///
    /// # Errors
    /// `REFRESH_TOKEN_INVALID` for a text that never was a refresh token; `FORBIDDEN` for a refresh token
    /// of another user than the bearer, and for a cookie that does not count where nothing else names the
    /// session; [`Denial::Unauthenticated`] where nothing does.
    pub async fn log_out(
        &self,
        token: Option<&str>,
        scope: LogoutScope,
        cookie: &Cookies,
        caller: &Caller,
    ) -> Result<LoggedOut, Error> {
        let in_cookie = cookie
            .refresh
            .token()
            .and_then(|token| self.tokens.verify_refresh(token, self.now()).ok());
        let by_cookie = token.is_none() && self.is_by_cookie(cookie, in_cookie.as_ref(), caller)?;
        let presented = if by_cookie { cookie.refresh.token() } else { token };
        let done = self.log_out_by(presented, scope, caller).await;
        let is_over = match &done {
            Ok(done) => {
                by_cookie && done.session_id.is_none()
                    || in_cookie.is_some_and(|token| is_ended(&token, scope, done))
            }
            Err(error) => by_cookie && is_final(error),
        };
        if is_over {
            cookie.refresh.change(CookieChange::Clear);
        }
        done
    }

    /// Whether the cookie says which session logs out. A bearer token names its session itself; the cookie
    /// helps where it is of the same session, for it may live when the access token has expired, and where
    /// it replaced that session: else a tab with the old token would leave its browser logged in.
    fn is_by_cookie(
        &self,
        cookie: &Cookies,
        in_cookie: Option<&RefreshToken>,
        caller: &Caller,
    ) -> Result<bool, Error> {
        if cookie.refresh.token().is_none() {
            return Ok(false);
        }
        let Ok(bearer) = caller.token() else {
            cookie.trust(Field::RefreshToken)?;
            return Ok(true);
        };
        let Some(token) = in_cookie else { return Ok(false) };
        let has_ended = || {
            let end = self.revocations.end_of(bearer.user_id, bearer.session_id);
            bearer.user_id == token.user_id && matches!(end, Ok(Some(_)))
        };
        let is_same = bearer.session_id == token.session_id || has_ended();
        Ok(is_same && cookie.trust(Field::RefreshToken).is_ok())
    }

    async fn log_out_by(
        &self,
        refresh_token: Option<&str>,
        scope: LogoutScope,
        caller: &Caller,
    ) -> Result<LoggedOut, Error> {
        if let Some(foreign) = refresh_token.and_then(|token| self.foreign_token(token, self.now()))
        {
            let work = Box::pin(self.log_out_foreign(foreign, scope, caller));
            return store::with_timeout(work).await;
        }
        let left = store::with_timeout(Box::pin(self.leave(refresh_token, scope, caller))).await?;
        let Some((left, ending)) = left else { return Ok(nothing(None)) };
        Ok(left.with_ended(self.ends.count_ending(ending).await?))
    }

    /// Ends the sessions, before they are counted. `None` if there is no session to log out.
    async fn leave(
        &self,
        refresh_token: Option<&str>,
        scope: LogoutScope,
        caller: &Caller,
    ) -> Result<Option<(LoggedOut, Ending)>, Error> {
        let verified = refresh_token.map(|token| self.tokens.verify_refresh(token, self.now()));
        let presented = match verified {
            None => None,
            Some(Ok(token)) => Some(token),
            // Issued here, long ago: a bearer token may still name the session.
            Some(Err(TokenError::Expired)) => {
                if caller.token().is_err() {
                    return Ok(None);
                }
                None
            }
            Some(Err(error)) => return Err(unverified(error)),
        };
        if let Some(presented) = &presented {
            forbid_another_user(presented.user_id, caller)?;
        }
        let is_authenticated = self.guard.authenticate(caller).is_ok();
        let leaving = match scope {
            LogoutScope::Current => Some(whose_session(presented.as_ref(), caller)?),
            LogoutScope::Others | LogoutScope::All => {
                self.whose_sessions(presented.as_ref(), caller).await?
            }
        };
        let Some(leaving) = leaving else { return Ok(None) };
        let Leaving { user, session, is_outstanding } = leaving;
        let end = EndSessions {
            scope: match scope {
                LogoutScope::Current => Scope::Own { user, session },
                LogoutScope::Others => Scope::Others { user, except: session },
                LogoutScope::All => Scope::User(user),
            },
            reason: match scope {
                LogoutScope::Current => EndReason::Logout,
                LogoutScope::Others | LogoutScope::All => EndReason::LogoutAll,
            },
            at: self.now(),
            actor: Some(user),
            origin: caller.origin().clone(),
            note: None,
        };
        let (scope, at) = (end.scope.clone(), end.at);
        let ending = self.store.end_sessions(end, None).await?;
        self.ends.note_ending(&scope, at, &ending).await?;
        let left = LoggedOut {
            was_logged_in: is_authenticated || is_outstanding,
            presented: presented.map(|presented| presented.id),
            ..nothing(Some((user, session)))
        };
        Ok(Some((left, ending)))
    }

    /// The sessions that a logout ended, the newest first, each with the viewer who sees it. A caller who was
    /// logged in neither by the bearer token nor by the outstanding refresh token sees only their ids, states
    /// and times, and nothing of their user.
    pub async fn ended_sessions(&self, done: &LoggedOut) -> Result<Vec<(Session, Viewer)>, Error> {
        let Some((user_id, session_id)) = done.user_id.zip(done.session_id) else {
            return Ok(Vec::new());
        };
        let mut found = self.ends.sessions_by_id(&done.ended).await?;
        let in_order: Vec<_> = done.ended.iter().filter_map(|id| found.remove(id)).collect();
        // Ending a session leaves its outstanding token in the row.
        let is_outstanding = |session: &Session| done.presented == Some(session.token.id);
        if done.was_logged_in || in_order.iter().any(is_outstanding) {
            let viewer = Viewer::holder(user_id, session_id);
            return Ok(in_order.into_iter().map(|session| (session, viewer)).collect());
        }
        let viewer = Viewer::stranger(session_id);
        Ok(in_order.into_iter().map(|session| (session.outline(), viewer)).collect())
    }

    /// The session that may end several sessions of its user. `None` where it has ended: nothing is left to
    /// be done.
    async fn whose_sessions(
        &self,
        presented: Option<&RefreshToken>,
        caller: &Caller,
    ) -> Result<Option<Leaving>, Error> {
        let Some(token) = presented else {
            return match self.guard.authenticate(caller) {
                Ok(viewer) => Ok(Some(leaving(viewer.user_id(), viewer.session_id()))),
                Err(Denial::Unauthenticated(
                    UnauthenticatedReason::SessionEnded | UnauthenticatedReason::UserInactive,
                )) => Ok(None),
                Err(denial) => Err(denial.into()),
            };
        };
        let RefreshToken { user_id, session_id, id, .. } = *token;
        let Some(known) = self.store.known_token(user_id, session_id, id).await? else {
            return Ok(None);
        };
        let presentation =
            PresentedToken { token_id: id, attempt: None, rotated_at: known.rotated_at };
        match known.session.decide_refresh(&presentation, self.policy.retry_window, self.now()) {
            RefreshDecision::Outstanding => {
                Ok(Some(Leaving { is_outstanding: true, ..leaving(user_id, session_id) }))
            }
            RefreshDecision::Retry | RefreshDecision::Stale => {
                Ok(Some(leaving(user_id, session_id)))
            }
            RefreshDecision::Ended => {
                self.ends.note_all_ends(&Scope::User(user_id), self.now(), &[]).await?;
                Ok(None)
            }
            RefreshDecision::Expired => Ok(None),
            RefreshDecision::Newer => Err(refused(UserErrorCode::SessionEnded)),
            // An old copy of a token must not log its owner out everywhere.
            RefreshDecision::Reused => Err(refused(UserErrorCode::RefreshTokenInvalid)),
        }
    }
}

/// The session that the refresh token or else the bearer token belongs to.
fn whose_session(presented: Option<&RefreshToken>, caller: &Caller) -> Result<Leaving, Error> {
    if let Some(token) = presented {
        return Ok(leaving(token.user_id, token.session_id));
    }
    let bearer = caller.token()?;
    Ok(leaving(bearer.user_id, bearer.session_id))
}

/// Refuses the refresh token of another user than the bearer token's.
pub(super) fn forbid_another_user(user: UserId, caller: &Caller) -> Result<(), UserError> {
    const MESSAGE: &str = "The refresh token belongs to another user than the access token.";
    match caller.token() {
        Ok(bearer) if bearer.user_id != user => {
            Err(UserError::new(UserErrorCode::Forbidden, Field::RefreshToken, MESSAGE))
        }
        _ => Ok(()),
    }
}

fn leaving(user: UserId, session: SessionId) -> Leaving {
    Leaving { user, session, is_outstanding: false }
}

pub(super) fn nothing(who: Option<(UserId, SessionId)>) -> LoggedOut {
    LoggedOut {
        user_id: who.map(|who| who.0),
        session_id: who.map(|who| who.1),
        ended: Vec::new(),
        count: 0,
        was_logged_in: false,
        presented: None,
    }
}

/// Whether a logout ended the session of this token.
fn is_ended(token: &RefreshToken, scope: LogoutScope, done: &LoggedOut) -> bool {
    let is_of_session = done.session_id == Some(token.session_id);
    let is_of_user = done.user_id == Some(token.user_id);
    match scope {
        LogoutScope::Current => is_of_session,
        LogoutScope::Others => is_of_user && !is_of_session,
        LogoutScope::All => is_of_user,
    }
}
