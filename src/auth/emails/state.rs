//! [`Emails`]: the state that all its use cases share.

use std::sync::Arc;

use crate::clock::{Clock, Timestamp};
use crate::crypto::blind_index::BlindIndexKey;
use crate::crypto::one_time_code::CodeKeys;
use crate::crypto::secret::MasterSecrets;
use crate::domain::throttle::Limit;
use crate::entropy::Entropy;
use crate::mail::{Links, QueueSignal, Templates};
use crate::store::Store;

/// Decisions of the operator about mails.
#[derive(Clone, Debug)]
pub struct EmailSettings {
    pub links: Links,
    /// Limit on all mails of the deployment that strangers cause.
    pub ceiling: Limit,
    /// Whether a login from a new device causes a notice.
    pub login_notices: bool,
}

/// E-mails of accounts.
pub struct Emails {
    pub(in crate::auth) store: Arc<Store>,
    pub(in crate::auth) secrets: Arc<MasterSecrets>,
    pub(in crate::auth) codes: CodeKeys,
    pub(in crate::auth) buckets: BlindIndexKey,
    pub(in crate::auth) settings: EmailSettings,
    /// For administrators, who see the texts of mails.
    pub(in crate::auth) templates: Arc<Templates>,
    pub(in crate::auth) signal: QueueSignal,
    pub(in crate::auth) clock: Arc<dyn Clock>,
    pub(in crate::auth) entropy: Arc<dyn Entropy>,
}

impl Emails {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Wakes the sender of this process; called after a mail with a code was queued. Notices wait
    /// for the sender's next look.
    pub(in crate::auth) fn mail_queued(&self) {
        self.signal.mail_queued();
    }

    /// URL of the application, in which users log in.
    #[must_use]
    pub fn app_url(&self) -> &str {
        self.settings.links.app()
    }

    /// The signal to the sender of this process.
    #[must_use]
    pub fn signal(&self) -> &QueueSignal {
        &self.signal
    }
}
