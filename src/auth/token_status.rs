//! What a token is worth, and why no more. It changes nothing.

use super::{Auth, Error};
use crate::clock::Timestamp;
use crate::crypto::TokenRefusal;
use crate::crypto::access_token::AccessToken;
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::id::SessionId;
use crate::domain::session::{Presentation, Presented};
use crate::domain::words;

words! {
    /// The two kinds of token.
    TokenKind {
        /// It opens the API.
        Access = "ACCESS",
        /// It opens the next pair.
        Refresh = "REFRESH",
    }
}

words! {
    /// Why a token is refused.
    StatusReason {
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
    pub reason: Option<StatusReason>,
    /// Its kind, where it is one of ours.
    pub kind: Option<TokenKind>,
    /// Until when it is good by itself, where it is one of ours.
    pub expires_at: Option<Timestamp>,
    /// Its session, where it is good. Whoever holds a token that is not learns nothing about it.
    pub session_id: Option<SessionId>,
}

impl Auth {
    /// Says what a token is worth.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn token_status(&self, token: &str) -> Result<TokenStatus, Error> {
        match self.recognize(token).await.map_err(super::Denial::from)? {
            Ok(access) => self.access_status(&access),
            Err(TokenRefusal::WrongType) => {
                match self.refresh_keys.verify(&self.issuer.issuer, token, self.now()) {
                    Ok(refresh) => self.refresh_status(&refresh).await,
                    Err(refusal) => Ok(unknown(refusal)),
                }
            }
            Err(refusal) => Ok(unknown(refusal)),
        }
    }

    fn access_status(&self, token: &AccessToken) -> Result<TokenStatus, Error> {
        let reason = if self.has_expired(token) {
            Some(StatusReason::Expired)
        } else {
            let end = self.revocations.end_of(token.session_id).map_err(super::Denial::from)?;
            end.map(|_| StatusReason::SessionEnded)
        };
        Ok(known(TokenKind::Access, reason, token.expires_at, token.session_id))
    }

    async fn refresh_status(&self, token: &RefreshToken) -> Result<TokenStatus, Error> {
        let RefreshToken { user_id, session_id, id, expires_at, .. } = *token;
        let reason = match self.store.known_token(user_id, session_id, id).await? {
            None => Some(StatusReason::SessionEnded),
            Some(found) => {
                let presentation =
                    Presentation { token_id: id, attempt: None, rotated_at: found.rotated_at };
                let window = self.policy.retry_window;
                match found.session.judge(&presentation, window, self.now()) {
                    Presented::Outstanding => None,
                    Presented::Retry | Presented::Stale | Presented::Reused => {
                        Some(StatusReason::Rotated)
                    }
                    Presented::Ended | Presented::Newer => Some(StatusReason::SessionEnded),
                    Presented::Expired => Some(StatusReason::Expired),
                }
            }
        };
        Ok(known(TokenKind::Refresh, reason, expires_at, session_id))
    }
}

fn known(
    kind: TokenKind,
    reason: Option<StatusReason>,
    expires_at: Timestamp,
    session_id: SessionId,
) -> TokenStatus {
    TokenStatus {
        reason,
        kind: Some(kind),
        expires_at: Some(expires_at),
        session_id: reason.is_none().then_some(session_id),
    }
}

fn unknown(refusal: TokenRefusal) -> TokenStatus {
    let reason = match refusal {
        TokenRefusal::Malformed => StatusReason::Malformed,
        TokenRefusal::Invalid => StatusReason::Invalid,
        TokenRefusal::Expired => StatusReason::Expired,
        TokenRefusal::WrongType => StatusReason::WrongType,
    };
    TokenStatus { reason: Some(reason), kind: None, expires_at: None, session_id: None }
}
