//! What a token is worth, and why no more. It changes nothing.
//!
//! Rule: an access token shows what it opens anyway. A refresh token opens nothing but the next pair:
//! whoever only holds one learns no more than whether its session lives. Whether it was rotated away,
//! by which a thief would know when to come, is for its user and for administrators.

use super::{Auth, Caller, Denial, Error, Viewer};
use crate::clock::Timestamp;
use crate::crypto::TokenError;
use crate::crypto::access_token::AccessToken;
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::id::SessionId;
use crate::domain::presented::{Presentation, Presented};
use crate::domain::session::SessionState;
use crate::domain::user::Role;
use crate::domain::words;

words! {
    /// The two kinds of token.
    TokenType {
        /// It opens the API.
        Access = "ACCESS",
        /// It opens the next pair.
        Refresh = "REFRESH",
    }
}

words! {
    /// Why a token is refused.
    TokenRefusal {
        /// It is no token.
        Malformed = "MALFORMED",
        /// It is not one of ours.
        Invalid = "INVALID",
        /// It has run out.
        Expired = "EXPIRED",
        /// It is for something else.
        WrongType = "WRONG_TYPE",
        /// A refresh put another in its place.
        Rotated = "ROTATED",
        /// Its session has ended.
        SessionEnded = "SESSION_ENDED",
    }
}

/// What a token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenStatus {
    /// Why it is refused; `None` where it is not.
    pub reason: Option<TokenRefusal>,
    /// Its kind, where it is one of ours.
    pub kind: Option<TokenType>,
    /// Until when it is good by itself, where it is one of ours.
    pub expires_at: Option<Timestamp>,
    /// Its session, where it is good and somebody may see it; and who.
    pub session: Option<(SessionId, Viewer)>,
}

impl Auth {
    /// Says what a token is worth, as far as the caller may know.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn token_status(&self, token: &str, caller: &Caller) -> Result<TokenStatus, Error> {
        match self.recognize(token).await.map_err(Denial::from)? {
            Ok(access) => self.access_status(&access),
            Err(TokenError::WrongType) => {
                match self.refresh_keys.verify(&self.issuer.issuer, token, self.now()) {
                    Ok(refresh) => self.refresh_status(&refresh, caller).await,
                    Err(refusal) => Ok(unknown(refusal)),
                }
            }
            Err(refusal) => Ok(unknown(refusal)),
        }
    }

    fn access_status(&self, token: &AccessToken) -> Result<TokenStatus, Error> {
        let reason = if self.has_expired(token) {
            Some(TokenRefusal::Expired)
        } else {
            let end = self.revocations.end_of(token.user_id, token.session_id);
            let end = end.map_err(Denial::from)?;
            end.map(|_| TokenRefusal::SessionEnded)
        };
        let AccessToken { user_id, session_id, expires_at, .. } = *token;
        // Who holds it is its user, whatever else the request brings.
        let holder = Viewer { user_id, session_id, role: Role::User };
        Ok(known(TokenType::Access, reason, expires_at, Some((session_id, holder))))
    }

    async fn refresh_status(
        &self,
        token: &RefreshToken,
        caller: &Caller,
    ) -> Result<TokenStatus, Error> {
        let viewer = match self.authenticate(caller) {
            Ok(viewer) => Some(viewer).filter(|viewer| viewer.may_see(token.user_id)),
            Err(Denial::Unauthenticated(_) | Denial::Forbidden) => None,
            Err(denial @ Denial::Stale(_)) => return Err(denial.into()),
        };
        let reason = match viewer {
            Some(_) => self.refusal_of(token).await?,
            None => self.end_of(token).await?,
        };
        let session = viewer.map(|viewer| (token.session_id, viewer));
        Ok(known(TokenType::Refresh, reason, token.expires_at, session))
    }

    /// Why a refresh with this token would be refused.
    async fn refusal_of(&self, token: &RefreshToken) -> Result<Option<TokenRefusal>, Error> {
        let RefreshToken { user_id, session_id, id, .. } = *token;
        let Some(found) = self.store.known_token(user_id, session_id, id).await? else {
            return Ok(Some(TokenRefusal::SessionEnded));
        };
        let presentation =
            Presentation { token_id: id, attempt: None, rotated_at: found.rotated_at };
        Ok(match found.session.judge(&presentation, self.policy.retry_window, self.now()) {
            Presented::Outstanding => None,
            Presented::Retry | Presented::Stale | Presented::Reused => Some(TokenRefusal::Rotated),
            Presented::Ended | Presented::Newer => Some(TokenRefusal::SessionEnded),
            Presented::Expired => Some(TokenRefusal::Expired),
        })
    }

    /// Why no token of this one's session is good. Its own fate is not looked at, so that neither the
    /// answer nor its time tells it.
    async fn end_of(&self, token: &RefreshToken) -> Result<Option<TokenRefusal>, Error> {
        let id = token.session_id;
        let found = self.sessions_by_id(&[id]).await?.remove(&id);
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

fn unknown(refusal: TokenError) -> TokenStatus {
    let reason = match refusal {
        TokenError::Malformed => TokenRefusal::Malformed,
        TokenError::Invalid => TokenRefusal::Invalid,
        TokenError::Expired => TokenRefusal::Expired,
        TokenError::WrongType => TokenRefusal::WrongType,
    };
    TokenStatus { reason: Some(reason), kind: None, expires_at: None, session: None }
}
