//! Time as an argument: the one place that asks the operating system what time it is.
//!
//! Rule: no other module reads a clock. A function that depends on the time takes `now`, so that a
//! test moves the time instead of sleeping through it.

mod timestamp;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::{Mutex, MutexGuard};

pub use timestamp::Timestamp;

/// The most that the clocks of replicas may be apart, and of whoever checks tokens.
pub const MAX_SKEW: Duration = Duration::from_mins(1);

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The wall clock: what tokens and rows are stamped with. It may jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, never going back: for measuring how old something is.
    fn monotonic(&self) -> Duration;

    /// What the wall clock would show if it followed no other.
    fn machine(&self) -> Timestamp {
        self.now()
    }

    /// By how many microseconds the wall clock is corrected to follow another: positive where the
    /// machine's is behind.
    fn correction_micros(&self) -> i64 {
        0
    }

    /// Hears of a clock to go by: it showed `theirs` at some moment of the time that its answer
    /// `took`, which began when [`Clock::machine`] showed `asked`.
    fn follow(&self, theirs: Timestamp, asked: Timestamp, took: Duration) {
        let _ = (theirs, asked, took);
    }
}

/// Measures how long something takes, for the log and the metrics; nothing is decided by it.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// How far the machine's clock may be from the one it follows before it is corrected, beside what the
/// time that asking took leaves open.
const NOISE: Duration = Duration::from_millis(100);

/// The machine's clocks. The wall clock can be made to follow another one.
///
/// Replicas share rows that are stamped with the time, and judge each other's tokens by it. One whose
/// machine is minutes off would take an honest retry for a theft and refuse tokens just issued; so
/// all of them follow the database's clock, which is the same for all.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    correction: AtomicI64,
}

impl SystemClock {
    /// A clock whose monotonic time starts now, and that follows no other yet.
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

    #[expect(clippy::disallowed_methods, reason = "this is the Clock that all else asks")]
    fn machine(&self) -> Timestamp {
        let since_epoch =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp(0) + since_epoch
    }

    fn correction_micros(&self) -> i64 {
        self.correction.load(Ordering::Relaxed)
    }

    /// Corrects the wall clock where it is certainly off: by more than the answer was under way.
    fn follow(&self, theirs: Timestamp, asked: Timestamp, took: Duration) {
        let ours = asked + took / 2;
        let measured = theirs.0.saturating_sub(ours.0);
        let off = measured.saturating_sub(self.correction_micros()).unsigned_abs();
        if u128::from(off) > (NOISE + took / 2).as_micros() {
            self.correction.store(measured, Ordering::Relaxed);
        }
    }
}

/// A clock that moves when it is told to, for tests.
#[derive(Debug)]
pub struct ManualClock {
    state: Mutex<(Timestamp, Duration)>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { state: Mutex::new((now, Duration::ZERO)) }
    }

    /// Moves the wall clock; the monotonic one stays, as when somebody sets the machine's time.
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.0 = state.0 + by;
    }

    /// Moves the wall clock back.
    pub fn rewind(&self, by: Duration) {
        let mut state = self.lock();
        state.0 = state.0 - by;
    }

    /// Moves the monotonic clock only: time during which nothing was read from the database.
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
    fn a_clock_that_is_off_goes_like_the_one_it_follows() {
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
    fn the_noise_of_a_network_moves_nothing() {
        let clock = SystemClock::new();
        let ours = clock.machine();
        clock.follow(ours + Duration::from_millis(99), ours, Duration::ZERO);
        assert_eq!(clock.correction_micros(), 0);
        // At any moment of three seconds it may have shown this.
        clock.follow(ours + Duration::from_secs(3), ours, Duration::from_secs(3));
        assert_eq!(clock.correction_micros(), 0);
    }

    #[test]
    fn a_slow_answer_still_shows_a_clock_that_is_minutes_off() {
        let clock = SystemClock::new();
        let ours = clock.machine();
        clock.follow(ours + Duration::from_secs(303), ours, Duration::from_secs(4));
        assert_eq!(clock.correction_micros(), 301_000_000);
    }
}
