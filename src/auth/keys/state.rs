//! [`Keys`]: the signing keys of this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::RwLock;
use tokio::sync::Mutex;

use super::key_set::{KeySet, UsableKeys};
use super::unknown_key_limit::KeyLookups;
use crate::clock::{Clock, Timestamp};
use crate::crypto::CryptoError;
use crate::crypto::key_ring::KeyRing;
use crate::crypto::secret::MasterSecrets;
use crate::entropy::Entropy;
use crate::revocation::KeyListener;
use crate::store::{self, KeyMark, Store};

/// How long verifiers may cache the public keys.
pub const PUBLIC_KEYS_MAX_AGE: Duration = Duration::from_mins(5);

/// How long a key is published before it signs: twice [`PUBLIC_KEYS_MAX_AGE`]. Some verifiers cache keys for
/// ten minutes whatever they are told, caches are chained, and clocks differ.
pub(super) const PUBLICATION: Duration = Duration::from_mins(10);

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// None of the given secrets opens a key: it was sealed with another one.
    #[error("The signing keys are encrypted with another master secret.")]
    Sealed,
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Signing keys of a process.
pub struct Keys {
    pub(super) store: Arc<Store>,
    pub(super) secrets: Arc<MasterSecrets>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    /// Longest life of a token after it was signed here.
    pub(super) token_lifetime: Duration,
    pub(super) held: RwLock<Arc<KeySet>>,
    /// Count of reads that found a removed key whose tokens this process accepted until then.
    pub(super) removals: AtomicU64,
    /// Locked while the rows are read and put in place, so that an older answer never replaces a newer.
    pub(super) reading: Mutex<()>,
    pub(super) look_ups: KeyLookups,
}

impl Keys {
    /// No keys yet, to be opened with these secrets.
    #[must_use]
    pub fn new(
        store: Arc<Store>,
        secrets: Arc<MasterSecrets>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        token_lifetime: Duration,
    ) -> Self {
        let held = RwLock::new(Arc::new(KeySet::new(Vec::new(), clock.now())));
        let (reading, look_ups) = (Mutex::default(), KeyLookups::default());
        let removals = AtomicU64::new(0);
        Self { store, secrets, clock, entropy, token_lifetime, held, removals, reading, look_ups }
    }

    /// The ring of this moment.
    #[must_use]
    pub fn ring(&self) -> Arc<KeyRing> {
        self.ring_at(self.clock.now())
    }

    /// The ring of this moment, from memory.
    pub(in crate::auth) fn ring_at(&self, now: Timestamp) -> Arc<KeyRing> {
        Arc::clone(&self.held_at(now).ring)
    }

    /// The keys with the ring of this moment.
    pub(super) fn held_at(&self, now: Timestamp) -> Arc<KeySet> {
        let held = self.held();
        if held.is_of(now) {
            return held;
        }
        let turned = Arc::new(KeySet::new(held.keys.clone(), now));
        let mut place = self.held.write();
        // Another thread may have put in place what it has read in the meantime.
        if Arc::ptr_eq(&place, &held) {
            *place = Arc::clone(&turned);
        }
        turned
    }

    pub(super) fn held(&self) -> Arc<KeySet> {
        Arc::clone(&self.held.read())
    }

    /// Count of reads that found a key removed in an emergency. A token that was verified at another count may have
    /// been signed by a removed key.
    pub(in crate::auth) fn removals(&self) -> u64 {
        self.removals.load(Ordering::Acquire)
    }

    pub(in crate::auth) fn usable(&self) -> UsableKeys {
        self.held().usable(self.clock.now())
    }
}

impl KeyListener for Keys {
    fn keys_changed(&self, marks: Vec<KeyMark>) -> BoxFuture<'_, Result<(), store::Error>> {
        Box::pin(async move { if self.held().has(&marks) { Ok(()) } else { self.read().await } })
    }
}
