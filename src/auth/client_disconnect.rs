//! Cancellation where the client disconnects before its request is finished.
//!
//! A request whose execution has begun is completed even if its client disconnects, so that a logout cannot
//! be stopped half way. Only waiting in a queue is cancelled: the place is freed for another client.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::Semaphore;

tokio::task_local! {
    static CLIENT: Arc<Semaphore>;
}

/// A client's connection, held by the transport; dropping it cancels the waiting of the client's work.
///
/// A semaphore without permits is the cheapest signal in tokio that many can wait for: it wakes all of
/// them when it is closed.
#[derive(Debug)]
pub struct ClientConnection(Arc<Semaphore>);

impl ClientConnection {
    /// Lets `work` find out that its client has disconnected.
    pub fn watch<F: Future>(work: F) -> (Self, impl Future<Output = F::Output>) {
        let client = Arc::new(Semaphore::new(0));
        (Self(Arc::clone(&client)), CLIENT.scope(client, work))
    }

    /// Whether the client of the current work has disconnected; `false` without a watched connection.
    #[must_use]
    pub fn is_closed() -> bool {
        CLIENT.try_with(|client| client.is_closed()).unwrap_or(false)
    }
}

impl Drop for ClientConnection {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Waits until the client of the current work disconnects; for ever without a watched connection.
pub(super) async fn disconnected() {
    let Ok(client) = CLIENT.try_with(Arc::clone) else { return pending().await };
    // No code adds permits: this ends with an error, when it is closed.
    let _ = client.acquire().await;
}
