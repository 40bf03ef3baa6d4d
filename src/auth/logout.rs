//! Log out: of this session, of the others, of all.
//!
//! Rule: a token of a session is enough to end that session, however old; to end others one must be
//! logged in. Logging out twice is success, and a token is never a reason for a logout to fail
//! unless it was never ours. A token that is good for nothing any more ends its session and reads
//! nothing: see [`Auth::ended_sessions`].

use super::ending::Ended;
use super::error::{Denial, Reason, UserError, UserErrorCode};
use super::refresh::refused;
use super::{Auth, Caller, Error, Viewer};
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::id::{SessionId, TokenId, UserId};
use crate::domain::presented::{Presentation, Presented};
use crate::domain::session::{EndReason, Session};
use crate::domain::user::Role;
use crate::domain::words;
use crate::store::{self, EndSessions, Ending, Scope};

words! {
    /// Which sessions a logout ends.
    LogoutScope {
        /// The one whose token is presented.
        Current = "CURRENT",
        /// All of the user's but that one.
        Others = "OTHERS",
        /// All of the user's.
        All = "ALL",
    }
}

/// What a logout ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    /// Whose sessions, where that is known.
    pub user_id: Option<UserId>,
    /// The session that logged out, where that is known.
    pub session_id: Option<SessionId>,
    /// The ended ones, the newest first, at most a hundred.
    pub ended: Vec<SessionId>,
    /// How many in all.
    pub count: usize,
    /// Whether whoever logged out was logged in before.
    was_logged_in: bool,
    /// The refresh token that was presented.
    presented: Option<TokenId>,
}

/// Who logs out.
struct Leaving {
    user: UserId,
    session: SessionId,
    /// Whether the refresh token that says so is known to be the outstanding one.
    is_outstanding: bool,
}

impl Auth {
    /// Logs out.
    ///
    /// # Errors
    /// [`UserErrorCode::RefreshTokenInvalid`] for what never was a refresh token,
    /// [`UserErrorCode::Forbidden`] for a refresh token of somebody other than the bearer,
    /// [`Denial::Unauthenticated`] where nothing says who logs out, or a failure of the service.
    pub async fn logout(
        &self,
        refresh_token: Option<&str>,
        scope: LogoutScope,
        caller: &Caller,
    ) -> Result<LoggedOut, Error> {
        let left = store::together(Box::pin(self.leave(refresh_token, scope, caller))).await?;
        let Some((left, ending)) = left else { return Ok(nothing(None)) };
        let Ended { count, newest } = self.count_ending(ending).await?;
        Ok(LoggedOut { ended: newest, count, ..left })
    }

    /// Who left, and what that ended, before it is counted; `None` where that is nobody.
    async fn leave(
        &self,
        refresh_token: Option<&str>,
        scope: LogoutScope,
        caller: &Caller,
    ) -> Result<Option<(LoggedOut, Ending)>, Error> {
        let presented = match refresh_token.map(|token| self.verify_refresh(token, self.now())) {
            None => None,
            Some(Ok(token)) => Some(token),
            // It was ours once; the bearer may still say who logs out, and if not, nobody does.
            Some(Err(Error::Refused(UserError {
                code: UserErrorCode::RefreshTokenExpired,
                ..
            }))) => {
                if caller.token().is_err() {
                    return Ok(None);
                }
                None
            }
            Some(Err(error)) => return Err(error),
        };
        if let (Some(presented), Ok(bearer)) = (&presented, caller.token())
            && presented.user_id != bearer.user_id
        {
            const MESSAGE: &str = "this refresh token belongs to another user";
            let path = &["input", "refreshToken"];
            return Err(UserError::new(UserErrorCode::Forbidden, path, MESSAGE).into());
        }
        let is_authenticated = self.authenticate(caller).is_ok();
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
        self.note_ending(&scope, at, &ending).await?;
        let left = LoggedOut {
            was_logged_in: is_authenticated || is_outstanding,
            presented: presented.map(|presented| presented.id),
            ..nothing(Some((user, session)))
        };
        Ok(Some((left, ending)))
    }

    /// The sessions that a logout ended, the newest first, and as whom its caller sees them. Whoever
    /// was not logged in, neither by the bearer nor by the outstanding refresh token, is told which
    /// they are and how they stand, and nothing of their user.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn ended_sessions(&self, done: &LoggedOut) -> Result<Vec<(Session, Viewer)>, Error> {
        let Some((user_id, session_id)) = done.user_id.zip(done.session_id) else {
            return Ok(Vec::new());
        };
        let mut found = self.sessions_by_id(&done.ended).await?;
        let in_order: Vec<_> = done.ended.iter().filter_map(|id| found.remove(id)).collect();
        // The end left the session's own token as it was.
        let is_outstanding = |session: &Session| done.presented == Some(session.token.id);
        if done.was_logged_in || in_order.iter().any(is_outstanding) {
            let viewer = Viewer { user_id, session_id, role: Role::User };
            return Ok(in_order.into_iter().map(|session| (session, viewer)).collect());
        }
        let viewer = Viewer::stranger(session_id);
        Ok(in_order.into_iter().map(|session| (session.outline(), viewer)).collect())
    }

    /// The user whose several sessions may be ended, and the session that asks. `None` where that
    /// session is over, so that there is nobody left to ask and nothing left to do.
    async fn whose_sessions(
        &self,
        presented: Option<&RefreshToken>,
        caller: &Caller,
    ) -> Result<Option<Leaving>, Error> {
        let Some(token) = presented else {
            return match self.authenticate(caller) {
                Ok(viewer) => Ok(Some(leaving(viewer.user_id, viewer.session_id))),
                Err(Denial::Unauthenticated(Reason::SessionEnded | Reason::UserInactive)) => {
                    Ok(None)
                }
                Err(denial) => Err(denial.into()),
            };
        };
        let RefreshToken { user_id, session_id, id, .. } = *token;
        let Some(known) = self.store.known_token(user_id, session_id, id).await? else {
            return Ok(None);
        };
        let presentation =
            Presentation { token_id: id, attempt: None, rotated_at: known.rotated_at };
        match known.session.judge(&presentation, self.policy.retry_window, self.now()) {
            Presented::Outstanding => {
                Ok(Some(Leaving { is_outstanding: true, ..leaving(user_id, session_id) }))
            }
            Presented::Retry | Presented::Stale => Ok(Some(leaving(user_id, session_id))),
            Presented::Ended => {
                self.note_all_ends(&Scope::User(user_id), self.now(), &[]).await?;
                Ok(None)
            }
            Presented::Expired => Ok(None),
            Presented::Newer => Err(refused(UserErrorCode::SessionEnded)),
            // A copy from long ago must not log its owner out everywhere.
            Presented::Reused => Err(refused(UserErrorCode::RefreshTokenInvalid)),
        }
    }
}

/// The session that whatever is presented belongs to.
fn whose_session(presented: Option<&RefreshToken>, caller: &Caller) -> Result<Leaving, Error> {
    if let Some(token) = presented {
        return Ok(leaving(token.user_id, token.session_id));
    }
    let bearer = caller.token()?;
    Ok(leaving(bearer.user_id, bearer.session_id))
}

fn leaving(user: UserId, session: SessionId) -> Leaving {
    Leaving { user, session, is_outstanding: false }
}

fn nothing(who: Option<(UserId, SessionId)>) -> LoggedOut {
    LoggedOut {
        user_id: who.map(|who| who.0),
        session_id: who.map(|who| who.1),
        ended: Vec::new(),
        count: 0,
        was_logged_in: false,
        presented: None,
    }
}
