//! Bytes that connections buffer for their clients.
//!
//! Each connection has a small share of its own. Bytes beyond it are counted for all connections
//! together, so that many connections cannot get around the limit of one.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::warning_interval::WarningInterval;

/// Bytes of bodies, and of responses, that each connection may buffer beside the shared limit. A
/// client that uses up the shared limit does not lock out clients with small requests and responses.
pub(super) const OWN_BYTES: usize = 16 * 1024;

/// Memory used by all connections, beyond [`OWN_BYTES`] of each.
#[derive(Debug, Default)]
pub(super) struct MemoryUse {
    /// Bytes of responses that are not yet written.
    pub(super) responses: Counter,
    /// Bytes of request bodies.
    pub(super) bodies: Counter,
    /// Number of refused request bodies of which the rest is being read.
    pub(super) draining: Counter,
    /// Interval of the warning that the limit of responses is reached.
    pub(super) warning: WarningInterval,
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicUsize);

impl Counter {
    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns the new value.
    pub(super) fn add(&self, amount: usize) -> usize {
        self.0.fetch_add(amount, Ordering::Relaxed) + amount
    }

    /// Adds unless the new value would be above `max`.
    pub(super) fn try_add(&self, amount: usize, max: usize) -> bool {
        let added = |value: usize| value.checked_add(amount).filter(|value| *value <= max);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, added).is_ok()
    }

    pub(super) fn remove(&self, amount: usize) {
        self.0.fetch_sub(amount, Ordering::Relaxed);
    }
}

/// The bytes of one body or response. All count for its connection; those beyond [`OWN_BYTES`] of the
/// connection count for all connections, too.
#[derive(Debug, Default)]
pub(super) struct BufferedBytes {
    of_connection: usize,
    of_all: usize,
}

impl BufferedBytes {
    /// Adds bytes; false where those of all connections would be above `max`. Bytes that were not
    /// counted for all still count for the connection until [`release`](Self::release).
    pub(super) fn add(
        &mut self,
        bytes: usize,
        connection: &Counter,
        all: &Counter,
        max: usize,
    ) -> bool {
        self.of_connection += bytes;
        // Added before the comparison: other streams of the connection do the same concurrently.
        if connection.add(bytes) <= OWN_BYTES {
            return true;
        }
        let fits = all.try_add(bytes, max);
        if fits {
            self.of_all += bytes;
        }
        fits
    }

    /// Subtracts the bytes from both counters.
    pub(super) fn release(&self, connection: &Counter, all: &Counter) {
        connection.remove(self.of_connection);
        // Not written without need: all threads share this counter.
        if self.of_all > 0 {
            all.remove(self.of_all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_of_a_connection_are_its_own_and_the_rest_is_of_all() {
        let (connection, all) = (Counter::default(), Counter::default());
        let (mut first, mut second) = (BufferedBytes::default(), BufferedBytes::default());
        assert!(first.add(OWN_BYTES, &connection, &all, 100));
        assert!(second.add(100, &connection, &all, 100));
        assert_eq!((connection.get(), all.get()), (OWN_BYTES + 100, 100));
        assert!(!second.add(1, &connection, &all, 100));
        assert!(!first.add(usize::MAX / 2, &connection, &all, usize::MAX / 4));
        second.release(&connection, &all);
        first.release(&connection, &all);
        assert_eq!((connection.get(), all.get()), (0, 0));
    }
}
