//! Background tasks of a running service.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::components::Components;
use super::restore_detection::RestoreDetector;
use crate::auth::Auth;
use crate::revocation::RevocationSync;

const PURGE_INTERVAL: Duration = Duration::from_mins(10);

/// Starts the background tasks; dropping the set aborts them. `is_warned`: whether the warning about a
/// restored copy was already logged.
pub(super) fn start(
    components: &Components,
    sync: RevocationSync,
    detector: &Arc<RestoreDetector>,
    is_warned: bool,
) -> JoinSet<()> {
    let (auth, store) = (Arc::clone(&components.auth), Arc::clone(&components.store));
    let mut background = JoinSet::new();
    background.spawn(sync.run());
    background.spawn(purge(Arc::clone(&auth)));
    let ending = Arc::clone(&auth);
    background.spawn(async move { ending.ends.end_rows_forever().await });
    background.spawn(Arc::clone(detector).run(auth, store, is_warned));
    background
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
