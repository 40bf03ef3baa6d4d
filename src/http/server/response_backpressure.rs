//! Backpressure on one HTTP/2 connection: a request is not executed while the client leaves the
//! responses of earlier requests unread.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::buffered_bytes::Counter;

/// Bytes of responses, unread or being generated, above which no other request is executed.
pub(super) const MAX_UNREAD: usize = 256 * 1024;

/// Bytes of unread responses above which every other response is refused, although its request was
/// executed. The sizes by which [`MAX_UNREAD`] admits requests are estimated from earlier responses,
/// so a client whose first responses are small could have many large ones generated; this bounds
/// them. It is larger than [`MAX_UNREAD`], so that a client that reads may ask for several at once.
pub(super) const MAX_BUFFERED: usize = 4 * MAX_UNREAD;

/// Smallest estimate of a response. With it, as many as a connection may have streams fit.
const MIN_ESTIMATE: usize = 16 * 1024;

#[derive(Debug, Default)]
pub(super) struct ResponseBackpressure {
    /// Bytes of responses that are not yet written.
    pub(super) unread: Counter,
    /// Responses being generated.
    generating: AtomicUsize,
    /// Estimated size of the next response; 0 before the first response.
    estimate: AtomicUsize,
    /// Notified whenever space may have become free.
    freed: Notify,
}

impl ResponseBackpressure {
    /// Updates the estimate by a response of this size.
    pub(super) fn record_size(&self, bytes: usize) {
        // Decays by an eighth, so that one large response counts for some more.
        let before = self.estimate.load(Ordering::Relaxed);
        let estimate = bytes.max(before - before / 8).max(MIN_ESTIMATE);
        self.estimate.store(estimate, Ordering::Relaxed);
    }

    /// Counts a response as being generated if it is expected to fit. The first response of a
    /// connection, whose size is unknown, is generated alone; so is one above the limit.
    pub(super) fn try_start(&self) -> bool {
        let unread = self.unread.get();
        let size = match self.estimate.load(Ordering::Relaxed) {
            0 => MAX_UNREAD,
            estimate => estimate,
        };
        let one_more = |generating: usize| {
            let fits = unread + generating == 0 || unread + (generating + 1) * size <= MAX_UNREAD;
            fits.then_some(generating + 1)
        };
        self.generating.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
    }

    /// Waits until [`try_start`](Self::try_start) succeeds.
    pub(super) async fn start(&self) {
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // Enabled before the check, so that no notification between check and wait is lost.
            freed.as_mut().enable();
            if self.try_start() {
                return;
            }
            freed.await;
        }
    }

    /// Ends what [`try_start`](Self::try_start) began.
    pub(super) fn finish(&self) {
        self.generating.fetch_sub(1, Ordering::Relaxed);
        self.freed.notify_waiters();
    }

    /// Wakes the waiting requests after unread bytes were removed.
    pub(super) fn notify_freed(&self) {
        self.freed.notify_waiters();
    }

    #[cfg(test)]
    pub(super) fn generating(&self) -> usize {
        self.generating.load(Ordering::Relaxed)
    }
}
