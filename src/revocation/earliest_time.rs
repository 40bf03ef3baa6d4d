//! What time it certainly is, though the wall clock may jump.
//!
//! Rule: an end is forgotten by the slowest that the wall clock was for as long as an access token
//! lives. One that jumps ahead and comes back would find tokens alive whose end was forgotten meanwhile.

use std::time::Duration;

use crate::clock::Timestamp;

/// How far the wall clock was ahead of the monotonic one, at the least, in microseconds: in the
/// stretch of time that goes on, and in the one before it.
pub(super) struct EarliestTime {
    stretch: Duration,
    began: Duration,
    lately: i64,
    before: i64,
}

impl EarliestTime {
    /// Of at least this long.
    pub fn new(stretch: Duration) -> Self {
        Self { stretch, began: Duration::ZERO, lately: i64::MAX, before: i64::MAX }
    }

    /// What time it is by the slowest, now that the clocks show this.
    pub fn at(&mut self, wall: Timestamp, monotonic: Duration) -> Timestamp {
        let ahead = (wall - monotonic).as_micros();
        if monotonic.saturating_sub(self.began) >= self.stretch {
            self.began = monotonic;
            self.before = self.lately;
            self.lately = ahead;
        }
        self.lately = self.lately.min(ahead);
        Timestamp::from_micros(self.lately.min(self.before)) + monotonic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_ahead_is_believed_once_no_token_is_older() {
        let mut earliest = EarliestTime::new(Duration::from_mins(15));
        // What it is by the slowest, on a clock that is so many seconds ahead, after so many minutes.
        let mut of = |ahead: i64, minutes: u64| {
            let passed = Duration::from_mins(minutes);
            let wall = Timestamp::from_seconds(1_800_000_000 + ahead) + passed;
            (earliest.at(wall, passed) - passed).as_seconds() - 1_800_000_000
        };
        assert_eq!(of(0, 0), 0);
        assert!((1..30).all(|minute| of(3600, minute) == 0));
        assert_eq!(of(3600, 30), 3600);
        // Back again it is late at once.
        assert_eq!(of(0, 31), 0);
        assert_eq!(of(3600, 32), 0);
    }
}
