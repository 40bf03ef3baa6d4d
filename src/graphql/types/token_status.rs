//! What a token is worth.

use async_graphql::{Context, Object, Result};

use super::{Session, TokenRefusal, TokenType};
use crate::auth::{self, Viewer};
use crate::domain::user::Role;
use crate::graphql::Loaders;
use crate::graphql::scalars::DateTime;

/// What a token is worth.
#[derive(Clone, Debug)]
pub struct TokenStatus(pub(in crate::graphql) auth::TokenStatus);

/// What a token is worth, and why no more.
#[Object]
impl TokenStatus {
    /// Whether it is accepted.
    async fn active(&self) -> bool {
        self.0.reason.is_none()
    }

    /// Why it is refused.
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

    /// Its session, where it is good.
    async fn session(&self, context: &Context<'_>) -> Result<Option<Session>> {
        let Some(id) = self.0.session_id else { return Ok(None) };
        let session = context.data_unchecked::<Loaders>().session(id).await?;
        // Whoever holds a good token of a session is its user, whatever else the request brings.
        Ok(session.map(|session| {
            let (user_id, session_id) = (session.user_id, session.id);
            Session::shared(session, Viewer { user_id, session_id, role: Role::User })
        }))
    }
}
