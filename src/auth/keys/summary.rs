//! What administrators and operators see of the signing keys.

use crate::auth::{Auth, Error, Viewer};
use crate::clock::Timestamp;
use crate::crypto::algorithm::SigningAlgorithm;
use crate::domain::id::KeyId;
use crate::domain::key_life::SigningKeyState;
use crate::store::StoredKey;

/// What there is to know of a signing key, less the key.
#[derive(Clone, Debug)]
pub struct SigningKey {
    /// Its row's id.
    pub id: KeyId,
    /// Its thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: SigningAlgorithm,
    /// How it stands.
    pub state: SigningKeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it signs.
    pub activates_at: Timestamp,
    /// When the last token that it signed is dead, once it is known when it stops.
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

impl Auth {
    /// The signing keys, for administrators.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn signing_keys(&self, viewer: Viewer) -> Result<Vec<SigningKey>, Error> {
        if !viewer.is_admin() {
            return Ok(Vec::new());
        }
        self.key_summaries().await
    }

    /// The signing keys, for the operator, the oldest first.
    ///
    /// # Errors
    /// A failure of the service.
    pub async fn key_summaries(&self) -> Result<Vec<SigningKey>, Error> {
        let (stored, now) = (self.store.signing_keys().await?, self.now());
        Ok(stored.into_iter().map(|key| SigningKey::new(key, now)).collect())
    }
}
