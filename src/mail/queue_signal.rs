//! Signal to the sender of this process that a mail was queued.
//!
//! Without it a mail waits for the sender's next look at the outbox. Mails that other processes queue always
//! do.

use std::sync::Arc;

use tokio::sync::Notify;

#[derive(Clone, Debug, Default)]
pub struct QueueSignal(Arc<Notify>);

impl QueueSignal {
    /// Call it after the transaction that queued a mail. Several signals before a look count as one.
    pub fn mail_queued(&self) {
        self.0.notify_one();
    }

    pub(super) async fn received(&self) {
        self.0.notified().await;
    }
}
