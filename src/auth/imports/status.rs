//! State of the move from other systems.

use std::time::Duration;

use super::state::Imports;
use crate::auth::authority::Admin;
use crate::auth::error::Error;
use crate::store::ImportStatus;

/// How long a status is answered again: with a million accounts it takes a second of the database, and every open
/// page of the console asks for it.
const MAX_AGE: Duration = Duration::from_secs(10);

impl Imports {
    /// How far the move from each source is, by its name; at most ten seconds old.
    pub async fn status(&self, _by: Admin) -> Result<Vec<ImportStatus>, Error> {
        // Held while it is read, so that callers who come at once wait for one read.
        let mut latest = self.latest_status.lock().await;
        let now = self.clock.monotonic();
        if let Some((status, read_at)) = &*latest
            && now < *read_at + MAX_AGE
        {
            return Ok(status.clone());
        }
        let status = self.store.import_status(self.now()).await?;
        *latest = Some((status.clone(), now));
        Ok(status)
    }
}
