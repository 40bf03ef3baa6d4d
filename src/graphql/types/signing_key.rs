//! Signing keys.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::SigningKeyState;
use crate::auth;
use crate::graphql::global_id::GlobalId;
use crate::graphql::scalars::DateTime;

/// A signing key, as administrators see it.
#[derive(Clone, Debug)]
pub struct SigningKey(Arc<auth::SigningKey>);

impl SigningKey {
    pub(in crate::graphql) fn new(key: auth::SigningKey) -> Self {
        Self(Arc::new(key))
    }
}

/// Key that signs access tokens.
#[Object]
impl SigningKey {
    /// Global object ID (Relay Node).
    pub(super) async fn id(&self) -> ID {
        GlobalId::SigningKey(self.0.id).into()
    }

    /// Thumbprint of the key (RFC 7638): the header `kid` of the tokens that it signs.
    async fn kid(&self) -> &str {
        &self.0.kid
    }

    /// Signature algorithm: `ES256`, `EdDSA` or `RS256`.
    async fn algorithm(&self) -> &str {
        self.0.algorithm.as_str()
    }

    /// Current state: next, active, retiring or retired.
    async fn state(&self) -> SigningKeyState {
        self.0.state.into()
    }

    /// When the key was created.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When the key starts to sign.
    async fn activates_at(&self) -> DateTime {
        self.0.activates_at.into()
    }

    /// When the last access token that the key signed has expired; null while the key has no
    /// successor.
    async fn retire_safe_at(&self) -> Option<DateTime> {
        self.0.retire_safe_at.map(Into::into)
    }
}
