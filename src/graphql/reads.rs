//! Concurrency limit for the list reads of one request.
//!
//! Every node of a page may have lists of its own, and all of them are resolved at once. Rule: few of
//! them ask the database at a time, so that other requests get their connections between them; none
//! begins once its client has disconnected; and once one has failed for want of the database, the
//! others fail with it for a while, without asking and without a log line for each.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_graphql::{Context, Result};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::error::{expose, unavailable};
use super::{auth, list_reads};
use crate::auth::{self, ClientConnection};
use crate::domain::page::Page;

/// The most lists of one request that are read at a time.
const CONCURRENT: usize = 4;

/// How long a failure stands for the reads after it.
const PAUSE: Duration = Duration::from_secs(2);

/// The list reads of one request.
pub struct ListReads {
    turns: Semaphore,
    /// By the monotonic clock.
    failed: Mutex<Option<Duration>>,
}

impl Default for ListReads {
    fn default() -> Self {
        Self { turns: Semaphore::new(CONCURRENT), failed: Mutex::default() }
    }
}

impl ListReads {
    /// Waits for a turn; `None` where the read is not to begin any more.
    async fn turn(&self, now: impl Fn() -> Duration) -> Option<SemaphorePermit<'_>> {
        let turn = self.turns.acquire().await.ok()?;
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        (!is_recent(failed, now()) && !ClientConnection::is_closed()).then_some(turn)
    }

    /// Notes a failure. Says whether it is the first for a while, which is to be logged.
    fn fail(&self, now: Duration) -> bool {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        !is_recent(failed.replace(now), now)
    }
}

fn is_recent(failed: Option<Duration>, now: Duration) -> bool {
    failed.is_some_and(|at| now.saturating_sub(at) < PAUSE)
}

/// Reads a page, and counts the list where the client asks for `totalCount`.
pub(super) async fn read<T>(
    context: &Context<'_>,
    count: impl Future<Output = Result<Option<i64>, auth::Error>>,
    page: impl Future<Output = Result<Page<T>, auth::Error>>,
) -> Result<(Page<T>, Option<i64>)> {
    let (reads, auth) = (list_reads(context), auth(context));
    let turn = reads.turn(|| auth.system.monotonic()).await.ok_or_else(unavailable)?;
    let done = async {
        let count = if counts(context) { count.await? } else { None };
        Ok((page.await?, count))
    };
    let done = done.await.map_err(|error: auth::Error| {
        let is_unavailable = matches!(error, auth::Error::Unavailable(_));
        if is_unavailable && !reads.fail(auth.system.monotonic()) {
            unavailable()
        } else {
            expose(error)
        }
    });
    drop(turn);
    done
}

/// Whether the client asks how many there are: counting is a statement of its own.
fn counts(context: &Context<'_>) -> bool {
    context.look_ahead().field("totalCount").exists()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    const NOW: Duration = Duration::from_secs(7);

    #[tokio::test]
    async fn few_are_read_at_a_time() {
        let reads = ListReads::default();
        let mut turns = Vec::new();
        for _ in 0..CONCURRENT {
            turns.push(reads.turn(|| NOW).await.unwrap());
        }
        assert!(reads.turn(|| NOW).now_or_never().is_none());
        turns.pop();
        assert!(reads.turn(|| NOW).now_or_never().unwrap().is_some());
    }

    #[tokio::test]
    async fn a_failure_stands_for_those_after_it_until_the_pause_is_over() {
        let reads = ListReads::default();
        assert!(reads.fail(NOW));
        // One that was under way beside it.
        assert!(!reads.fail(NOW));
        assert!(reads.turn(|| NOW).await.is_none());
        assert!(reads.turn(|| NOW + PAUSE / 2).await.is_none());
        assert!(reads.turn(|| NOW + PAUSE).await.is_some());
    }

    #[tokio::test]
    async fn nothing_is_read_for_a_client_that_is_gone() {
        let reads = ListReads::default();
        let (connection, turn) = ClientConnection::watch(reads.turn(|| NOW));
        drop(connection);
        assert!(turn.await.is_none());
        let (_connection, turn) = ClientConnection::watch(reads.turn(|| NOW));
        assert!(turn.await.is_some());
    }
}
