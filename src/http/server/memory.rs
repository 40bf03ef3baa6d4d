//! The bytes that all connections hold for their clients.
//!
//! Rule: what one connection may hold is bounded where it is read and written; what all of them hold
//! together is bounded here, so that many connections are no way around that.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes of bodies, and of answers, that a connection may have beside what all share: whoever fills
/// that up keeps nobody out who sends and asks for as little as most do.
pub(super) const OWN: usize = 16 * 1024;

/// Counts of all connections.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Bytes of answers that are not yet written to their clients, beyond what each connection may have
    /// anyway.
    pub(super) answers: Held,
    /// Bytes of request bodies beyond what each connection may have anyway.
    pub(super) bodies: Held,
    /// Refused request bodies of which the rest is being read.
    pub(super) draining: Held,
}

/// How much of something is held.
#[derive(Debug, Default)]
pub(super) struct Held(AtomicUsize);

impl Held {
    pub(super) fn amount(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, amount: usize) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Adds to it unless that makes it more than `most`.
    pub(super) fn try_add(&self, amount: usize, most: usize) -> bool {
        let added = |held: usize| held.checked_add(amount).filter(|held| *held <= most);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, added).is_ok()
    }

    pub(super) fn remove(&self, amount: usize) {
        self.0.fetch_sub(amount, Ordering::Relaxed);
    }
}
