//! Activity of one connection, from which idle connections are detected.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

#[derive(Debug, Default)]
pub(super) struct ConnectionActivity {
    /// Number of events so far: requests, and parts of responses.
    events: AtomicU64,
    /// Requests whose response is not yet written.
    in_flight: AtomicUsize,
}

impl ConnectionActivity {
    pub(super) fn record(&self) {
        self.events.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn request_started(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.record();
    }

    pub(super) fn request_finished(&self) {
        self.record();
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Completes after `first` without a request, or, after the first request, after `later` without
    /// an event. It compares once in that time, so the connection may have been idle for twice as long.
    pub(super) async fn until_idle(&self, first: Duration, later: Duration) {
        let mut seen = 0;
        loop {
            tokio::time::sleep(if seen == 0 { first } else { later }).await;
            let now = self.events.load(Ordering::Relaxed);
            if now == seen {
                return;
            }
            seen = now;
        }
    }

    /// Completes up to `interval` after the last request in flight has finished.
    pub(super) async fn until_no_request(&self, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            if self.in_flight.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }
}
