//! Status of a refresh token of another system. Nothing is changed.

use super::Sessions;
use super::token_status::TokenRefusal;
use crate::auth::error::Error;
use crate::crypto::TokenError;
use crate::domain::foreign_token::ForeignTokenDecision;
use crate::domain::session::SessionState;

impl Sessions {
    /// Why a refresh with this token would be refused; the inner `None` if it would not be. The outer `None`: it is
    /// not a token of another system.
    pub async fn foreign_status(&self, token: &str) -> Result<Option<Option<TokenRefusal>>, Error> {
        let now = self.now();
        let Some(verified) = self.foreign_token(token, now) else { return Ok(None) };
        let verified = match verified {
            Ok(verified) => verified,
            Err(TokenError::Expired) => return Ok(Some(Some(TokenRefusal::Expired))),
            Err(TokenError::WrongType) => return Ok(Some(Some(TokenRefusal::WrongType))),
            Err(_) => return Ok(Some(Some(TokenRefusal::Invalid))),
        };
        let token = verified.token();
        let known =
            self.store.foreign_token(verified.source(), &token.id, &token.external_id).await?;
        let Some(known) = known else { return Ok(Some(Some(TokenRefusal::Invalid))) };
        Ok(Some(match verified.decide(&known) {
            ForeignTokenDecision::Exchange => None,
            ForeignTokenDecision::Exchanged(session, _) => {
                let found = self.ends.sessions_by_id(&[session]).await?.remove(&session);
                let found = found.filter(|_| known.owner.is_active);
                match found.map(|session| (session.state(now), session.generation)) {
                    Some((SessionState::Active, 0)) => None,
                    Some((SessionState::Active, _)) => Some(TokenRefusal::Rotated),
                    Some((SessionState::Expired, _)) => Some(TokenRefusal::Expired),
                    Some((SessionState::Ended, _)) | None => Some(TokenRefusal::SessionEnded),
                }
            }
            ForeignTokenDecision::Ended => Some(TokenRefusal::SessionEnded),
            ForeignTokenDecision::Invalid => Some(TokenRefusal::Invalid),
        }))
    }
}
