//! Queue of introspection queries, executed on threads of their own.
//!
//! An introspection takes milliseconds of processor time without an await point, and needs no token.
//! At most half of the processors execute introspections; others wait for a bounded time, without
//! occupying a thread.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Less than the deadline of a response, so that an introspection is refused with an error of its own
/// and not as a request that took too long.
const MAX_WAIT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(super) struct IntrospectionQueue {
    permits: Arc<Semaphore>,
    max_wait: Duration,
}

impl Default for IntrospectionQueue {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        let permits = Arc::new(Semaphore::new((processors / 2).max(1)));
        Self { permits, max_wait: MAX_WAIT }
    }
}

impl IntrospectionQueue {
    /// Runs work on a blocking thread; `None` where no permit is free in time.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let permit = Arc::clone(&self.permits).acquire_owned();
        let permit = timeout(self.max_wait, permit).await.ok()?;
        let runtime = Handle::current();
        let done = spawn_blocking(move || {
            // Held by the thread, which goes on where the client disconnects.
            let _permit = permit;
            runtime.block_on(work)
        });
        match done.await {
            Ok(done) => Some(done),
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // Cancelled: the runtime shuts down, and this task with it.
                Err(_) => pending().await,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn no_more_than_its_share_is_done_at_a_time_and_not_here() {
        let introspections = IntrospectionQueue::default();
        let share = introspections.permits.available_permits();
        let here = std::thread::current().id();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = |_| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            introspections.run(async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                std::thread::current().id() != here
            })
        };
        let elsewhere = join_all((0..20 * share).map(work)).await;
        assert!(elsewhere.into_iter().all(|elsewhere| elsewhere == Some(true)));
        assert!(most.load(Ordering::SeqCst) <= share);
    }

    #[tokio::test]
    async fn a_panic_is_passed_on_and_gives_its_turn_back() {
        let permits = Arc::new(Semaphore::new(1));
        let introspections = IntrospectionQueue { permits, max_wait: MAX_WAIT };
        let work = introspections.run(async { panic!("told") });
        let panicked: Result<Option<()>, _> =
            std::panic::AssertUnwindSafe(work).catch_unwind().await;
        assert!(panicked.is_err());
        assert_eq!(introspections.run(async { 1 }).await, Some(1));
    }

    #[tokio::test]
    async fn what_waits_for_its_turn_is_not_done_for_a_client_that_is_gone() {
        let introspections = IntrospectionQueue::default();
        let all = u32::try_from(introspections.permits.available_permits()).unwrap();
        let permits = introspections.permits.acquire_many(all).await.unwrap();
        let begun = Arc::new(AtomicUsize::new(0));
        let work = |begun: Arc<AtomicUsize>| async move { begun.fetch_add(1, Ordering::SeqCst) };
        assert!(introspections.run(work(Arc::clone(&begun))).now_or_never().is_none());
        drop(permits);
        introspections.run(async {}).await;
        assert_eq!(begun.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn one_whose_turn_does_not_come_is_refused() {
        let (permits, max_wait) = (Arc::new(Semaphore::new(0)), Duration::from_millis(1));
        let introspections = IntrospectionQueue { permits, max_wait };
        assert_eq!(introspections.run(async { 1 }).await, None);
        introspections.permits.add_permits(1);
        assert_eq!(introspections.run(async { 1 }).await, Some(1));
    }
}
