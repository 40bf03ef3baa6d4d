//! Cache of limits that refused within the last second.
//!
//! An attempt over a limit must take nothing that others wait for. Without this cache one address over
//! its limit would keep the database and the cores busy with refusals.

use std::time::Duration;

use crate::bounded_cache::BoundedCache;
use crate::clock::Timestamp;
use crate::domain::throttle::Bucket;

/// Lifetime of an entry.
const TTL: Duration = Duration::from_secs(1);

const MAX_ENTRIES: usize = 10_000;

pub(super) struct RefusalCache(BoundedCache<Bucket, Refusal>);

#[derive(Clone, Copy)]
struct Refusal {
    at: Timestamp,
    until: Timestamp,
}

impl Default for RefusalCache {
    fn default() -> Self {
        Self(BoundedCache::new(MAX_ENTRIES))
    }
}

impl RefusalCache {
    /// Keeps a refusal until its wait is over, for a second at most.
    pub(super) fn insert(&self, bucket: Bucket, wait: Duration, now: Timestamp) {
        let refusal = Refusal { at: now, until: now + wait };
        self.0.insert(bucket, refusal);
    }

    /// The remaining wait, if the bucket is known to refuse.
    pub(super) fn wait(&self, bucket: Bucket, now: Timestamp) -> Option<Duration> {
        let is_fresh =
            |refusal: &Refusal| refusal.at <= now && now < refusal.until && now < refusal.at + TTL;
        let refusal = self.0.get_if(&bucket, is_fresh)?;
        let wait = refusal.until.as_micros() - now.as_micros();
        Some(Duration::from_micros(u64::try_from(wait).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000 + millis * 1000)
    }

    #[test]
    fn a_refusal_is_remembered_for_its_wait_and_a_second_at_most() {
        let (refusals, long, short) = (RefusalCache::default(), Bucket([1; 16]), Bucket([2; 16]));
        refusals.insert(long, Duration::from_secs(20), at(0));
        refusals.insert(short, Duration::from_millis(300), at(0));
        assert_eq!(refusals.wait(long, at(999)), Some(Duration::from_millis(19_001)));
        assert_eq!(refusals.wait(long, at(1000)), None);
        assert_eq!(refusals.wait(long, at(-1)), None, "the clock was set back");
        assert_eq!(refusals.wait(short, at(299)), Some(Duration::from_millis(1)));
        assert_eq!(refusals.wait(short, at(300)), None);
        assert_eq!(refusals.wait(Bucket([3; 16]), at(0)), None);
    }

    #[test]
    fn of_many_that_refuse_the_latest_are_remembered() {
        let refusals = RefusalCache::default();
        let bucket = |n: u128| Bucket(n.to_be_bytes());
        for n in 0..=MAX_ENTRIES as u128 {
            refusals.insert(bucket(n), TTL, at(0));
        }
        assert!(
            refusals.wait(bucket(0), at(0)).is_none() && refusals.wait(bucket(1), at(0)).is_some()
        );
    }
}
