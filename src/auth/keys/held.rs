//! The signing keys as a process holds them, and the ring that they make at a moment.
//!
//! Rule: which key signs follows from the rows and the time alone. All processes that have read the
//! same rows change over at the same moment, whether or not the database answers then.

use std::sync::Arc;

use super::verified::Verified;
use crate::clock::Timestamp;
use crate::crypto::key_pair::KeyPair;
use crate::crypto::key_ring::KeyRing;
use crate::domain::key_life::SigningKeyState;
use crate::store::KeyMark;

/// A key, opened if it could be.
#[derive(Clone, Debug)]
pub(super) struct HeldKey {
    pub mark: KeyMark,
    /// `None` where its private part is gone, or no secret of this process opens it.
    pub key: Option<Arc<KeyPair>>,
}

/// All keys, and the ring that they make from one moment to another.
#[derive(Debug)]
pub(super) struct Held {
    pub keys: Vec<HeldKey>,
    pub ring: Arc<KeyRing>,
    /// What this ring has verified.
    pub verified: Verified,
    from: Timestamp,
    until: Timestamp,
}

impl Held {
    /// What these keys, the oldest first, are at `now`.
    pub fn new(keys: Vec<HeldKey>, now: Timestamp) -> Self {
        let verifying =
            keys.iter().filter(|held| held.verifies(now)).filter_map(|held| held.key.clone());
        let ring = match signing(&keys, now) {
            Some(key) => KeyRing::new(key, verifying),
            None => KeyRing::verifying_only(verifying),
        };
        let turns = || keys.iter().flat_map(|held| held.mark.life.turns());
        let from = turns().filter(|&at| at <= now).max();
        let until = turns().filter(|&at| at > now).min();
        Self {
            ring: Arc::new(ring),
            verified: Verified::default(),
            from: from.unwrap_or(Timestamp::from_micros(i64::MIN)),
            until: until.unwrap_or(Timestamp::from_micros(i64::MAX)),
            keys,
        }
    }

    /// Whether the ring is the one of this moment.
    pub fn is_of(&self, now: Timestamp) -> bool {
        (self.from..self.until).contains(&now)
    }

    /// Whether it holds the keys as they are marked, no more and no fewer.
    pub fn has(&self, marks: &[KeyMark]) -> bool {
        self.keys.iter().map(|held| &held.mark).eq(marks)
    }

    /// The key of this name, if there ever was one.
    pub fn find(&self, kid: &str) -> Option<&HeldKey> {
        self.keys.iter().find(|held| held.mark.kid == kid)
    }

    /// Whether every key of which a token may be alive could be opened.
    pub fn is_whole(&self, now: Timestamp) -> bool {
        self.keys.iter().all(|held| !held.is_missing(now))
    }
}

impl HeldKey {
    /// Whether its tokens are accepted.
    pub fn verifies(&self, now: Timestamp) -> bool {
        self.key.is_some() && self.mark.life.state(now) != SigningKeyState::Retired
    }

    /// Whether a token of this key may be alive, and this process cannot tell.
    pub fn is_missing(&self, now: Timestamp) -> bool {
        self.key.is_none() && self.mark.life.state(now) != SigningKeyState::Retired
    }
}

/// The key that signs. Where a clock is behind the one that the keys were made by, the next one does:
/// better early than none. Where it cannot be opened, none does: an older one signs no more.
fn signing(keys: &[HeldKey], now: Timestamp) -> Option<Arc<KeyPair>> {
    let is = |state| move |held: &&HeldKey| held.mark.life.state(now) == state;
    let active = keys.iter().rfind(is(SigningKeyState::Active));
    active.or_else(|| keys.iter().find(is(SigningKeyState::Next)))?.key.clone()
}
