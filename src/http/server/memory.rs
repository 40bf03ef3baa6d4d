//! The bytes that all connections hold for their clients.
//!
//! Rule: what one connection may hold is bounded where it is read and written; what all of them hold
//! together is bounded here, so that many connections are no way around that.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::warning::WarningInterval;

/// The bytes of bodies, and of answers, that a connection may have beside what all share: whoever fills
/// that up keeps nobody out who sends and asks for as little as most do.
pub(super) const OWN: usize = 16 * 1024;

/// Counts of all connections.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Bytes of answers that are not yet written to their clients, beyond what each connection may have
    /// anyway.
    pub(super) answers: Count,
    /// Bytes of request bodies beyond what each connection may have anyway.
    pub(super) bodies: Count,
    /// Refused request bodies of which the rest is being read.
    pub(super) draining: Count,
    /// Of the warning that there is no memory for an answer.
    pub(super) warning: WarningInterval,
}

/// How much of something there is.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicUsize);

impl Count {
    pub(super) fn amount(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Adds to it; how much there is then.
    pub(super) fn add(&self, amount: usize) -> usize {
        self.0.fetch_add(amount, Ordering::Relaxed) + amount
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

/// The bytes of one body or answer: all count on its connection, and those beyond [`OWN`] there also
/// among those of all connections.
#[derive(Debug, Default)]
pub(super) struct HeldBytes {
    of_connection: usize,
    of_all: usize,
}

impl HeldBytes {
    /// Adds bytes; false where those of all connections would then be more than `most`.
    pub(super) fn add(
        &mut self,
        bytes: usize,
        connection: &Count,
        all: &Count,
        most: usize,
    ) -> bool {
        self.of_connection += bytes;
        // Added before it is looked at: other streams of the connection do the same meanwhile.
        if connection.add(bytes) <= OWN {
            return true;
        }
        let has_room = all.try_add(bytes, most);
        if has_room {
            self.of_all += bytes;
        }
        has_room
    }

    /// Takes them out of both counts.
    pub(super) fn release(&self, connection: &Count, all: &Count) {
        connection.remove(self.of_connection);
        // Whatever is written there all threads wait for.
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
        let (connection, all) = (Count::default(), Count::default());
        let (mut first, mut second) = (HeldBytes::default(), HeldBytes::default());
        assert!(first.add(OWN, &connection, &all, 100));
        assert!(second.add(100, &connection, &all, 100));
        assert_eq!((connection.amount(), all.amount()), (OWN + 100, 100));
        assert!(!second.add(1, &connection, &all, 100));
        assert!(!first.add(usize::MAX / 2, &connection, &all, usize::MAX / 4));
        second.release(&connection, &all);
        first.release(&connection, &all);
        assert_eq!((connection.amount(), all.amount()), (0, 0));
    }
}
