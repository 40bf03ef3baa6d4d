//! Whether the client that asked for something still waits for it.
//!
//! What was asked for runs to its end without its client, so that a logout cannot be stopped half
//! way. Only what has not begun need not: a place in a queue is freed for somebody who is there.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::Semaphore;

tokio::task_local! {
    static CLIENT: Arc<Semaphore>;
}

/// A client's presence, held by whoever talks to it: the client is gone once this is dropped. A
/// semaphore of no permits, closed by then: of what many can wait for the least to make.
#[derive(Debug)]
pub struct Presence(Arc<Semaphore>);

impl Presence {
    /// Lets `work` ask whether its client is there.
    pub fn watched<F: Future>(work: F) -> (Self, impl Future<Output = F::Output>) {
        let client = Arc::new(Semaphore::new(0));
        (Self(Arc::clone(&client)), CLIENT.scope(client, work))
    }

    /// Whether the client of this work is gone; never where nobody watches.
    #[must_use]
    pub fn is_over() -> bool {
        CLIENT.try_with(|client| client.is_closed()).unwrap_or(false)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Waits until the client is gone, which is for ever where nobody watches.
pub(super) async fn gone() {
    let Ok(client) = CLIENT.try_with(Arc::clone) else { return pending().await };
    // An error, once it is closed.
    let _ = client.acquire().await;
}
