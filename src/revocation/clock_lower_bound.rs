//! Lower bound of the wall-clock time, for a wall clock that may jump.
//!
//! An ended session is removed from memory by this time and not by the wall clock. If the wall clock jumped
//! ahead and back, tokens would be valid again whose session's end was removed in the meantime.

use std::time::Duration;

use crate::clock::Timestamp;

/// Smallest difference between the wall clock and the monotonic clock, in microseconds, in the current
/// period and in the previous one.
pub(super) struct EarliestTime {
    period: Duration,
    period_start: Duration,
    current: i64,
    previous: i64,
}

impl EarliestTime {
    /// `period` is the longest lifetime of an access token. The bound considers the clock's readings of at
    /// least this time.
    pub fn new(period: Duration) -> Self {
        Self { period, period_start: Duration::ZERO, current: i64::MAX, previous: i64::MAX }
    }

    /// Takes a reading of both clocks and returns the lower bound of the time.
    pub fn at(&mut self, wall: Timestamp, monotonic: Duration) -> Timestamp {
        let ahead = (wall - monotonic).as_micros();
        if monotonic.saturating_sub(self.period_start) >= self.period {
            self.period_start = monotonic;
            self.previous = self.current;
            self.current = ahead;
        }
        self.current = self.current.min(ahead);
        Timestamp::from_micros(self.current.min(self.previous)) + monotonic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_ahead_is_believed_once_no_token_is_older() {
        let mut earliest = EarliestTime::new(Duration::from_mins(15));
        // The bound for a wall clock that is `ahead` seconds fast after `minutes`, as seconds ahead.
        let mut of = |ahead: i64, minutes: u64| {
            let passed = Duration::from_mins(minutes);
            let wall = Timestamp::from_seconds(1_800_000_000 + ahead) + passed;
            (earliest.at(wall, passed) - passed).as_seconds() - 1_800_000_000
        };
        assert_eq!(of(0, 0), 0);
        assert!((1..30).all(|minute| of(3600, minute) == 0));
        assert_eq!(of(3600, 30), 3600);
        // If the wall clock goes back, the bound follows at once.
        assert_eq!(of(0, 31), 0);
        assert_eq!(of(3600, 32), 0);
    }
}
