//! Length of tests whose number of rounds is arbitrary, and operations that are repeated on a busy machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Time after which the store gives up.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum number of repeats of all tests together: more are a fault, not a busy machine.
const MAX_REPEATS: usize = 30;

/// The number of rounds: `short`, or `long` with `SALLYPORT_PROOF=long`.
pub fn rounds(short: usize, long: usize) -> usize {
    if is_long() { long } else { short }
}

fn is_long() -> bool {
    std::env::var("SALLYPORT_PROOF").is_ok_and(|length| length == "long")
}

/// Whether to repeat an operation that failed: only if it timed out, as many operations at once do on a busy
/// machine. Never in the long run, which measures on an idle machine.
pub fn may_repeat(began: Instant) -> bool {
    began.elapsed() >= OPERATION_TIMEOUT
        && !is_long()
        && REPEATS.fetch_add(1, Ordering::Relaxed) < MAX_REPEATS
}

static REPEATS: AtomicUsize = AtomicUsize::new(0);
