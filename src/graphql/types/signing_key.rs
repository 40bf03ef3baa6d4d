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

/// A key that access tokens are signed with.
#[Object]
impl SigningKey {
    /// What it is asked for by.
    pub(super) async fn id(&self) -> ID {
        GlobalId::SigningKey(self.0.id).into()
    }

    /// Its thumbprint, the `kid` of its tokens.
    async fn kid(&self) -> &str {
        &self.0.kid
    }

    /// What it signs with.
    async fn algorithm(&self) -> &str {
        self.0.algorithm.as_str()
    }

    /// How it stands.
    async fn state(&self) -> SigningKeyState {
        self.0.state.into()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// From when on it signs.
    async fn activates_at(&self) -> DateTime {
        self.0.activates_at.into()
    }

    /// When the last token that it signed is dead, once it is known when it stops.
    async fn retire_safe_at(&self) -> Option<DateTime> {
        self.0.retire_safe_at.map(Into::into)
    }
}
