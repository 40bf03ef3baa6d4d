//! Limits that refused a moment ago, in this process's memory.
//!
//! Rule: who is over a limit takes nothing that others wait for. The database knows best, and to ask it
//! each time would let one address that is over its limit keep everybody else from hashing. So for a
//! second what it said is remembered, and asked first. How long a refused try has to seem to take is
//! remembered here as well.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;

use super::{Auth, presence};
use crate::clock::Timestamp;
use crate::crypto::password::PasswordHash;
use crate::domain::throttle::Bucket;
use crate::entropy::random;

/// How long what the database said is relied on.
const REMEMBERED: Duration = Duration::from_secs(1);

/// How many buckets are remembered.
const MOST: NonZero<usize> = NonZero::new(10_000).expect("it is not zero");

/// How many kinds of hashes have a pace, and how many tries make it.
const MOST_KINDS: NonZero<usize> = NonZero::new(16).expect("it is not zero");
const SAMPLES: usize = 16;

/// The buckets that refuse.
pub(super) struct Refusing(Mutex<LruCache<Bucket, Refused>>);

#[derive(Clone, Copy)]
struct Refused {
    at: Timestamp,
    until: Timestamp,
}

impl Default for Refusing {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MOST)))
    }
}

impl Refusing {
    /// Takes note of a refusal, for as long as it makes wait and no longer than a second.
    pub(super) fn note(&self, bucket: Bucket, wait: Duration, now: Timestamp) {
        let refused = Refused { at: now, until: now + wait };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(bucket, refused);
    }

    /// How long it makes wait, if it is known to refuse.
    pub(super) fn wait(&self, bucket: Bucket, now: Timestamp) -> Option<Duration> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Refused { at, until } = *buckets.get(&bucket)?;
        let is_fresh = at <= now && now < until && now < at + REMEMBERED;
        let wait = until.as_micros() - now.as_micros();
        is_fresh.then(|| Duration::from_micros(u64::try_from(wait).unwrap_or(0)))
    }
}

/// How long tries of wrong passwords took lately, by the kind of hash.
pub(super) struct Pace(Mutex<LruCache<PasswordHash, VecDeque<Duration>>>);

impl Default for Pace {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MOST_KINDS)))
    }
}

impl Pace {
    /// Takes note of a try that was wrong.
    pub(super) fn note(&self, hash: &PasswordHash, took: Duration) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let samples = kinds.get_or_insert_mut(hash.dummy(), VecDeque::new);
        samples.truncate(SAMPLES - 1);
        samples.push_front(took);
    }

    /// What one of the last took, by a number that was drawn; `None` where there was none.
    pub(super) fn draw(&self, hash: &PasswordHash, drawn: u8) -> Option<Duration> {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let samples = kinds.get(&hash.dummy())?;
        samples.get(usize::from(drawn) % samples.len().max(1)).copied()
    }
}

impl Auth {
    /// Takes note of how long a wrong password took since it was admitted.
    pub(super) fn note_pace(&self, hash: &PasswordHash, took: Duration) {
        self.throttle.pace.note(hash, took);
    }

    /// Lets the time pass that it takes to find a password wrong, without the work. `false` where it
    /// is not known yet how long that is.
    pub(super) async fn seem_to_try(&self, hash: &PasswordHash) -> bool {
        let [drawn] = random(&*self.entropy);
        let Some(took) = self.throttle.pace.draw(hash, drawn) else { return false };
        tokio::select! {
            // The timer is up to a millisecond late.
            () = tokio::time::sleep(took.saturating_sub(Duration::from_millis(1))) => {}
            () = presence::gone() => {}
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::password::Hashing;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000 + millis * 1000)
    }

    #[test]
    fn a_refusal_is_remembered_for_its_wait_and_a_second_at_most() {
        let (refusing, long, short) = (Refusing::default(), Bucket([1; 16]), Bucket([2; 16]));
        refusing.note(long, Duration::from_secs(20), at(0));
        refusing.note(short, Duration::from_millis(300), at(0));
        assert_eq!(refusing.wait(long, at(999)), Some(Duration::from_millis(19_001)));
        assert_eq!(refusing.wait(long, at(1000)), None);
        assert_eq!(refusing.wait(long, at(-1)), None, "the clock was set back");
        assert_eq!(refusing.wait(short, at(299)), Some(Duration::from_millis(1)));
        assert_eq!(refusing.wait(short, at(300)), None);
        assert_eq!(refusing.wait(Bucket([3; 16]), at(0)), None);
    }

    #[test]
    fn of_many_that_refuse_the_latest_are_remembered() {
        let refusing = Refusing::default();
        let bucket = |n: u128| Bucket(n.to_be_bytes());
        for n in 0..=MOST.get() as u128 {
            refusing.note(bucket(n), REMEMBERED, at(0));
        }
        assert!(
            refusing.wait(bucket(0), at(0)).is_none() && refusing.wait(bucket(1), at(0)).is_some()
        );
    }

    #[test]
    fn each_kind_of_hash_has_the_pace_of_its_last_tries() {
        let hash = |memory| Hashing::new(memory, 1, 1).unwrap().dummy().clone();
        let (pace, second) = (Pace::default(), Duration::from_secs(1));
        assert_eq!(pace.draw(&hash(8), 7), None);
        for n in 0..100 {
            pace.note(&hash(8), second * n);
        }
        let drawn: Vec<_> = (0..=255).filter_map(|drawn| pace.draw(&hash(8), drawn)).collect();
        assert!(drawn.iter().all(|took| *took >= second * 84), "{drawn:?}");
        assert!(drawn.contains(&(second * 84)) && drawn.contains(&(second * 99)));
        assert_eq!(pace.draw(&hash(16), 7), None);
    }
}
