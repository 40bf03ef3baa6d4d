//! Whether anything moves on a connection, and what it holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::memory::{Count, Memory};

/// With how many bytes of unread answers, and of those that are being made, a connection begins no
/// other request.
const MAX_UNREAD: usize = 256 * 1024;

/// With how many bytes of unread answers a connection is refused every other answer, although the
/// request was executed. The sizes by which [`MAX_UNREAD`] lets requests begin are guessed from earlier
/// answers, so a client that asks for little first begins many large ones; this bounds them. It is
/// larger, so that a client that reads is not refused for asking for several at once.
pub(super) const MAX_HELD: usize = 4 * MAX_UNREAD;

/// What an answer is taken to be at least. As many as a connection may ask for at once fit.
const MIN_ANSWER: usize = 16 * 1024;

/// Counts what moves on one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    moves: AtomicU64,
    in_flight: AtomicUsize,
    /// Bytes of answers that are not yet written.
    pub(super) unread: Count,
    /// Bytes of request bodies that are being read.
    pub(super) bodies: Count,
    /// How many answers are being made.
    making: AtomicUsize,
    /// How large they are taken to be, by those before them; 0 where there was none.
    size: AtomicUsize,
    read: Notify,
    /// What all connections hold. Found here, as who counts references to it is waited for by all.
    pub(super) memory: Arc<Memory>,
}

impl Activity {
    pub(super) fn new(memory: Arc<Memory>) -> Self {
        Self { memory, ..Self::default() }
    }

    /// A request began.
    pub(super) fn begin(self: &Arc<Self>) -> Exchange {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let exchange = Exchange(Arc::clone(self));
        exchange.moved();
        exchange
    }

    /// An answer of so many bytes was made.
    pub(super) fn made(&self, bytes: usize) {
        // A large one is remembered for some answers.
        let before = self.size.load(Ordering::Relaxed);
        let size = bytes.max(before - before / 8).max(MIN_ANSWER);
        self.size.store(size, Ordering::Relaxed);
    }

    /// Begins to make an answer where there is room for it. The first is made alone, as nobody knows
    /// its size, and one that is larger than the room where nothing else is held.
    fn try_make(&self) -> bool {
        let unread = self.unread.amount();
        let size = match self.size.load(Ordering::Relaxed) {
            0 => MAX_UNREAD,
            size => size,
        };
        let one_more = |making: usize| {
            let has_room = unread + making == 0 || unread + (making + 1) * size <= MAX_UNREAD;
            has_room.then_some(making + 1)
        };
        self.making.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
    }

    /// Waits until there is room to make an answer, and begins.
    async fn make(&self) {
        loop {
            let mut read = std::pin::pin!(self.read.notified());
            // Told of what changes from here on, so looked at once more before waiting.
            read.as_mut().enable();
            if self.try_make() {
                return;
            }
            read.await;
        }
    }

    /// An answer is written, or given up, and counts no more.
    pub(super) fn answered(&self) {
        self.read.notify_waiters();
    }

    /// Ends where nothing moved for `first` and no request had begun, or, once one had, for `later`.
    /// It looks once in that time, so it may take twice as long.
    pub(super) async fn ceases(&self, first: Duration, later: Duration) {
        let mut seen = 0;
        loop {
            tokio::time::sleep(if seen == 0 { first } else { later }).await;
            let now = self.moves.load(Ordering::Relaxed);
            if now == seen {
                return;
            }
            seen = now;
        }
    }

    /// Ends `farewell` after the last request under way did.
    pub(super) async fn ends(&self, farewell: Duration) {
        loop {
            tokio::time::sleep(farewell).await;
            if self.in_flight.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }
}

/// A request and its answer, under way until this is dropped.
#[derive(Debug)]
pub(super) struct Exchange(Arc<Activity>);

impl Exchange {
    /// Something of it came or went.
    pub(super) fn moved(&self) {
        self.0.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// The connection that it is on.
    pub(super) fn connection(&self) -> &Activity {
        &self.0
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.moved();
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The turn of a request among those of its connection, in the extensions of the request.
#[derive(Clone, Debug)]
pub(in crate::http) struct Turn {
    connection: Arc<Activity>,
    patience: Duration,
}

impl Turn {
    pub(super) fn new(connection: &Arc<Activity>, patience: Duration) -> Self {
        Self { connection: Arc::clone(connection), patience }
    }

    /// Waits while the client leaves earlier answers unread: HTTP/2 would let it collect them. What
    /// it gives is held until the answer is made. `None` after a timeout: a request that waits holds
    /// its parsed body.
    pub(in crate::http) async fn wait(&self) -> Option<Making> {
        let Self { connection, patience } = self;
        if !connection.try_make() {
            tokio::time::timeout(*patience, connection.make()).await.ok()?;
        }
        Some(Making(Arc::clone(connection)))
    }

    /// The turn on a connection whose client reads nothing.
    #[cfg(test)]
    pub(in crate::http) fn that_never_comes() -> Self {
        let connection = Activity::default();
        connection.unread.add(MAX_UNREAD);
        Self { connection: Arc::new(connection), patience: Duration::from_millis(1) }
    }
}

/// An answer that is being made, until this is dropped.
#[derive(Debug)]
pub(in crate::http) struct Making(Arc<Activity>);

impl Drop for Making {
    fn drop(&mut self) {
        self.0.making.fetch_sub(1, Ordering::Relaxed);
        self.0.read.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_waits_for_earlier_answers_to_be_read_and_not_for_ever() {
        let connection = Arc::new(Activity::default());
        connection.unread.add(MAX_UNREAD);
        let wait = |patience| {
            let turn = Turn::new(&connection, patience);
            async move { turn.wait().await.is_some() }
        };
        assert!(!wait(Duration::from_millis(1)).await);
        let read = async {
            connection.unread.remove(MAX_UNREAD);
            connection.answered();
        };
        assert_eq!(tokio::join!(wait(Duration::MAX), read), (true, ()));
        assert_eq!(connection.making.load(Ordering::Relaxed), 0);
    }
}
