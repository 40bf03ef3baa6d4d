//! [`System`]: the state that all its use cases share.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::keys::Keys;
use crate::auth::passwords::Passwords;
use crate::auth::policy::Policy;
use crate::clock::{Clock, Timestamp};
use crate::metrics::{Metrics, Observed};
use crate::revocation::Revocations;
use crate::store::Store;

/// The service itself.
pub struct System {
    pub(in crate::auth) store: Arc<Store>,
    pub(in crate::auth) keys: Arc<Keys>,
    pub(in crate::auth) passwords: Arc<Passwords>,
    pub(in crate::auth) revocations: Arc<Revocations>,
    pub(in crate::auth) metrics: Arc<Metrics>,
    pub(in crate::auth) policy: Policy,
    pub(in crate::auth) clock: Arc<dyn Clock>,
}

impl System {
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Time that never goes back.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// All metrics in the text format of Prometheus. The database is not asked.
    #[must_use]
    pub fn metrics_text(&self, open_sockets: usize) -> String {
        let (pool, hashing) = (self.store.pool_usage(), self.passwords.hashing_load());
        self.metrics.text(Observed {
            staleness: self.revocations.age(),
            ended_sessions: self.revocations.len(),
            connections: (pool.idle, pool.in_use),
            connections_max: pool.max,
            hashing: (hashing.running, hashing.waiting),
            open_sockets,
            clock_correction: self.clock.correction_micros(),
            uptime: self.clock.monotonic(),
        })
    }
}
