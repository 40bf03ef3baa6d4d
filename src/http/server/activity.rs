//! Whether anything moves on a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Counts what moves on one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    moves: AtomicU64,
    in_flight: AtomicUsize,
}

impl Activity {
    /// A request began.
    pub(super) fn begin(self: &Arc<Self>) -> Exchange {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        let exchange = Exchange(Arc::clone(self));
        exchange.moved();
        exchange
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
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.moved();
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
