//! Locks for concurrent attempts in this process, one for each bucket.
//!
//! A bucket exists as long as an attempt is in it, so memory is bounded by the attempts under way.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::throttle::Bucket;

#[derive(Clone, Default)]
pub(super) struct BucketLocks(Arc<Mutex<HashMap<Bucket, Entries>>>);

struct Entries {
    count: usize,
    lock: Arc<Semaphore>,
}

/// An attempt under a bucket, until it is dropped.
pub(super) struct Entry {
    bucket: Bucket,
    lock: Arc<Semaphore>,
    locks: BucketLocks,
}

impl BucketLocks {
    /// Enters a bucket in which one attempt at a time has the lock.
    pub(super) fn enter(&self, bucket: Bucket) -> Entry {
        self.enter_shared(bucket, 1)
    }

    /// Enters a bucket in which so many attempts have the lock at a time.
    pub(super) fn enter_shared(&self, bucket: Bucket, at_once: usize) -> Entry {
        let mut buckets = self.buckets();
        let empty = || Entries { count: 0, lock: Arc::new(Semaphore::new(at_once)) };
        let entries = buckets.entry(bucket).or_insert_with(empty);
        entries.count += 1;
        Entry { bucket, lock: Arc::clone(&entries.lock), locks: self.clone() }
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<Bucket, Entries>> {
        self.0.lock()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.buckets().is_empty()
    }
}

impl Entry {
    /// Count of other attempts under the same bucket; it may change at once.
    pub(super) fn others(&self) -> usize {
        self.locks.buckets().get(&self.bucket).map_or(0, |entries| entries.count.saturating_sub(1))
    }

    pub(super) async fn lock(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.lock).acquire_owned().await.ok()
    }

    /// The lock, if it is free.
    pub(super) fn try_lock(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.lock).try_acquire_owned().ok()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut buckets = self.locks.buckets();
        let Some(entries) = buckets.get_mut(&self.bucket) else { return };
        entries.count -= 1;
        if entries.count == 0 {
            buckets.remove(&self.bucket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_attempt_has_the_lock_and_the_last_one_to_leave_leaves_nothing() {
        let locks = BucketLocks::default();
        let (one, two) = (locks.enter(Bucket([1; 16])), locks.enter(Bucket([1; 16])));
        let elsewhere = locks.enter(Bucket([2; 16]));
        assert_eq!((one.others(), elsewhere.others()), (1, 0));
        let lock = one.lock().await;
        assert!(lock.is_some() && two.try_lock().is_none() && elsewhere.try_lock().is_some());
        drop(one);
        assert_eq!(two.others(), 0, "the holder of the lock does not count twice");
        drop(lock);
        assert!(two.try_lock().is_some());
        drop((two, elsewhere));
        assert!(locks.is_empty());
    }

    #[test]
    fn of_many_that_leave_at_once_nothing_is_left() {
        let locks = BucketLocks::default();
        for _ in 0..2_000 {
            let both = [(), ()].map(|()| locks.enter(Bucket([1; 16])));
            std::thread::scope(|scope| {
                for one in both {
                    scope.spawn(move || drop(one));
                }
            });
            assert!(locks.is_empty());
        }
    }
}
