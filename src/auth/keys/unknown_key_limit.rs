//! Rate limit on reads of the signing keys that tokens of unknown keys cause.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Interval;

/// Shortest time between two reads for unknown keys.
pub(super) const READ_INTERVAL: Duration = Duration::from_millis(100);

/// Reads for unknown keys.
#[derive(Default)]
pub(super) struct KeyLookups {
    pub(super) begun: AtomicU64,
    pub(super) pace: Mutex<Pace>,
}

#[derive(Default)]
pub(super) struct Pace {
    /// Made by the first read: there is no timer before there is a runtime.
    pub(super) interval: Option<Interval>,
    pub(super) has_failed: bool,
}
