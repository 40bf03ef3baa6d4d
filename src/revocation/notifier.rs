//! Tells whoever follows ended sessions that there are new ones.
//!
//! Rule: what is told is only that there is something, never what. A follower reads it from the
//! database at its own pace, so that nothing piles up for one that is slow.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use crate::domain::id::UserId;

/// Those who wait for ends.
#[derive(Default)]
pub(super) struct EndNotifier(Mutex<HashMap<Option<UserId>, watch::Sender<()>>>);

/// One who waits for ends: of one user, or of all.
pub struct EndWatcher {
    notifier: Arc<EndNotifier>,
    of: Option<UserId>,
    receiver: watch::Receiver<()>,
}

impl EndNotifier {
    /// Tells those who wait for ends of these users.
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

    /// Tells everybody who waits.
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
    /// Waits until something was told since the last time. What was told in between is not lost.
    pub async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            // The sender lives as long as anybody watches.
            std::future::pending::<()>().await;
        }
    }
}

/// The last one takes the place along.
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
    fn those_are_told_whom_it_is_about() {
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
    fn nothing_is_kept_of_who_went_away() {
        let notifier = Arc::new(EndNotifier::default());
        let (first, second) = (notifier.watch(Some(user(1))), notifier.watch(Some(user(1))));
        drop(first);
        assert_eq!(notifier.lock().len(), 1);
        drop(second);
        assert!(notifier.lock().is_empty());
    }
}
