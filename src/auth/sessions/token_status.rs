//! Status of a token: whether it is valid, and why not. Nothing is changed.
//!
//! The holder of an access token may see its status: the token gives access to its session anyway. The
//! holder of a refresh token learns only whether the session is active. Only its user and administrators see
//! that it was rotated: a thief would learn when its owner is active.

use super::Sessions;
use crate::auth::caller::{Caller, Viewer};
use crate::auth::error::{Denial, Error};
use crate::clock::Timestamp;
use crate::crypto::TokenError;
use crate::crypto::access_token::AccessToken;
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::id::SessionId;
use crate::domain::refresh_decision::{PresentedToken, RefreshDecision};
use crate::domain::session::SessionState;
use crate::domain::words;

words! {
    TokenType {
        Access = "ACCESS",
        Refresh = "REFRESH",
    }
}

words! {
    /// Reason why a token is not valid.
    TokenRefusal {
        Malformed = "MALFORMED",
        /// Not issued here, or changed.
        Invalid = "INVALID",
        Expired = "EXPIRED",
        WrongType = "WRONG_TYPE",
        /// Replaced by a refresh.
        Rotated = "ROTATED",
        SessionEnded = "SESSION_ENDED",
        /// Of the system that accounts were imported from.
        Foreign = "FOREIGN",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenStatus {
    /// `None`: valid.
    pub reason: Option<TokenRefusal>,
    /// `None` where it was not issued here; so `expires_at`.
    pub kind: Option<TokenType>,
    pub expires_at: Option<Timestamp>,
    /// Session of a valid token, and the viewer who may see it.
    pub session: Option<(SessionId, Viewer)>,
}

impl Sessions {
    /// The status of a token, as far as the caller may know.
    pub async fn token_status(&self, token: &str, caller: &Caller) -> Result<TokenStatus, Error> {
        let now = self.now();
        if self.foreign.as_ref().is_some_and(|foreign| foreign.has_issued(token, now)) {
            return Ok(refusal(TokenRefusal::Foreign));
        }
        match self.guard.verify(token).await.map_err(Denial::from)? {
            Ok(access) => self.access_status(&access),
            Err(TokenError::WrongType) => match self.tokens.verify_refresh(token, now) {
                Ok(refresh) => self.refresh_status(&refresh, caller).await,
                Err(error) => Ok(unknown(error)),
            },
            Err(error) => Ok(unknown(error)),
        }
    }

    fn access_status(&self, token: &AccessToken) -> Result<TokenStatus, Error> {
        let reason = if self.guard.has_expired(token) {
            Some(TokenRefusal::Expired)
        } else {
            let end = self.revocations.end_of(token.user_id, token.session_id);
            let end = end.map_err(Denial::from)?;
            end.map(|_| TokenRefusal::SessionEnded)
        };
        let AccessToken { user_id, session_id, expires_at, .. } = *token;
        // The holder counts as the token's user, even if the request authenticates another user.
        let holder = Viewer::holder(user_id, session_id);
        Ok(known(TokenType::Access, reason, expires_at, Some((session_id, holder))))
    }

    async fn refresh_status(
        &self,
        token: &RefreshToken,
        caller: &Caller,
    ) -> Result<TokenStatus, Error> {
        let viewer = match self.guard.authenticate(caller) {
            Ok(viewer) => Some(viewer).filter(|viewer| viewer.may_see(token.user_id)),
            Err(denial @ Denial::Stale(_)) => return Err(denial.into()),
            Err(_) => None,
        };
        let reason = match viewer {
            Some(_) => self.refusal_of(token).await?,
            None => self.end_of(token).await?,
        };
        let session = viewer.map(|viewer| (token.session_id, viewer));
        Ok(known(TokenType::Refresh, reason, token.expires_at, session))
    }

    /// Reason for which a refresh with this token would be refused.
    pub(super) async fn refusal_of(
        &self,
        token: &RefreshToken,
    ) -> Result<Option<TokenRefusal>, Error> {
        let RefreshToken { user_id, session_id, id, .. } = *token;
        let Some(found) = self.store.known_token(user_id, session_id, id).await? else {
            return Ok(Some(TokenRefusal::SessionEnded));
        };
        let presentation =
            PresentedToken { token_id: id, attempt: None, rotated_at: found.rotated_at };
        Ok(
            match found.session.decide_refresh(&presentation, self.policy.retry_window, self.now())
            {
                RefreshDecision::Outstanding => None,
                RefreshDecision::Retry | RefreshDecision::Stale | RefreshDecision::Reused => {
                    Some(TokenRefusal::Rotated)
                }
                RefreshDecision::Ended | RefreshDecision::Newer => Some(TokenRefusal::SessionEnded),
                RefreshDecision::Expired => Some(TokenRefusal::Expired),
            },
        )
    }

    /// Reason why no token of this session is valid. Whether this token was rotated is not looked up, so
    /// that neither the answer nor its time reveals it.
    async fn end_of(&self, token: &RefreshToken) -> Result<Option<TokenRefusal>, Error> {
        let id = token.session_id;
        let found = self.ends.sessions_by_id(&[id]).await?.remove(&id);
        let session = found.filter(|session| session.user_id == token.user_id);
        let state = session.map_or(SessionState::Ended, |session| session.state(self.now()));
        Ok(match state {
            SessionState::Active => None,
            SessionState::Expired => Some(TokenRefusal::Expired),
            SessionState::Ended => Some(TokenRefusal::SessionEnded),
        })
    }
}

fn known(
    kind: TokenType,
    reason: Option<TokenRefusal>,
    expires_at: Timestamp,
    session: Option<(SessionId, Viewer)>,
) -> TokenStatus {
    TokenStatus {
        reason,
        kind: Some(kind),
        expires_at: Some(expires_at),
        session: session.filter(|_| reason.is_none()),
    }
}

fn unknown(error: TokenError) -> TokenStatus {
    let reason = match error {
        TokenError::Malformed => TokenRefusal::Malformed,
        TokenError::Invalid => TokenRefusal::Invalid,
        TokenError::Expired => TokenRefusal::Expired,
        TokenError::WrongType => TokenRefusal::WrongType,
    };
    refusal(reason)
}

/// The status of a token that this service did not issue.
fn refusal(reason: TokenRefusal) -> TokenStatus {
    TokenStatus { reason: Some(reason), kind: None, expires_at: None, session: None }
}
