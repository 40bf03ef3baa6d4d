//! Rate limit of a warning.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;

/// After how long a warning is repeated: a flood of connections or requests must not be one of lines,
/// too.
const INTERVAL: Duration = Duration::from_mins(1);

/// When a warning was logged last.
#[derive(Debug, Default)]
pub(super) struct WarningInterval(Mutex<Option<Stopwatch>>);

impl WarningInterval {
    /// Whether the warning is to be logged now; it then counts as logged.
    pub(super) fn is_over(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
