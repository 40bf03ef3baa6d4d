//! The pair of tokens that a session's row stands for.
//!
//! Rule: tokens are signed after the commit, from the row. So a crash in between costs a retry and
//! never a session, and a retry gives the same refresh token byte for byte. An access token never
//! outlives its session, nor what the row says of its access tokens: an end is kept for so long.

use super::{Auth, Denial, Error};
use crate::clock::Timestamp;
use crate::crypto::access_token::{self, AccessToken};
use crate::crypto::refresh_token::RefreshToken;
use crate::domain::id::TokenId;
use crate::domain::session::Session;
use crate::domain::user::Role;
use crate::revocation::Stale;

/// What a client goes on with.
#[derive(Clone)]
pub struct TokenPair {
    /// Opens the API.
    pub access_token: String,
    /// Until when.
    pub access_expires_at: Timestamp,
    /// Opens the next pair; `None` where the client keeps the one it has.
    pub refresh_token: Option<String>,
    /// Until when the session can be refreshed.
    pub refresh_expires_at: Timestamp,
}

/// Redacted.
impl std::fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenPair(…)")
    }
}

/// Somebody who just logged in or refreshed.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// What its user may do.
    pub role: Role,
    /// Its tokens.
    pub tokens: TokenPair,
}

impl Auth {
    /// When an access token given out now runs out, unless its session does before.
    pub(super) fn access_expiry(&self, now: Timestamp) -> Timestamp {
        (now + self.policy.access_token_lifetime).floor_to_second()
    }

    /// Signs the pair for a session as its row stands.
    pub(super) fn sign_in(
        &self,
        session: Session,
        role: Role,
        now: Timestamp,
        with_refresh: bool,
    ) -> Result<SignedIn, Error> {
        let access = AccessToken {
            user_id: session.user_id,
            session_id: session.id,
            id: TokenId::new(now, &*self.entropy),
            issued_at: now.floor_to_second(),
            expires_at: self
                .access_expiry(now)
                .min(session.token.expires_at)
                .min(session.access_expires_at),
            auth_time: session.created_at.floor_to_second(),
            role,
        };
        let refresh = RefreshToken {
            user_id: session.user_id,
            session_id: session.id,
            id: session.token.id,
            issued_at: session.token.issued_at,
            expires_at: session.token.expires_at,
        };
        let refresh_token = if with_refresh {
            Some(self.refresh_keys.sign(&self.issuer.issuer, &refresh)?)
        } else {
            None
        };
        // The key of the same moment as the claims: it is kept for as long as these say.
        let keys = self.keys.ring(now);
        if keys.signing().is_none() {
            return Err(Denial::from(Stale).into());
        }
        let tokens = TokenPair {
            access_token: access_token::sign(&keys, &self.issuer, &access)?,
            access_expires_at: access.expires_at,
            refresh_token,
            refresh_expires_at: session.token.expires_at,
        };
        Ok(SignedIn { session, role, tokens })
    }
}
