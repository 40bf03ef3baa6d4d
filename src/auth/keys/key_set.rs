//! Set of the signing keys that a process holds, and the key ring that they make at a moment.
//!
//! Which key signs follows from the rows and the time alone: all processes that have read the same rows
//! change to the next key at the same moment, whether or not the database answers then.

use std::sync::Arc;

use super::verified_cache::VerifiedCache;
use crate::clock::Timestamp;
use crate::crypto::key_pair::KeyPair;
use crate::crypto::key_ring::KeyRing;
use crate::domain::key_life::SigningKeyState;
use crate::store::KeyMark;

#[derive(Clone, Debug)]
pub(super) struct HeldKey {
    pub mark: KeyMark,
    /// `None` where its private part was destroyed, this version does not know its algorithm, or no secret
    /// of this process opens it.
    pub key: Option<Arc<KeyPair>>,
    /// Whether this version knows its algorithm.
    pub is_known_algorithm: bool,
}

/// Set of keys that a process can use, among those that may have signed a valid token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::auth) enum UsableKeys {
    All,
    /// All but some whose algorithm only a newer version knows. None of these signs now.
    AllOfKnownAlgorithms,
    /// The key that signs now has an algorithm that only a newer version knows: this process cannot sign.
    AllButTheSigningKey,
    /// No secret of this process opens some key of a known algorithm.
    NotThoseOfAnotherSecret,
}

/// All keys, and the ring that they make between two moments.
#[derive(Debug)]
pub(super) struct KeySet {
    pub keys: Vec<HeldKey>,
    pub ring: Arc<KeyRing>,
    /// Tokens that this ring has verified.
    pub verified: VerifiedCache,
    from: Timestamp,
    until: Timestamp,
}

impl KeySet {
    /// The set of these keys, the oldest first, at `now`.
    pub fn new(keys: Vec<HeldKey>, now: Timestamp) -> Self {
        let verifying =
            keys.iter().filter(|held| held.verifies(now)).filter_map(|held| held.key.clone());
        let ring = match signing(&keys, now).and_then(|held| held.key.clone()) {
            Some(key) => KeyRing::new(key, verifying),
            None => KeyRing::verifying_only(verifying),
        };
        let turns = || keys.iter().flat_map(|held| held.mark.life.state_changes());
        let from = turns().filter(|&at| at <= now).max();
        let until = turns().filter(|&at| at > now).min();
        Self {
            ring: Arc::new(ring),
            verified: VerifiedCache::default(),
            from: from.unwrap_or(Timestamp::from_micros(i64::MIN)),
            until: until.unwrap_or(Timestamp::from_micros(i64::MAX)),
            keys,
        }
    }

    /// Whether the ring is the one of this moment.
    pub fn is_of(&self, now: Timestamp) -> bool {
        (self.from..self.until).contains(&now)
    }

    /// Whether it holds the keys with these marks, no more and no fewer.
    pub fn has(&self, marks: &[KeyMark]) -> bool {
        self.keys.iter().map(|held| &held.mark).eq(marks)
    }

    pub fn find(&self, kid: &str) -> Option<&HeldKey> {
        self.keys.iter().find(|held| held.mark.kid == kid)
    }

    pub fn usable(&self, now: Timestamp) -> UsableKeys {
        let missing = || self.keys.iter().filter(|held| held.is_missing(now));
        if missing().any(|held| held.is_known_algorithm) {
            UsableKeys::NotThoseOfAnotherSecret
        } else if signing(&self.keys, now).is_some_and(|held| held.is_missing(now)) {
            UsableKeys::AllButTheSigningKey
        } else if missing().next().is_some() {
            UsableKeys::AllOfKnownAlgorithms
        } else {
            UsableKeys::All
        }
    }
}

impl HeldKey {
    pub fn verifies(&self, now: Timestamp) -> bool {
        self.key.is_some() && self.mark.life.state(now) != SigningKeyState::Retired
    }

    /// Whether the key may have signed a valid token that this process cannot verify.
    pub fn is_missing(&self, now: Timestamp) -> bool {
        self.key.is_none() && self.mark.life.state(now) != SigningKeyState::Retired
    }
}

/// The key that signs. Where the clock is behind the one that the keys were made by, the next one signs:
/// early is better than not at all. Where this key cannot be opened, none signs: older ones must not.
fn signing(keys: &[HeldKey], now: Timestamp) -> Option<&HeldKey> {
    let is = |state| move |held: &&HeldKey| held.mark.life.state(now) == state;
    let active = keys.iter().rfind(is(SigningKeyState::Active));
    active.or_else(|| keys.iter().find(is(SigningKeyState::Next)))
}
