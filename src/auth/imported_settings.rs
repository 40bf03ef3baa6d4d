//! Settings of the site that accounts were imported from, as far as requests depend on them.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::error::Error;
use crate::clock::Clock;
use crate::domain::external_account::Source;
use crate::domain::simplejwt_settings::SimplejwtSettings;
use crate::store::Store;

/// How long settings that were read are used: an import that changes them may run in another process.
const MAX_AGE: Duration = Duration::from_secs(10);

/// The settings, and the monotonic time at which they were read.
type Read = (Arc<SimplejwtSettings>, Duration);

/// Settings of imports.
pub struct ImportedSettings {
    pub(super) store: Arc<Store>,
    /// The site whose tokens are exchanged.
    pub(super) source: Option<Source>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) read: Mutex<Option<Read>>,
}

impl ImportedSettings {
    pub async fn simplejwt(&self) -> Result<Arc<SimplejwtSettings>, Error> {
        let now = self.clock.monotonic();
        let read = self.read.lock().clone().filter(|(_, read_at)| now < *read_at + MAX_AGE);
        if let Some((settings, _)) = read {
            return Ok(settings);
        }
        let settings = Arc::new(self.store.simplejwt_settings(self.source.as_ref()).await?);
        *self.read.lock() = Some((Arc::clone(&settings), now));
        Ok(settings)
    }
}
