//! Clocks: the only place that asks the operating system for the time.
//!
//! A function that depends on the time takes `now` as an argument, so that a test moves the time instead
//! of sleeping.

mod timestamp;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::{Mutex, MutexGuard};

pub use timestamp::Timestamp;

/// Largest difference tolerated between the clocks of replicas and of services that verify tokens.
pub const MAX_SKEW: Duration = Duration::from_mins(1);

/// Difference from the database's clock above which an operator is warned.
pub const REPORTED_DRIFT: Duration = Duration::from_secs(2);

pub trait Clock: Send + Sync {
    /// Wall-clock time, for tokens and rows. It may jump.
    fn now(&self) -> Timestamp;

    /// Time since a fixed moment, which never goes back, for measuring ages.
    fn monotonic(&self) -> Duration;

    /// Time of the machine's clock, without the correction.
    fn machine(&self) -> Timestamp {
        self.now()
    }

    /// Microseconds added to the machine's clock to follow the database's; positive if the machine's
    /// clock is behind.
    fn correction_micros(&self) -> i64 {
        0
    }

    /// Corrects this clock by one reading of the database's clock: `theirs`, taken at an unknown moment
    /// of the round trip that began at `asked` by [`Clock::machine`] and took `took`.
    fn follow(&self, theirs: Timestamp, asked: Timestamp, took: Duration) {
        let _ = (theirs, asked, took);
    }
}

/// Duration of an operation, for the log and the metrics. No decision may depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Smallest difference that is corrected, in addition to the uncertainty of the measurement (half of its
/// round trip). Smaller differences are noise of the network.
const MIN_CORRECTION: Duration = Duration::from_millis(100);

/// The machine's clocks, with a wall clock that follows the database's.
///
/// Replicas share rows with times in them and verify each other's tokens. A replica whose clock is
/// minutes off would take a client's retry for token theft and refuse tokens that were just issued. So
/// all replicas follow the clock of the database that they share.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    correction: AtomicI64,
}

impl SystemClock {
    /// A clock without a correction, whose monotonic time starts now.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "starting a clock is an act, not a default")]
    pub fn new() -> Self {
        Self { started: Instant::now(), correction: AtomicI64::new(0) }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.machine().0.saturating_add(self.correction_micros()))
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the system clock")]
    fn machine(&self) -> Timestamp {
        let since_epoch =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp(0) + since_epoch
    }

    fn correction_micros(&self) -> i64 {
        self.correction.load(Ordering::Relaxed)
    }

    fn follow(&self, theirs: Timestamp, asked: Timestamp, took: Duration) {
        // Assumes that the reading was taken in the middle of the round trip.
        let ours = asked + took / 2;
        let measured = theirs.0.saturating_sub(ours.0);
        let off = measured.saturating_sub(self.correction_micros()).unsigned_abs();
        if u128::from(off) > (MIN_CORRECTION + took / 2).as_micros() {
            self.correction.store(measured, Ordering::Relaxed);
        }
    }
}

/// A clock that tests move.
#[derive(Debug)]
pub struct ManualClock {
    state: Mutex<(Timestamp, Duration)>,
}

impl ManualClock {
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { state: Mutex::new((now, Duration::ZERO)) }
    }

    /// Moves the wall clock forward. The monotonic clock stays, as if an operator set the time.
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.0 = state.0 + by;
    }

    /// Moves the wall clock back. The monotonic clock stays.
    pub fn rewind(&self, by: Duration) {
        let mut state = self.lock();
        state.0 = state.0 - by;
    }

    /// Moves the monotonic clock only, as if the database's feed was not read for that time.
    pub fn advance_monotonic(&self, by: Duration) {
        self.lock().1 += by;
    }

    fn lock(&self) -> MutexGuard<'_, (Timestamp, Duration)> {
        self.state.lock()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.lock().0
    }

    fn monotonic(&self) -> Duration {
        self.lock().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_corrected_to_the_clock_that_it_follows() {
        let clock = SystemClock::new();
        let ours = clock.machine();
        clock.follow(ours + Duration::from_mins(5), ours, Duration::ZERO);
        assert!(clock.now() >= ours + Duration::from_mins(5));
        clock.follow(ours - Duration::from_mins(5), ours, Duration::ZERO);
        assert!(clock.now() < ours);
        clock.follow(ours, ours, Duration::ZERO);
        assert_eq!(clock.correction_micros(), 0);
    }

    #[test]
    fn the_noise_of_a_network_corrects_nothing() {
        let clock = SystemClock::new();
        let ours = clock.machine();
        clock.follow(ours + Duration::from_millis(99), ours, Duration::ZERO);
        assert_eq!(clock.correction_micros(), 0);
        // The reading may have been taken at any moment of three seconds.
        clock.follow(ours + Duration::from_secs(3), ours, Duration::from_secs(3));
        assert_eq!(clock.correction_micros(), 0);
    }

    #[test]
    fn a_slow_answer_still_corrects_a_clock_that_is_minutes_off() {
        let clock = SystemClock::new();
        let ours = clock.machine();
        clock.follow(ours + Duration::from_secs(303), ours, Duration::from_secs(4));
        assert_eq!(clock.correction_micros(), 301_000_000);
    }
}
