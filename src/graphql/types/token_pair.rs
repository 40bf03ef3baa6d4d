//! Access token and refresh token.

use async_graphql::SimpleObject;

use crate::auth;
use crate::graphql::scalars::DateTime;

/// Access token, and the refresh token to exchange for the next pair.
#[derive(Clone, SimpleObject)]
pub struct TokenPair {
    /// Authentication scheme of the access token: always `Bearer` (RFC 6750), as in the header
    /// `Authorization: Bearer <accessToken>`.
    token_type: &'static str,
    /// JSON Web Token (JWT) that authenticates requests, in the header `Authorization`.
    access_token: String,
    /// When the access token expires.
    access_token_expires_at: DateTime,
    /// Token for the next `refresh`. Null if it was set as a cookie, and if refresh tokens do not
    /// rotate (the client keeps its token).
    refresh_token: Option<String>,
    /// When the refresh token expires: until then, the session can be refreshed.
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
