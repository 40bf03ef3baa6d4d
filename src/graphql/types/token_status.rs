//! Status of a token.

use async_graphql::{Context, Object, Result};

use super::{Session, TokenRefusal, TokenType};
use crate::auth;
use crate::graphql::scalars::DateTime;

/// The status of a token, as its caller may see it.
#[derive(Clone, Debug)]
pub struct TokenStatus(pub(in crate::graphql) auth::TokenStatus);

/// Status of a token: accepted, or refused for a reason.
#[Object]
impl TokenStatus {
    /// True if the token is accepted. For a refresh token, callers other than its user and
    /// administrators only see if its session is active: for them the value is true even if a
    /// refresh has replaced the token.
    async fn active(&self) -> bool {
        self.0.reason.is_none()
    }

    /// Reason why the token is refused; null if it is accepted. Only the user of a refresh token
    /// and administrators see `ROTATED`.
    async fn reason(&self) -> Option<TokenRefusal> {
        self.0.reason.map(Into::into)
    }

    /// Type of the token; null if the token was not issued by this service.
    async fn token_type(&self) -> Option<TokenType> {
        self.0.kind.map(Into::into)
    }

    /// When the token expires by itself; null if the token was not issued by this service.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(Into::into)
    }

    /// Session of the token; null if the token is refused. For a refresh token, only its user and
    /// administrators see the session; for other callers it is null.
    async fn session(&self, context: &Context<'_>) -> Result<Option<Session>> {
        match self.0.session {
            Some((id, viewer)) => Session::load(context, viewer, id).await,
            None => Ok(None),
        }
    }
}
