//! Status of a token.

use async_graphql::{Context, Object, Result};

use super::{Session, TokenRefusal, TokenType};
use crate::auth;
use crate::graphql::scalars::DateTime;

/// What a token is worth.
#[derive(Clone, Debug)]
pub struct TokenStatus(pub(in crate::graphql) auth::TokenStatus);

/// What a token is worth, and why no more.
#[Object]
impl TokenStatus {
    /// Whether the token is accepted. A refresh token counts as accepted as long as its session lives,
    /// unless the caller is its user or an administrator: only they are told that it was rotated away.
    async fn active(&self) -> bool {
        self.0.reason.is_none()
    }

    /// Why the token is refused; null if it is accepted. `ROTATED` is told to the user of the refresh
    /// token and to administrators only.
    async fn reason(&self) -> Option<TokenRefusal> {
        self.0.reason.map(Into::into)
    }

    /// Its kind, where it is one of ours.
    async fn token_type(&self) -> Option<TokenType> {
        self.0.kind.map(Into::into)
    }

    /// Until when it is good by itself, where it is one of ours.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(Into::into)
    }

    /// Session of the token, if the token is accepted. For a refresh token, only its user and
    /// administrators see it.
    async fn session(&self, context: &Context<'_>) -> Result<Option<Session>> {
        match self.0.session {
            Some((id, viewer)) => Session::load(context, viewer, id).await,
            None => Ok(None),
        }
    }
}
