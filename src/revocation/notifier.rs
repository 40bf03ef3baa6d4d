//! Notifications of ended sessions, per user or for all users.
//!
//! A notification has no content. A subscriber reads the ends from the database at its own pace, so that
//! nothing is buffered for a slow subscriber.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use crate::domain::id::UserId;

/// Subscribers by user; `None` for ends of all users.
#[derive(Default)]
pub(super) struct EndNotifier(Mutex<HashMap<Option<UserId>, watch::Sender<()>>>);

/// Subscription to ends of one user, or of all users.
pub struct EndWatcher {
    notifier: Arc<EndNotifier>,
    of: Option<UserId>,
    receiver: watch::Receiver<()>,
}

impl EndNotifier {
    /// Notifies subscribers to ends of these users, and to ends of all users.
    pub(super) fn notify(&self, users: &[UserId]) {
        if users.is_empty() {
            return;
        }
        let waiting = self.lock();
        for of in users.iter().copied().map(Some).chain([None]) {
            if let Some(sender) = waiting.get(&of) {
                sender.send_replace(());
            }
        }
    }

    pub(super) fn notify_all(&self) {
        self.lock().values().for_each(|sender| sender.send_replace(()));
    }

    pub(super) fn watch(self: &Arc<Self>, of: Option<UserId>) -> EndWatcher {
        let receiver = self.lock().entry(of).or_default().subscribe();
        EndWatcher { notifier: Arc::clone(self), of, receiver }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<UserId>, watch::Sender<()>>> {
        self.0.lock()
    }
}

impl EndWatcher {
    /// Waits for a notification since the last call. Several notifications in between count as one.
    pub async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            // Cannot happen: the sender is dropped after the last watcher.
            std::future::pending::<()>().await;
        }
    }
}

/// The last subscriber of a user removes the sender.
impl Drop for EndWatcher {
    fn drop(&mut self) {
        let mut waiting = self.notifier.lock();
        if waiting.get(&self.of).is_some_and(|sender| sender.receiver_count() <= 1) {
            waiting.remove(&self.of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::entropy::SeededEntropy;
    use futures_util::FutureExt;

    fn user(seed: u64) -> UserId {
        UserId::new(Timestamp::from_seconds(1), &SeededEntropy::new(seed))
    }

    #[test]
    fn subscribers_are_notified_of_their_own_users_ends() {
        let notifier = Arc::new(EndNotifier::default());
        let (mut ada, mut bob, mut all) =
            (notifier.watch(Some(user(1))), notifier.watch(Some(user(2))), notifier.watch(None));
        notifier.notify(&[user(1)]);
        assert!(ada.changed().now_or_never().is_some());
        assert!(ada.changed().now_or_never().is_none());
        assert!(bob.changed().now_or_never().is_none());
        assert!(all.changed().now_or_never().is_some());
    }

    #[test]
    fn nothing_is_kept_for_subscribers_that_are_gone() {
        let notifier = Arc::new(EndNotifier::default());
        let (first, second) = (notifier.watch(Some(user(1))), notifier.watch(Some(user(1))));
        drop(first);
        assert_eq!(notifier.lock().len(), 1);
        drop(second);
        assert!(notifier.lock().is_empty());
    }
}
