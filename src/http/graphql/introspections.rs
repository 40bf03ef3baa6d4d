//! Introspection, off the threads that answer requests.
//!
//! The schema takes milliseconds of processor to tell, nobody needs a token to ask for it, and no
//! await interrupts it. Rule: half of the processors tell it at a time, and the others wait for their
//! turn for a bounded time, without holding a thread.

use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How long an introspection waits for those before it: less than the passage gives an answer, so
/// that too many of them are refused and do not look like one that takes too long.
const PATIENCE: Duration = Duration::from_secs(10);

/// The introspections that are under way.
#[derive(Clone, Debug)]
pub(super) struct Introspections {
    turns: Arc<Semaphore>,
    patience: Duration,
}

impl Default for Introspections {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        let turns = Arc::new(Semaphore::new((processors / 2).max(1)));
        Self { turns, patience: PATIENCE }
    }
}

impl Introspections {
    /// Does the work in its turn; `None` where that does not come in time.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        // Never closed. Given back by the thread, whether or not its client is still there.
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = timeout(self.patience, turn).await.ok()?;
        let runtime = Handle::current();
        let done = spawn_blocking(move || {
            let _turn = turn;
            runtime.block_on(work)
        });
        match done.await {
            Ok(done) => Some(done),
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // The process ends, and this with it.
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
        let introspections = Introspections::default();
        let share = introspections.turns.available_permits();
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
        let turns = Arc::new(Semaphore::new(1));
        let introspections = Introspections { turns, patience: PATIENCE };
        let work = introspections.run(async { panic!("told") });
        let panicked: Result<Option<()>, _> =
            std::panic::AssertUnwindSafe(work).catch_unwind().await;
        assert!(panicked.is_err());
        assert_eq!(introspections.run(async { 1 }).await, Some(1));
    }

    #[tokio::test]
    async fn what_waits_for_its_turn_is_not_done_for_a_client_that_is_gone() {
        let introspections = Introspections::default();
        let all = u32::try_from(introspections.turns.available_permits()).unwrap();
        let turns = introspections.turns.acquire_many(all).await.unwrap();
        let begun = Arc::new(AtomicUsize::new(0));
        let work = |begun: Arc<AtomicUsize>| async move { begun.fetch_add(1, Ordering::SeqCst) };
        assert!(introspections.run(work(Arc::clone(&begun))).now_or_never().is_none());
        drop(turns);
        introspections.run(async {}).await;
        assert_eq!(begun.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn one_whose_turn_does_not_come_is_given_up() {
        let (turns, patience) = (Arc::new(Semaphore::new(0)), Duration::from_millis(1));
        let introspections = Introspections { turns, patience };
        assert_eq!(introspections.run(async { 1 }).await, None);
        introspections.turns.add_permits(1);
        assert_eq!(introspections.run(async { 1 }).await, Some(1));
    }
}
