//! Rate limit of a warning.

use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Stopwatch;

/// Time between two equal warnings: a flood of connections or requests must not flood the log.
const INTERVAL: Duration = Duration::from_mins(1);

/// Time of the last warning.
#[derive(Debug, Default)]
pub(super) struct WarningInterval(Mutex<Option<Stopwatch>>);

impl WarningInterval {
    /// Whether to log the warning now; the interval then starts again.
    pub(super) fn is_over(&self) -> bool {
        let mut last = self.0.lock();
        let is_over = last.is_none_or(|last| last.elapsed() > INTERVAL);
        if is_over {
            *last = Some(Stopwatch::start());
        }
        is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_logged_once_in_its_interval() {
        let interval = WarningInterval::default();
        assert!(interval.is_over());
        assert!(!interval.is_over());
    }
}
