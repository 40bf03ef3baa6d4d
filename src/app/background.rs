//! Background tasks of a running service.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::components::Components;
use super::restore_detection::RestoreDetector;
use crate::auth::Auth;
use crate::revocation::RevocationSync;

const PURGE_INTERVAL: Duration = Duration::from_mins(10);

/// The background tasks.
pub(super) struct Background {
    /// Aborted when the service stops.
    tasks: JoinSet<()>,
    /// Finishes the mails that it sends: an aborted one would be sent again.
    delivery: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Background {
    /// Stops the tasks. None of them uses the database afterwards.
    pub(super) async fn shutdown(mut self) {
        if let Some((stop, delivery)) = self.delivery.take() {
            // If that fails, or the task panicked, it has ended.
            let _ = stop.send(());
            let _ = delivery.await;
        }
        self.tasks.shutdown().await;
    }
}

/// Starts the background tasks. `is_warned`: whether the warning about a restored copy was already logged.
pub(super) fn start(
    components: &Components,
    sync: RevocationSync,
    detector: &Arc<RestoreDetector>,
    is_warned: bool,
) -> Background {
    let (auth, store) = (Arc::clone(&components.auth), Arc::clone(&components.store));
    let mut tasks = JoinSet::new();
    tasks.spawn(sync.run());
    tasks.spawn(purge(Arc::clone(&auth)));
    let ending = Arc::clone(&auth);
    tasks.spawn(async move { ending.ends.end_rows_forever().await });
    tasks.spawn(Arc::clone(detector).run(auth, store, is_warned));
    let delivery = components.delivery.clone().map(|delivery| {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(delivery.run(async move {
            // An error means that the sender is gone: the service has ended.
            let _ = stopped.await;
        }));
        (stop, task)
    });
    Background { tasks, delivery }
}

/// Deletes expired rows and looks up the hash parameters of the accounts, again and again.
async fn purge(auth: Arc<Auth>) {
    loop {
        tokio::time::sleep(PURGE_INTERVAL).await;
        if let Err(error) = auth.passwords.survey_hashes().await {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, "reading the hash parameters of the accounts failed; retrying");
        }
        match auth.system.purge().await {
            Ok(purged) => tracing::info!(?purged, "expired rows were deleted"),
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "deleting expired rows failed; retrying");
            }
        }
    }
}
