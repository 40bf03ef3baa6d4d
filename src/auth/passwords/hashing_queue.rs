//! Bounded queue for password hashing and strength estimates.
//!
//! Both run off the threads that answer requests, one at a time for each core. A hash takes tens of
//! milliseconds of a core and 19 MiB: without a bound a burst of logins takes all memory, on the request
//! threads it stops everything else, and in an endless queue answers come after their clients have left.
//! So a caller who finds the queue full, or has waited for [`MAX_WAIT`], is told to try again later. A
//! client that disconnects leaves the queue. A login waits for its permit before it asks the database
//! for anything, unless a limit is known to refuse it (see [`over_limit_queue`](super::over_limit_queue)), so
//! that a flood of logins takes no database connections from refreshes.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::dummy_hashes::DummyHashes;
use super::foreign_memory::ForeignMemory;
use super::new_password::NewPassword;
use crate::auth::bucket_locks::{BucketLocks, Entry};
use crate::auth::client_disconnect::disconnected;
use crate::auth::error::Error;
use crate::auth::user_error::UserError;
use crate::crypto::CryptoError;
use crate::crypto::password::{Hashing, PasswordHash, Verdict};
use crate::domain::password::{Password, WeakPassword};
use crate::domain::throttle::Bucket;
use crate::domain::typed_password::TypedPassword;
use crate::entropy::Entropy;

/// Most waiting hashes for each core: about two seconds' work.
const MAX_WAITING: usize = 64;

/// Longest wait for a core, and the `retryAfterSeconds` of a refused caller.
const MAX_WAIT: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingLoad {
    pub running: usize,
    pub waiting: usize,
}

pub(super) struct HashingQueue {
    hashing: Arc<Hashing>,
    dummies: DummyHashes,
    entropy: Arc<dyn Entropy>,
    /// One permit for each core.
    cores: Arc<Semaphore>,
    memory: ForeignMemory,
    /// One permit for each hash that runs or waits.
    places: Arc<Semaphore>,
    /// Running and waiting hashes of each address.
    sources: BucketLocks,
    size: Size,
}

/// Permit for one hash.
pub(super) struct HashingPermit {
    _permit: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
    _source: Option<Entry>,
}

/// Outcome of replacing a password.
pub(super) enum Replaced {
    WrongPassword,
    Weak(WeakPassword),
    By(PasswordHash),
}

#[derive(Clone, Copy, Debug)]
struct Size {
    cores: usize,
    waiting: usize,
    max_wait: Duration,
}

impl HashingQueue {
    pub(super) fn new(hashing: Hashing, entropy: Arc<dyn Entropy>) -> Self {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        let waiting = MAX_WAITING * cores.max(2);
        Self::with(hashing, entropy, Size { cores, waiting, max_wait: MAX_WAIT })
    }

    fn with(hashing: Hashing, entropy: Arc<dyn Entropy>, size: Size) -> Self {
        let cores = Arc::new(Semaphore::new(size.cores));
        let places = Arc::new(Semaphore::new(size.cores + size.waiting));
        let (memory, sources) = (ForeignMemory::default(), BucketLocks::default());
        let dummies = DummyHashes::new(hashing.dummy().clone());
        Self { hashing: Arc::new(hashing), dummies, entropy, cores, memory, places, sources, size }
    }

    pub(super) fn hashing(&self) -> &Arc<Hashing> {
        &self.hashing
    }

    pub(super) fn dummies(&self) -> &DummyHashes {
        &self.dummies
    }

    /// Waits for a core. One source takes at most half of the places.
    ///
    /// # Errors
    /// `OVERLOADED` where the queue is full or the wait is over.
    pub(super) async fn permit(&self, source: Option<Bucket>) -> Result<HashingPermit, Error> {
        let overloaded = || UserError::overloaded(MAX_WAIT);
        let source = source.map(|source| self.sources.enter(source));
        let share = (self.size.cores + self.size.waiting).div_ceil(2);
        if source.as_ref().is_some_and(|source| source.others() >= share) {
            return Err(overloaded().into());
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| overloaded())?;
        let core = tokio::select! {
            core = timeout(self.size.max_wait, Arc::clone(&self.cores).acquire_owned()) => {
                core.map_err(|_| overloaded())?.map_err(|error| Error::Internal(error.into()))?
            }
            // The answer is not read, so its code does not matter.
            () = disconnected() => return Err(overloaded().into()),
        };
        Ok(HashingPermit { _permit: core, _place: place, _source: source })
    }

    /// Hashes a password that is an account's already.
    pub(super) async fn hash(
        &self,
        permit: HashingPermit,
        password: Password,
    ) -> Result<PasswordHash, Error> {
        let entropy = Arc::clone(&self.entropy);
        let hash = self.run(permit, move |hashing| hashing.hash(&password, &*entropy)).await?;
        self.dummies.note(&hash);
        Ok(hash)
    }

    /// Estimates a new password, and hashes it unless it is weak.
    pub(super) async fn hash_new(
        &self,
        permit: HashingPermit,
        new: NewPassword,
    ) -> Result<Result<PasswordHash, WeakPassword>, Error> {
        let entropy = Arc::clone(&self.entropy);
        let hashed = self.run(permit, move |hashing| new.hash(hashing, &*entropy)).await?;
        if let Ok(hash) = &hashed {
            self.dummies.note(hash);
        }
        Ok(hashed)
    }

    /// Verifies the current password of an account and, where it is right, estimates and hashes a new one.
    pub(super) async fn replace(
        &self,
        permit: HashingPermit,
        current: TypedPassword,
        hash: PasswordHash,
        new: NewPassword,
    ) -> Result<Replaced, Error> {
        let entropy = Arc::clone(&self.entropy);
        let memory = self.memory.reserve(&hash).await?;
        let replace = move |hashing: &Hashing| {
            if hashing.verify(&current, &hash)? == Verdict::Wrong {
                return Ok(Replaced::WrongPassword);
            }
            drop(memory);
            Ok(match new.hash(hashing, &*entropy)? {
                Ok(hash) => Replaced::By(hash),
                Err(weak) => Replaced::Weak(weak),
            })
        };
        let replaced = self.run(permit, replace).await?;
        if let Replaced::By(hash) = &replaced {
            self.dummies.note(hash);
        }
        Ok(replaced)
    }

    /// Verifies a password against an account's hash or a dummy.
    pub(super) async fn verify(
        &self,
        permit: HashingPermit,
        password: TypedPassword,
        hash: PasswordHash,
    ) -> Result<Verdict, Error> {
        let memory = self.memory.reserve(&hash).await?;
        let verify = move |hashing: &Hashing| {
            let _memory = memory;
            hashing.verify(&password, &hash)
        };
        self.run(permit, verify).await
    }

    pub(super) fn load(&self) -> HashingLoad {
        let inside = self.size.cores + self.size.waiting - self.places.available_permits();
        let running = self.size.cores - self.cores.available_permits();
        HashingLoad { running, waiting: inside.saturating_sub(running) }
    }

    async fn run<T: Send + 'static>(
        &self,
        permit: HashingPermit,
        work: impl FnOnce(&Hashing) -> Result<T, CryptoError> + Send + 'static,
    ) -> Result<T, Error> {
        let hashing = Arc::clone(&self.hashing);
        let done = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even where its caller was cancelled: the core is busy.
            let _permit = permit;
            work(&hashing)
        });
        Ok(done.await.map_err(|error| Error::Internal(error.into()))??)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::auth::client_disconnect::ClientConnection;
    use crate::auth::user_error::UserErrorCode;
    use crate::entropy::SeededEntropy;

    fn queue(waiting: usize, max_wait: Duration) -> Arc<HashingQueue> {
        let hashing = Hashing::new(8, 1, 1).unwrap();
        let size = Size { cores: 1, waiting, max_wait };
        Arc::new(HashingQueue::with(hashing, Arc::new(SeededEntropy::new(1)), size))
    }

    async fn until(queue: &HashingQueue, load: HashingLoad) {
        while queue.load() != load {
            tokio::task::yield_now().await;
        }
    }

    fn is_overloaded(outcome: &Result<HashingPermit, Error>) -> bool {
        let Err(Error::Refused(error)) = outcome else { return false };
        error.code == UserErrorCode::Overloaded && error.retry_after == Some(MAX_WAIT)
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_sent_away_at_once() {
        let queue = queue(1, MAX_WAIT);
        let core = queue.permit(None).await.unwrap();
        let waits = Arc::clone(&queue);
        let waits = tokio::spawn(async move { waits.permit(None).await });
        until(&queue, HashingLoad { running: 1, waiting: 1 }).await;
        assert!(is_overloaded(&queue.permit(None).await));
        drop(core);
        drop(waits.await.unwrap().unwrap());
        assert_eq!(queue.load(), HashingLoad { running: 0, waiting: 0 });
    }

    #[tokio::test]
    async fn an_address_takes_half_of_the_places_and_leaves_the_others() {
        let queue = queue(3, MAX_WAIT);
        let (here, there) = (Some(Bucket([1; 16])), Some(Bucket([2; 16])));
        let core = queue.permit(here).await.unwrap();
        let waits = Arc::clone(&queue);
        let waits = tokio::spawn(async move { waits.permit(here).await });
        until(&queue, HashingLoad { running: 1, waiting: 1 }).await;
        assert!(is_overloaded(&queue.permit(here).await));
        let other = Arc::clone(&queue);
        let other = tokio::spawn(async move { other.permit(there).await });
        until(&queue, HashingLoad { running: 1, waiting: 2 }).await;
        drop(core);
        drop(waits.await.unwrap().unwrap());
        drop(other.await.unwrap().unwrap());
        assert!(queue.permit(here).await.is_ok());
    }

    #[tokio::test]
    async fn who_waited_long_enough_is_sent_away() {
        let queue = queue(1, Duration::ZERO);
        let _core = queue.permit(None).await.unwrap();
        assert!(is_overloaded(&queue.permit(None).await));
        assert_eq!(queue.load(), HashingLoad { running: 1, waiting: 0 });
    }

    #[tokio::test]
    async fn a_client_that_goes_away_frees_its_place() {
        let queue = queue(1, Duration::from_hours(1));
        let _core = queue.permit(None).await.unwrap();
        let waits = Arc::clone(&queue);
        let (connection, work) = ClientConnection::watch(async move { waits.permit(None).await });
        let waits = tokio::spawn(work);
        until(&queue, HashingLoad { running: 1, waiting: 1 }).await;
        drop(connection);
        assert!(is_overloaded(&waits.await.unwrap()));
        assert_eq!(queue.load(), HashingLoad { running: 1, waiting: 0 });
    }

    #[tokio::test]
    async fn a_core_is_taken_until_the_work_is_done_whoever_waits_for_it() {
        let queue = queue(1, MAX_WAIT);
        let (free, wait) = mpsc::channel::<()>();
        let core = queue.permit(None).await.unwrap();
        let busy = Arc::clone(&queue);
        let work = async move {
            let work = move |_: &Hashing| Ok(wait.recv().is_ok());
            busy.run(core, work).await
        };
        let asked = tokio::spawn(work);
        tokio::task::yield_now().await;
        asked.abort();
        assert!(asked.await.is_err());
        assert_eq!(queue.load(), HashingLoad { running: 1, waiting: 0 });
        drop(free);
        until(&queue, HashingLoad { running: 0, waiting: 0 }).await;
    }
}
