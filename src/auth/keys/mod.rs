//! The signing keys, hot: they change while the service runs, on all processes alike.
//!
//! Rule: no process signs with a key before every other can know it. A new key is published for as
//! long as verifiers may keep what they read, and longer; then it signs, on all processes at the same
//! moment; the old one verifies until its last token is dead. In an emergency there is no time for
//! that: the new key signs at once, all others are removed, and a process that meets a token of a key
//! it does not know looks whether that key was just made, before it refuses.

mod held;
mod open;
mod recognize;
mod rotate;
mod summary;
mod verified;

pub use rotate::Rotation;
pub use summary::SigningKey;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use self::held::Held;
use self::recognize::LookUps;
use super::Auth;
use crate::clock::{Clock, Timestamp};
use crate::crypto::CryptoError;
use crate::crypto::key_ring::KeyRing;
use crate::crypto::secret::MasterSecrets;
use crate::entropy::Entropy;
use crate::revocation::FollowsKeys;
use crate::store::{self, KeyMark, Store};

/// How long verifiers may keep the public keys that they read.
pub const PUBLIC_KEYS_MAX_AGE: Duration = Duration::from_mins(5);

/// How long a key is published before it signs. Twice what verifiers are told: some keep keys for ten
/// minutes whatever they are told, caches stand in a row, and clocks are apart.
const PUBLICATION: Duration = Duration::from_mins(10);

/// Why there are no keys to work with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No secret that was given opens a key: it was sealed with another one.
    #[error("the signing keys were sealed with another secret")]
    Sealed,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// The signing keys of a process.
pub struct Keys {
    store: Arc<Store>,
    secrets: MasterSecrets,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// How long a token can be alive after it was signed here.
    token_lifetime: Duration,
    held: RwLock<Arc<Held>>,
    /// How often this process found that a key was removed whose tokens it accepted until then.
    removals: AtomicU64,
    /// Held while the rows are read and put in place, so that an older answer never replaces a newer.
    reading: Mutex<()>,
    look_ups: LookUps,
}

impl Keys {
    /// No keys yet, to be opened with these secrets.
    #[must_use]
    pub fn new(
        store: Arc<Store>,
        secrets: MasterSecrets,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        token_lifetime: Duration,
    ) -> Self {
        let held = RwLock::new(Arc::new(Held::new(Vec::new(), clock.now())));
        let (reading, look_ups) = (Mutex::default(), LookUps::default());
        let removals = AtomicU64::new(0);
        Self { store, secrets, clock, entropy, token_lifetime, held, removals, reading, look_ups }
    }

    /// The ring of this moment. It is made of what is in memory.
    pub(super) fn ring(&self, now: Timestamp) -> Arc<KeyRing> {
        Arc::clone(&self.held_at(now).ring)
    }

    /// The keys with the ring of this moment.
    fn held_at(&self, now: Timestamp) -> Arc<Held> {
        let held = self.held();
        if held.is_of(now) {
            return held;
        }
        let turned = Arc::new(Held::new(held.keys.clone(), now));
        let mut place = self.held.write().unwrap_or_else(PoisonError::into_inner);
        // What was read in the meantime is newer.
        if Arc::ptr_eq(&place, &held) {
            *place = Arc::clone(&turned);
        }
        turned
    }

    fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How often a key was removed in an emergency. Asked before a token is judged and again later, it
    /// says whether the verdict may have been overtaken.
    pub(super) fn removals(&self) -> u64 {
        self.removals.load(Ordering::Acquire)
    }

    /// Whether every key of which a token may be alive could be opened.
    pub(super) fn is_whole(&self) -> bool {
        self.held().is_whole(self.clock.now())
    }
}

impl FollowsKeys for Keys {
    fn follow(&self, marks: Vec<KeyMark>) -> BoxFuture<'_, Result<(), store::Error>> {
        Box::pin(async move { if self.held().has(&marks) { Ok(()) } else { self.read().await } })
    }
}

impl Auth {
    /// The ring of this moment.
    #[must_use]
    pub fn keys(&self) -> Arc<KeyRing> {
        self.keys.ring(self.now())
    }
}
