//! Future that runs to completion even where its caller is cancelled.
//!
//! A client that disconnects must not stop a logout half way, and cannot avoid the end of its session
//! by disconnecting early. An interrupted query would also cost its database connection. The work is
//! polled by its caller, and becomes a task of its own only when the caller drops it: a task for every
//! request would cost two context switches each.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

/// On drop, unfinished work is spawned on the current runtime.
pub(super) struct RunToCompletion<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> RunToCompletion<T> {
    pub(super) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<T: Send + 'static> Future for RunToCompletion<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out while it is polled, so that work that panics is not spawned on drop.
        let Some(mut work) = self.0.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for RunToCompletion<T> {
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn work_that_is_cancelled_goes_on() {
        let (start, started) = oneshot::channel();
        let (finish, finished) = oneshot::channel();
        let mut work = RunToCompletion::new(async move {
            started.await.unwrap();
            finish.send(()).unwrap();
        });
        assert!((&mut work).now_or_never().is_none());
        drop(work);
        start.send(()).unwrap();
        finished.await.unwrap();
    }

    #[tokio::test]
    async fn work_that_never_began_is_done_all_the_same() {
        let (finish, finished) = oneshot::channel();
        drop(RunToCompletion::new(async move { finish.send(()).unwrap() }));
        finished.await.unwrap();
    }

    #[tokio::test]
    async fn work_is_done_where_it_is_waited_for() {
        let caller = tokio::spawn(async {
            let own = tokio::task::id();
            RunToCompletion::new(async move { tokio::task::id() == own }).await
        });
        assert!(caller.await.unwrap());
    }
}
