//! Whether the client that asked for something still waits for it.
//!
//! What was asked for runs to its end without its client, so that a logout cannot be stopped half
//! way. Only what has not begun need not: a place in a queue is freed for somebody who is there.

use std::future::pending;

use tokio::sync::watch;

tokio::task_local! {
    static CLIENT: watch::Receiver<()>;
}

/// A client's presence, held by whoever talks to it: the client is gone once this is dropped.
#[derive(Debug)]
pub struct Presence {
    _held: watch::Sender<()>,
}

impl Presence {
    /// Lets `work` ask whether its client is there.
    pub fn watched<F: Future>(work: F) -> (Self, impl Future<Output = F::Output>) {
        let (held, client) = watch::channel(());
        (Self { _held: held }, CLIENT.scope(client, work))
    }
}

/// Waits until the client is gone, which is for ever where nobody watches.
pub(super) async fn gone() {
    let Ok(mut client) = CLIENT.try_with(Clone::clone) else { return pending().await };
    while client.changed().await.is_ok() {}
}
