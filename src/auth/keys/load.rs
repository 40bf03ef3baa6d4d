//! Loading of the signing keys from the database.
//!
//! Before a process signs with a key it writes the lifetime of its tokens into the key's row, so that the
//! key is kept for long enough whatever the flags are later. A key that cannot be opened does not affect
//! the others: its tokens are neither accepted nor called invalid. So it is with a key of an algorithm that
//! only a newer version knows, which runs beside this one during a rolling update.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::key_set::{HeldKey, KeySet, UsableKeys};
use super::state::{KeyError, Keys};
use crate::clock::Timestamp;
use crate::crypto::CryptoError;
use crate::crypto::algorithm::SigningAlgorithm;
use crate::crypto::key_pair::KeyPair;
use crate::domain::id::KeyId;
use crate::domain::key_life::KeyLife;
use crate::store::{self, KeyMark, StoredAlgorithm, StoredKey};

impl Keys {
    /// Loads the keys, makes the first where there is none, and rotates where another algorithm is wanted.
    pub async fn open(&self, algorithm: Option<SigningAlgorithm>) -> Result<(), KeyError> {
        let mut stored = self.store.signing_keys().await?;
        if stored.is_empty() {
            let now = self.clock.now();
            let (key, _) = self.make(algorithm.unwrap_or_default(), now, now).await?;
            // Where another process was faster, its key is read.
            self.store.add_first_key(key).await?;
            stored = self.store.signing_keys().await?;
        }
        if let Some(algorithm) = algorithm {
            self.turn_to(algorithm, &stored).await?;
        }
        self.read().await?;
        match self.usable() {
            UsableKeys::NotThoseOfAnotherSecret => Err(KeyError::Sealed),
            // Where the key that signs has an unknown algorithm, tokens of the other keys are accepted.
            UsableKeys::All
            | UsableKeys::AllOfKnownAlgorithms
            | UsableKeys::AllButTheSigningKey => Ok(()),
        }
    }

    /// A new key, sealed as a row, that signs from `activates_at` on; and its name.
    pub(super) async fn make(
        &self,
        algorithm: SigningAlgorithm,
        now: Timestamp,
        activates_at: Timestamp,
    ) -> Result<(StoredKey, String), CryptoError> {
        // Finding the primes of an RSA key takes too long for a thread that answers requests.
        let made = tokio::task::spawn_blocking(move || KeyPair::generate(algorithm)).await;
        // It is never cancelled, so an error is a panic.
        let key = made.unwrap_or_else(|error| resume_unwind(error.into_panic()))?;
        let row = StoredKey {
            id: KeyId::new(now, &*self.entropy),
            kid: key.kid().to_owned(),
            algorithm: algorithm.into(),
            sealed: key.to_sealed(&self.secrets, &*self.entropy)?,
            created_at: now,
            life: KeyLife {
                activates_at,
                stops_at: None,
                token_lifetime: self.token_lifetime,
                is_destroyed: false,
            },
        };
        Ok((row, key.kid().to_owned()))
    }

    /// Reads the keys and replaces those that are held.
    pub(super) async fn read(&self) -> Result<(), store::Error> {
        let _reading = self.reading.lock().await;
        let mut stored = self.store.signing_keys().await?;
        let now = self.clock.now();
        if raise_lifetimes(&mut stored, self.token_lifetime, now) {
            self.store.raise_token_lifetime(self.token_lifetime, now).await?;
        }
        let held = self.held();
        let mut keys = Vec::with_capacity(stored.len());
        let mut is_emergency = false;
        for row in stored {
            let known = held.find(&row.kid);
            is_emergency |= row.life.is_destroyed && known.is_some_and(|known| known.verifies(now));
            let key = match known.and_then(|held| held.key.clone()) {
                _ if row.life.is_destroyed => None,
                Some(key) => Some(key),
                None => self.unseal(&row).await?,
            };
            if key.is_none() && !row.life.is_destroyed && known.is_none() {
                log_unopened(&row);
            }
            let is_known_algorithm = row.algorithm.known().is_some();
            let mark = KeyMark { kid: row.kid, life: row.life };
            keys.push(HeldKey { mark, key, is_known_algorithm });
        }
        let read = Arc::new(KeySet::new(keys, now));
        *self.held.write() = read;
        if is_emergency {
            // After the keys are in place: a reader of the new count verifies by the new keys.
            self.removals.fetch_add(1, Ordering::Release);
        }
        Ok(())
    }

    /// Opens a key, and reseals it where an older secret sealed it.
    async fn unseal(&self, row: &StoredKey) -> Result<Option<Arc<KeyPair>>, store::Error> {
        let Some(algorithm) = row.algorithm.known() else { return Ok(None) };
        let unsealed = KeyPair::from_sealed(&self.secrets, &row.kid, algorithm, &row.sealed);
        let Some(unsealed) = unsealed else { return Ok(None) };
        if unsealed.is_outdated {
            match unsealed.key.to_sealed(&self.secrets, &*self.entropy) {
                Ok(sealed) => self.store.reseal_key(row.id, row.sealed.clone(), sealed).await?,
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(
                        error,
                        kid = row.kid,
                        "encrypting a signing key with the current master secret failed"
                    );
                }
            }
        }
        Ok(Some(Arc::new(unsealed.key)))
    }
}

fn log_unopened(row: &StoredKey) {
    match &row.algorithm {
        StoredAlgorithm::Known(_) => {
            tracing::error!(kid = row.kid, "the master secret cannot decrypt a signing key");
        }
        StoredAlgorithm::Unknown(algorithm) => tracing::error!(
            kid = row.kid,
            algorithm,
            signs_from = %row.life.activates_at,
            "this version does not know the algorithm of a signing key: it refuses the tokens of the \
             key, and cannot sign tokens while this key signs; run the version that created the key"
        ),
    }
}

/// Sets the lifetime of tokens in the rows; returns whether the database has to be updated.
fn raise_lifetimes(stored: &mut [StoredKey], lifetime: Duration, now: Timestamp) -> bool {
    let mut is_raised = false;
    for StoredKey { life, .. } in stored {
        if life.has_yet_to_sign(now) && life.token_lifetime < lifetime {
            life.token_lifetime = lifetime;
            is_raised = true;
        }
    }
    is_raised
}
