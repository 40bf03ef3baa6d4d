//! Access token and refresh token.

use async_graphql::SimpleObject;

use crate::auth;
use crate::graphql::scalars::DateTime;

/// An access token and the refresh token for the next pair.
#[derive(Clone, SimpleObject)]
pub struct TokenPair {
    /// How the access token is sent: `Bearer` (RFC 6750).
    token_type: &'static str,
    /// Opens the API.
    access_token: String,
    /// Until when.
    access_token_expires_at: DateTime,
    /// Opens the next pair; null where it went into the cookie, or where refresh tokens do not rotate
    /// and the client keeps its own.
    refresh_token: Option<String>,
    /// Until when the session can be refreshed.
    refresh_token_expires_at: DateTime,
}

impl From<auth::TokenPair> for TokenPair {
    fn from(tokens: auth::TokenPair) -> Self {
        Self {
            token_type: "Bearer",
            access_token: tokens.access_token,
            access_token_expires_at: tokens.access_expires_at.into(),
            refresh_token: tokens.refresh_token,
            refresh_token_expires_at: tokens.refresh_expires_at.into(),
        }
    }
}
