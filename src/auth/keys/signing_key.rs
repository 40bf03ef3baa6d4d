//! Signing keys as administrators see them.

use super::state::Keys;
use crate::auth::authority::Admin;
use crate::auth::error::Error;
use crate::clock::Timestamp;
use crate::domain::id::KeyId;
use crate::domain::key_life::SigningKeyState;
use crate::store::{StoredAlgorithm, StoredKey};

/// A signing key without its private part.
#[derive(Clone, Debug)]
pub struct SigningKey {
    pub id: KeyId,
    /// Thumbprint (RFC 7638).
    pub kid: String,
    pub algorithm: StoredAlgorithm,
    pub state: SigningKeyState,
    pub created_at: Timestamp,
    /// Start of signing.
    pub activates_at: Timestamp,
    /// When its last token has expired; `None` while it is not known when it stops.
    pub retire_safe_at: Option<Timestamp>,
}

impl SigningKey {
    fn new(key: StoredKey, now: Timestamp) -> Self {
        let StoredKey { id, kid, algorithm, created_at, life, .. } = key;
        Self {
            id,
            kid,
            algorithm,
            state: life.state(now),
            created_at,
            activates_at: life.activates_at,
            retire_safe_at: life.retire_safe_at(),
        }
    }
}

impl Keys {
    /// The signing keys, the oldest first.
    pub async fn list(&self, _by: Admin) -> Result<Vec<SigningKey>, Error> {
        let (stored, now) = (self.store.signing_keys().await?, self.clock.now());
        Ok(stored.into_iter().map(|key| SigningKey::new(key, now)).collect())
    }
}
