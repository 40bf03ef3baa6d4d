//! Work that goes on without whoever waits for it.
//!
//! A client that goes away must not stop a logout half way, or get out of the end of a session by
//! hanging up before it; nor is an answer of the database left in the middle, which would cost its
//! connection. Rule: the work is done where it is waited for, and only when that wait is given up
//! becomes a task of its own. A task for every request would make the processor change tasks twice
//! for each.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

/// Work that is done to its end.
pub(super) struct ToItsEnd<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> ToItsEnd<T> {
    pub(super) fn of(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Some(Box::pin(work)))
    }
}

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out meanwhile: work that panics is not begun again.
        let Some(mut work) = self.0.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.0 = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
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
    async fn work_that_is_given_up_goes_on() {
        let (go, wait) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let mut work = ToItsEnd::of(async move {
            wait.await.unwrap();
            tell.send(()).unwrap();
        });
        assert!((&mut work).now_or_never().is_none());
        drop(work);
        go.send(()).unwrap();
        told.await.unwrap();
    }

    #[tokio::test]
    async fn work_that_never_began_is_done_all_the_same() {
        let (tell, told) = oneshot::channel();
        drop(ToItsEnd::of(async move { tell.send(()).unwrap() }));
        told.await.unwrap();
    }

    #[tokio::test]
    async fn work_is_done_where_it_is_waited_for() {
        let here = tokio::spawn(async {
            let own = tokio::task::id();
            ToItsEnd::of(async move { tokio::task::id() == own }).await
        });
        assert!(here.await.unwrap());
    }
}
