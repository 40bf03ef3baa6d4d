//! [`Sessions`]: the state that all its use cases share.

use std::sync::Arc;

use super::session_ends::SessionEnds;
use super::token_issuer::TokenIssuer;
use crate::auth::bucket_locks::BucketLocks;
use crate::auth::challenges::Challenges;
use crate::auth::emails::Emails;
use crate::auth::factors::SecondFactors;
use crate::auth::foreign_tokens::ForeignTokenSettings;
use crate::auth::guard::Guard;
use crate::auth::passwords::Passwords;
use crate::auth::policy::Policy;
use crate::clock::{Clock, Timestamp};
use crate::entropy::Entropy;
use crate::metrics::Metrics;
use crate::revocation::Revocations;
use crate::store::Store;

/// Sessions of users.
pub struct Sessions {
    pub(in crate::auth) store: Arc<Store>,
    pub(in crate::auth) guard: Arc<Guard>,
    pub(in crate::auth) passwords: Arc<Passwords>,
    pub(in crate::auth) challenges: Arc<Challenges>,
    pub(in crate::auth) emails: Arc<Emails>,
    pub(in crate::auth) factors: Arc<SecondFactors>,
    pub(in crate::auth) tokens: TokenIssuer,
    pub(in crate::auth) ends: Arc<SessionEnds>,
    pub(in crate::auth) revocations: Arc<Revocations>,
    pub(in crate::auth) metrics: Arc<Metrics>,
    /// Refreshes of one session are done one at a time.
    pub(in crate::auth) refreshes: BucketLocks,
    /// Acceptance of another system's refresh tokens; `None`: none is accepted.
    pub(in crate::auth) foreign: Option<Arc<ForeignTokenSettings>>,
    pub(in crate::auth) policy: Policy,
    pub(in crate::auth) clock: Arc<dyn Clock>,
    pub(in crate::auth) entropy: Arc<dyn Entropy>,
}

impl Sessions {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
