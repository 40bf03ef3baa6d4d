//! Concurrency limit for the list reads of one request.
//!
//! Every node of a page may have lists of its own, and all of them are resolved at once. Rule: few of
//! them ask the database at a time, so that other requests get their connections between them; none
//! begins once its client has disconnected; and once one has failed for want of the database, the
//! others fail with it for a while, without asking and without a log line for each.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_graphql::{Context, Error, Result};
use tokio::sync::Semaphore;

use super::auth;
use super::error::{expose, unavailable};
use crate::auth::{self, Presence};
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

/// Reads a page, and counts the list where the client asks for `totalCount`.
pub(super) async fn read<T>(
    context: &Context<'_>,
    count: impl Future<Output = Result<Option<i64>, auth::Error>>,
    page: impl Future<Output = Result<Page<T>, auth::Error>>,
) -> Result<(Page<T>, Option<i64>)> {
    let reads = context.data_unchecked::<ListReads>();
    // Never closed.
    let _turn = reads.turns.acquire().await;
    let now = auth(context).monotonic();
    let failed = *reads.failed.lock().unwrap_or_else(PoisonError::into_inner);
    if Presence::is_over() || failed.is_some_and(|at| now.saturating_sub(at) < PAUSE) {
        return Err(unavailable());
    }
    let done = async {
        let count = if counts(context) { count.await? } else { None };
        Ok((page.await?, count))
    };
    done.await.map_err(|error: auth::Error| -> Error {
        if matches!(error, auth::Error::Unavailable(_)) {
            let now = auth(context).monotonic();
            *reads.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
        expose(error)
    })
}

/// Whether the client asks how many there are: counting is a statement of its own.
fn counts(context: &Context<'_>) -> bool {
    context.look_ahead().field("totalCount").exists()
}
