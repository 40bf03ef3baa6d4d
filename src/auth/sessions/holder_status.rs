//! What the endpoints of SimpleJWT tell whoever holds a token about it.
//!
//! More than [`Sessions::token_status`] tells: SimpleJWT says that a refresh token was rotated to everyone who
//! has it, and its clients depend on that. So this is only for services that offer these endpoints.

use super::Sessions;
use super::token_status::{TokenRefusal, TokenStatus, TokenType};
use crate::auth::caller::Caller;
use crate::auth::error::Error;

impl Sessions {
    /// The status of a token; of a refresh token also whether it was rotated. One of another system that is accepted
    /// is like one that was issued here.
    pub async fn holder_status(&self, token: &str, caller: &Caller) -> Result<TokenStatus, Error> {
        if let Some(reason) = self.foreign_status(token).await? {
            let is_refresh = reason != Some(TokenRefusal::WrongType);
            let kind = is_refresh.then_some(TokenType::Refresh);
            return Ok(TokenStatus { reason, kind, expires_at: None, session: None });
        }
        let status = self.token_status(token, caller).await?;
        if status.kind != Some(TokenType::Refresh) || status.reason.is_some() {
            return Ok(status);
        }
        let Ok(refresh) = self.tokens.verify_refresh(token, self.now()) else { return Ok(status) };
        let reason = self.refusal_of(&refresh).await?;
        Ok(TokenStatus { reason, ..status })
    }

    /// Whether the account of a refresh token is deactivated.
    pub async fn is_of_inactive_user(&self, token: &str) -> Result<bool, Error> {
        if let Some(Ok(foreign)) = self.foreign_token(token, self.now()) {
            let (source, token) = (foreign.source(), foreign.token());
            let known = self.store.foreign_token(source, &token.id, &token.external_id).await?;
            return Ok(known.is_some_and(|known| !known.owner.is_active));
        }
        let Ok(token) = self.tokens.verify_refresh(token, self.now()) else { return Ok(false) };
        let known = self.store.known_token(token.user_id, token.session_id, token.id).await?;
        Ok(known.is_some_and(|known| !known.user_is_active))
    }
}
