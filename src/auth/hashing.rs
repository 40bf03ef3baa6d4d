//! Passwords are hashed, and new ones estimated, off the threads that answer requests, as many at a
//! time as there are cores, and only a few wait for that.
//!
//! A hash takes tens of milliseconds of a core and 19 MiB. Without a bound a burst of logins takes
//! all memory; on the request threads it would stop everything else, and in a queue without an end
//! everybody waits for answers that nobody wants any more. So who finds the queue full, or waited
//! [`PATIENCE`], is told to come again. A client that goes away leaves the queue. Whoever logs in
//! waits for a core before asking the database for anything, unless a limit is known to refuse it (see
//! [`doubts`](super::doubts)), so that a flood of logins takes no connections from those who refresh.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::dummies::Dummies;
use super::error::UserError;
use super::turns::{Turns, Visit};
use super::{Error, presence};
use crate::crypto::CryptoError;
use crate::crypto::password::{Hashing, PasswordHash, Verdict};
use crate::domain::password::{Password, WeakPassword};
use crate::domain::throttle::Bucket;
use crate::domain::user::Names;
use crate::entropy::Entropy;

/// How many may wait for each core: about two seconds' work.
const WAITING: usize = 64;

/// How long anybody waits for a core, and how long who is sent away should stay away.
const PATIENCE: Duration = Duration::from_secs(2);

/// How busy hashing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingLoad {
    /// Hashes under way.
    pub running: usize,
    /// Hashes that wait for a core.
    pub waiting: usize,
}

/// Hashing, one at a time a core.
pub(super) struct HashingQueue {
    hashing: Arc<Hashing>,
    dummies: Dummies,
    entropy: Arc<dyn Entropy>,
    /// A permit a core.
    cores: Arc<Semaphore>,
    /// A permit for each who runs or waits.
    places: Arc<Semaphore>,
    /// How many of them each address has.
    sources: Turns,
    size: Size,
}

/// The right to hash once.
pub(super) struct Core {
    _permit: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
    _source: Option<Visit>,
}

/// A text that is to become the password of an account.
pub(super) struct NewPassword {
    text: Zeroizing<String>,
    minimum: usize,
    names: Names,
}

/// What came of replacing a password by another.
pub(super) enum Replaced {
    /// The current one is another.
    WrongPassword,
    /// The new one is weak.
    Weak(WeakPassword),
    /// The hash of the new one.
    By(PasswordHash),
}

impl NewPassword {
    pub(super) fn new(text: &str, minimum: usize, names: &Names) -> Self {
        Self { text: Zeroizing::new(text.to_owned()), minimum, names: names.clone() }
    }

    fn hash(
        &self,
        hashing: &Hashing,
        entropy: &dyn Entropy,
    ) -> Result<Result<PasswordHash, WeakPassword>, CryptoError> {
        match Password::parse(&self.text, self.minimum, &self.names) {
            Ok(password) => hashing.hash(&password, entropy).map(Ok),
            Err(weak) => Ok(Err(weak)),
        }
    }
}

/// How much room there is.
#[derive(Clone, Copy, Debug)]
struct Size {
    cores: usize,
    waiting: usize,
    patience: Duration,
}

impl HashingQueue {
    pub(super) fn new(hashing: Hashing, entropy: Arc<dyn Entropy>) -> Self {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        let waiting = WAITING * cores.max(2);
        Self::with(hashing, entropy, Size { cores, waiting, patience: PATIENCE })
    }

    fn with(hashing: Hashing, entropy: Arc<dyn Entropy>, size: Size) -> Self {
        let cores = Arc::new(Semaphore::new(size.cores));
        let places = Arc::new(Semaphore::new(size.cores + size.waiting));
        let sources = Turns::default();
        let dummies = Dummies::new(hashing.dummy().clone());
        Self { hashing: Arc::new(hashing), dummies, entropy, cores, places, sources, size }
    }

    /// What is tried in place of hashes that do not exist.
    pub(super) fn dummies(&self) -> &Dummies {
        &self.dummies
    }

    /// Waits for a core. Where it is for somebody at an address, no more than half of the places are
    /// that address's.
    ///
    /// # Errors
    /// [`UserErrorCode::Overloaded`](super::UserErrorCode), or a failure of the service.
    pub(super) async fn core(&self, source: Option<Bucket>) -> Result<Core, Error> {
        let overloaded = || UserError::overloaded(PATIENCE);
        let source = source.map(|source| self.sources.enter(source));
        let share = (self.size.cores + self.size.waiting).div_ceil(2);
        if source.as_ref().is_some_and(|source| source.others() >= share) {
            return Err(overloaded().into());
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| overloaded())?;
        let core = tokio::select! {
            core = timeout(self.size.patience, Arc::clone(&self.cores).acquire_owned()) => {
                core.map_err(|_| overloaded())?.map_err(|error| Error::Internal(error.into()))?
            }
            // Nobody reads the answer.
            () = presence::gone() => return Err(overloaded().into()),
        };
        Ok(Core { _permit: core, _place: place, _source: source })
    }

    /// Hashes a password that is an account's already.
    ///
    /// # Errors
    /// A failure of the service.
    pub(super) async fn hash(&self, core: Core, password: Password) -> Result<PasswordHash, Error> {
        let entropy = Arc::clone(&self.entropy);
        let hash = self.run(core, move |hashing| hashing.hash(&password, &*entropy)).await?;
        self.dummies.note(&hash);
        Ok(hash)
    }

    /// Estimates a new password of the account called `names`, and hashes it. Both take long, so both
    /// are done here.
    ///
    /// # Errors
    /// A failure of the service.
    pub(super) async fn hash_new(
        &self,
        core: Core,
        new: NewPassword,
    ) -> Result<Result<PasswordHash, WeakPassword>, Error> {
        let entropy = Arc::clone(&self.entropy);
        let hashed = self.run(core, move |hashing| new.hash(hashing, &*entropy)).await?;
        if let Ok(hash) = &hashed {
            self.dummies.note(hash);
        }
        Ok(hashed)
    }

    /// Tries the account's current password and, where it is right, estimates and hashes a new one.
    ///
    /// # Errors
    /// A failure of the service.
    pub(super) async fn replace(
        &self,
        core: Core,
        current: Password,
        hash: PasswordHash,
        new: NewPassword,
    ) -> Result<Replaced, Error> {
        let entropy = Arc::clone(&self.entropy);
        let replace = move |hashing: &Hashing| {
            if hashing.verify(&current, &hash)? == Verdict::Wrong {
                return Ok(Replaced::WrongPassword);
            }
            Ok(match new.hash(hashing, &*entropy)? {
                Ok(hash) => Replaced::By(hash),
                Err(weak) => Replaced::Weak(weak),
            })
        };
        let replaced = self.run(core, replace).await?;
        if let Replaced::By(hash) = &replaced {
            self.dummies.note(hash);
        }
        Ok(replaced)
    }

    /// Tries a password against an account's hash or, where there is none, a dummy.
    ///
    /// # Errors
    /// A failure of the service.
    pub(super) async fn verify(
        &self,
        core: Core,
        password: Password,
        hash: PasswordHash,
    ) -> Result<Verdict, Error> {
        self.run(core, move |hashing| hashing.verify(&password, &hash)).await
    }

    /// How busy it is.
    pub(super) fn load(&self) -> HashingLoad {
        let inside = self.size.cores + self.size.waiting - self.places.available_permits();
        let running = self.size.cores - self.cores.available_permits();
        HashingLoad { running, waiting: inside.saturating_sub(running) }
    }

    async fn run<T: Send + 'static>(
        &self,
        core: Core,
        work: impl FnOnce(&Hashing) -> Result<T, CryptoError> + Send + 'static,
    ) -> Result<T, Error> {
        let hashing = Arc::clone(&self.hashing);
        let done = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also where nobody waits for it any more.
            let _core = core;
            work(&hashing)
        });
        Ok(done.await.map_err(|error| Error::Internal(error.into()))??)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::UserErrorCode;
    use super::super::presence::Presence;
    use super::*;
    use crate::entropy::SeededEntropy;

    fn queue(waiting: usize, patience: Duration) -> Arc<HashingQueue> {
        let hashing = Hashing::new(8, 1, 1).unwrap();
        let size = Size { cores: 1, waiting, patience };
        Arc::new(HashingQueue::with(hashing, Arc::new(SeededEntropy::new(1)), size))
    }

    async fn until(queue: &HashingQueue, load: HashingLoad) {
        while queue.load() != load {
            tokio::task::yield_now().await;
        }
    }

    fn is_overloaded(outcome: &Result<Core, Error>) -> bool {
        let Err(Error::Refused(refusal)) = outcome else { return false };
        refusal.code == UserErrorCode::Overloaded && refusal.retry_after == Some(PATIENCE)
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_sent_away_at_once() {
        let queue = queue(1, PATIENCE);
        let core = queue.core(None).await.unwrap();
        let waits = Arc::clone(&queue);
        let waits = tokio::spawn(async move { waits.core(None).await });
        until(&queue, HashingLoad { running: 1, waiting: 1 }).await;
        assert!(is_overloaded(&queue.core(None).await));
        drop(core);
        drop(waits.await.unwrap().unwrap());
        assert_eq!(queue.load(), HashingLoad { running: 0, waiting: 0 });
    }

    #[tokio::test]
    async fn an_address_takes_half_of_the_places_and_leaves_the_others() {
        let queue = queue(3, PATIENCE);
        let (here, there) = (Some(Bucket([1; 16])), Some(Bucket([2; 16])));
        let core = queue.core(here).await.unwrap();
        let waits = Arc::clone(&queue);
        let waits = tokio::spawn(async move { waits.core(here).await });
        until(&queue, HashingLoad { running: 1, waiting: 1 }).await;
        assert!(is_overloaded(&queue.core(here).await));
        let other = Arc::clone(&queue);
        let other = tokio::spawn(async move { other.core(there).await });
        until(&queue, HashingLoad { running: 1, waiting: 2 }).await;
        drop(core);
        drop(waits.await.unwrap().unwrap());
        drop(other.await.unwrap().unwrap());
        assert!(queue.core(here).await.is_ok());
    }

    #[tokio::test]
    async fn who_waited_long_enough_is_sent_away() {
        let queue = queue(1, Duration::ZERO);
        let _core = queue.core(None).await.unwrap();
        assert!(is_overloaded(&queue.core(None).await));
        assert_eq!(queue.load(), HashingLoad { running: 1, waiting: 0 });
    }

    #[tokio::test]
    async fn a_client_that_goes_away_frees_its_place() {
        let queue = queue(1, Duration::from_hours(1));
        let _core = queue.core(None).await.unwrap();
        let waits = Arc::clone(&queue);
        let (presence, work) = Presence::watched(async move { waits.core(None).await });
        let waits = tokio::spawn(work);
        until(&queue, HashingLoad { running: 1, waiting: 1 }).await;
        drop(presence);
        assert!(is_overloaded(&waits.await.unwrap()));
        assert_eq!(queue.load(), HashingLoad { running: 1, waiting: 0 });
    }

    #[tokio::test]
    async fn a_core_is_taken_until_the_work_is_done_whoever_waits_for_it() {
        let queue = queue(1, PATIENCE);
        let (free, wait) = mpsc::channel::<()>();
        let core = queue.core(None).await.unwrap();
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
