//! [`Imports`]: the state that all its use cases share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::auth::passwords::Passwords;
use crate::auth::sessions::SessionEnds;
use crate::clock::{Clock, Timestamp};
use crate::entropy::Entropy;
use crate::store::{ImportStatus, Store};

/// Imports from other systems.
pub struct Imports {
    pub(in crate::auth) store: Arc<Store>,
    pub(in crate::auth) passwords: Arc<Passwords>,
    pub(in crate::auth) ends: Arc<SessionEnds>,
    /// The last status that was read, and the monotonic time at which it was.
    pub(in crate::auth) latest_status: Mutex<Option<(Vec<ImportStatus>, Duration)>>,
    pub(in crate::auth) clock: Arc<dyn Clock>,
    pub(in crate::auth) entropy: Arc<dyn Entropy>,
}

impl Imports {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
