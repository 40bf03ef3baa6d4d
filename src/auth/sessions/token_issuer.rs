//! Issue of a session's access and refresh tokens.
//!
//! Tokens are signed after the commit, from the session's row. So a crash in between costs a retry and
//! never a session, and a retry gives the same refresh token byte for byte. An access token never outlives
//! its session, nor the time that the row says for its access tokens: an end is kept for that long.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::caller::Viewer;
use crate::auth::error::{Denial, Error};
use crate::auth::keys::Keys;
use crate::clock::Timestamp;
use crate::crypto::TokenError;
use crate::crypto::access_token::{self, AccessToken, Issuer};
use crate::crypto::key_ring::KeyRing;
use crate::crypto::refresh_token::{RefreshKeys, RefreshToken};
use crate::crypto::secret_token::SecretToken;
use crate::domain::id::TokenId;
use crate::domain::session::Session;
use crate::domain::user::Role;
use crate::domain::user_claims::UserClaims;
use crate::entropy::Entropy;
use crate::redacted::redacted_debug;
use crate::revocation::Stale;

#[derive(Clone)]
pub struct TokenPair {
    pub access_token: String,
    pub access_expires_at: Timestamp,
    /// `None` where the client keeps the one it has, or gets it in a cookie.
    pub refresh_token: Option<String>,
    pub refresh_expires_at: Timestamp,
}

redacted_debug!(TokenPair);

/// A session that was just opened or refreshed, with its tokens.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub(super) session: Session,
    role: Role,
    pub(super) tokens: TokenPair,
    /// Token of a device that is trusted from now on, and when it expires.
    pub(super) device: Option<(SecretToken, Timestamp)>,
}

impl SignedIn {
    #[must_use]
    pub fn into_parts(self) -> (Session, TokenPair) {
        (self.session, self.tokens)
    }

    #[must_use]
    pub(super) fn on_device(self, device: Option<(SecretToken, Timestamp)>) -> Self {
        Self { device, ..self }
    }

    /// The token of a device that is trusted from now on; `None` where it is in a cookie.
    #[must_use]
    pub fn device_token(&self) -> Option<&str> {
        self.device.as_ref().map(|(token, _)| token.as_str())
    }

    /// The session's user, who sees the payload that carries the tokens.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        let proved_at = self.session.authentication.at;
        Viewer::new(self.session.user_id, self.session.id, self.role, proved_at)
    }
}

/// Issuer of tokens.
pub struct TokenIssuer {
    pub(in crate::auth) keys: Arc<Keys>,
    pub(in crate::auth) refresh_keys: RefreshKeys,
    pub(in crate::auth) issuer: Issuer,
    pub(in crate::auth) access_token_lifetime: Duration,
    pub(in crate::auth) entropy: Arc<dyn Entropy>,
}

impl TokenIssuer {
    /// Expiry of an access token that is issued now, unless its session expires before.
    pub(in crate::auth) fn access_expiry(&self, now: Timestamp) -> Timestamp {
        (now + self.access_token_lifetime).floor_to_second()
    }

    /// Verifies a refresh token that was issued here; its session may have ended.
    pub(in crate::auth) fn verify_refresh(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<RefreshToken, TokenError> {
        self.refresh_keys.verify(&self.issuer.issuer, token, now)
    }

    /// Refuses where this process cannot sign. Called before anything is written: a refresh token that is
    /// replaced without an answer counts as reused when the client repeats it too late.
    pub(in crate::auth) fn check_signing(&self, now: Timestamp) -> Result<(), Error> {
        self.signing_ring(now).map(drop)
    }

    fn signing_ring(&self, now: Timestamp) -> Result<Arc<KeyRing>, Error> {
        let ring = self.keys.ring_at(now);
        if ring.signing().is_some() { Ok(ring) } else { Err(Denial::from(Stale).into()) }
    }

    /// Signs the tokens of a session as its row stands.
    pub(in crate::auth) fn issue(
        &self,
        session: Session,
        user: UserClaims,
        now: Timestamp,
        with_refresh: bool,
    ) -> Result<SignedIn, Error> {
        let shown = session.authentication;
        let access = AccessToken {
            user_id: session.user_id,
            session_id: session.id,
            id: TokenId::new(now, &*self.entropy),
            issued_at: now.floor_to_second(),
            expires_at: self
                .access_expiry(now)
                .min(session.token.expires_at)
                .min(session.access_expires_at),
            auth_time: shown.at.floor_to_second(),
            methods: shown.methods,
            assurance: shown.assurance,
            factor_time: shown.second_factor_at.map(Timestamp::floor_to_second),
            role: user.role,
            external_id: user.external_id,
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
        let keys = self.signing_ring(now)?;
        let tokens = TokenPair {
            access_token: access_token::sign(&keys, &self.issuer, &access)?,
            access_expires_at: access.expires_at,
            refresh_token,
            refresh_expires_at: session.token.expires_at,
        };
        Ok(SignedIn { session, role: user.role, tokens, device: None })
    }
}
