//! Concurrency limit for the list reads of one request.
//!
//! Every node of a page may have lists of its own, and async-graphql resolves all of them at once.
//!
//! - Few of them query the database at a time, so that other requests get connections, too.
//! - None starts once the client has disconnected.
//! - After one failed because the database is unavailable, the others fail for a while without a query
//!   and without a log line for each.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::auth::ClientConnection;

/// Concurrent list reads of one request.
const MAX_CONCURRENT: usize = 4;

/// Time for which reads after a failure fail without a query.
const FAILURE_PAUSE: Duration = Duration::from_secs(2);

/// Permits of the list reads of one request.
pub struct ListReadLimit {
    permits: Semaphore,
    /// Time of the last failure, by the monotonic clock.
    failed: Mutex<Option<Duration>>,
}

impl Default for ListReadLimit {
    fn default() -> Self {
        Self { permits: Semaphore::new(MAX_CONCURRENT), failed: Mutex::default() }
    }
}

impl ListReadLimit {
    /// Waits for a permit; `None` if the read must not start any more.
    pub(super) async fn permit(&self, now: impl Fn() -> Duration) -> Option<SemaphorePermit<'_>> {
        let permit = self.permits.acquire().await.ok()?;
        let failed = *self.failed.lock();
        (!is_recent(failed, now()) && !ClientConnection::is_closed()).then_some(permit)
    }

    /// Records a failure. Returns whether it is the first for a while, which is logged.
    pub(super) fn fail(&self, now: Duration) -> bool {
        let mut failed = self.failed.lock();
        !is_recent(failed.replace(now), now)
    }
}

fn is_recent(failed: Option<Duration>, now: Duration) -> bool {
    failed.is_some_and(|at| now.saturating_sub(at) < FAILURE_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    const NOW: Duration = Duration::from_secs(7);

    #[tokio::test]
    async fn few_lists_are_read_at_a_time() {
        let reads = ListReadLimit::default();
        let mut permits = Vec::new();
        for _ in 0..MAX_CONCURRENT {
            permits.push(reads.permit(|| NOW).await.unwrap());
        }
        assert!(reads.permit(|| NOW).now_or_never().is_none());
        permits.pop();
        assert!(reads.permit(|| NOW).now_or_never().unwrap().is_some());
    }

    #[tokio::test]
    async fn reads_after_a_failure_fail_until_the_pause_is_over() {
        let reads = ListReadLimit::default();
        assert!(reads.fail(NOW));
        // A concurrent read.
        assert!(!reads.fail(NOW));
        assert!(reads.permit(|| NOW).await.is_none());
        assert!(reads.permit(|| NOW + FAILURE_PAUSE / 2).await.is_none());
        assert!(reads.permit(|| NOW + FAILURE_PAUSE).await.is_some());
    }

    #[tokio::test]
    async fn nothing_is_read_for_a_client_that_disconnected() {
        let reads = ListReadLimit::default();
        let (connection, permit) = ClientConnection::watch(reads.permit(|| NOW));
        drop(connection);
        assert!(permit.await.is_none());
        let (_connection, permit) = ClientConnection::watch(reads.permit(|| NOW));
        assert!(permit.await.is_some());
    }
}
