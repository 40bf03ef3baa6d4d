//! Who is in the middle of a try, in this process: under each bucket how many, and whose turn it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::throttle::Bucket;

/// The tries under way. A bucket is here as long as somebody is in it.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<Bucket, Entered>>>);

/// Who is under a bucket.
struct Entered {
    visits: usize,
    turn: Arc<Semaphore>,
}

/// A try under a bucket, until it is dropped.
pub(super) struct Visit {
    bucket: Bucket,
    turn: Arc<Semaphore>,
    turns: Turns,
}

impl Turns {
    /// Begins a try.
    pub(super) fn enter(&self, bucket: Bucket) -> Visit {
        self.enter_where(bucket, 1)
    }

    /// Begins a try where so many under the bucket have a turn at once.
    pub(super) fn enter_where(&self, bucket: Bucket, at_once: usize) -> Visit {
        let mut buckets = self.buckets();
        let nobody = || Entered { visits: 0, turn: Arc::new(Semaphore::new(at_once)) };
        let entered = buckets.entry(bucket).or_insert_with(nobody);
        entered.visits += 1;
        Visit { bucket, turn: Arc::clone(&entered.turn), turns: self.clone() }
    }

    fn buckets(&self) -> MutexGuard<'_, HashMap<Bucket, Entered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody is under any bucket.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.buckets().is_empty()
    }
}

impl Visit {
    /// How many others are under the same bucket, more or less: they come and go.
    pub(super) fn others(&self) -> usize {
        self.turns.buckets().get(&self.bucket).map_or(0, |entered| entered.visits.saturating_sub(1))
    }

    /// Waits until it is this one's turn.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turn).acquire_owned().await.ok()
    }

    /// The turn, if it is nobody's.
    pub(super) fn turn_now(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turn).try_acquire_owned().ok()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut buckets = self.turns.buckets();
        let Some(entered) = buckets.get_mut(&self.bucket) else { return };
        entered.visits -= 1;
        if entered.visits == 0 {
            buckets.remove(&self.bucket);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_has_the_turn_and_who_leaves_leaves_nothing() {
        let turns = Turns::default();
        let (one, two) = (turns.enter(Bucket([1; 16])), turns.enter(Bucket([1; 16])));
        let elsewhere = turns.enter(Bucket([2; 16]));
        assert_eq!((one.others(), elsewhere.others()), (1, 0));
        let turn = one.turn().await;
        assert!(turn.is_some() && two.turn_now().is_none() && elsewhere.turn_now().is_some());
        drop(one);
        assert_eq!(two.others(), 0, "whose turn it is does not count twice");
        drop(turn);
        assert!(two.turn_now().is_some());
        drop((two, elsewhere));
        assert!(turns.is_empty());
    }
    #[test]
    fn of_many_who_leave_at_once_nothing_is_left() {
        let turns = Turns::default();
        for _ in 0..2_000 {
            let both = [(), ()].map(|()| turns.enter(Bucket([1; 16])));
            std::thread::scope(|scope| {
                for one in both {
                    scope.spawn(move || drop(one));
                }
            });
            assert!(turns.is_empty());
        }
    }
}
