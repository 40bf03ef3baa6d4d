//! Bounded queue for attempts that a limit is known to refuse, unless they come from an address where
//! their account was logged in before.
//!
//! Whether they do only the database knows, so they ask it before they wait for a core. Invariant: an
//! attacker over a limit locks no owner out. Few attempts ask at a time and few wait, and of these an
//! address and a network have no more than a share each. Beyond its share an attempt waits among those of
//! its own address, where it delays nobody else.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::auth::bucket_locks::{BucketLocks, Entry};
use crate::auth::client_disconnect::disconnected;
use crate::auth::error::Error;
use crate::auth::user_error::UserError;
use crate::domain::throttle::{ADDRESS, Limit, NETWORK};
use crate::store::Charge;

/// Most queries at a time.
const MAX_QUERIES: usize = 2;

/// Most attempts that ask or wait.
const MAX_ATTEMPTS: usize = 1000;

/// Shares of one network and one address.
const MAX_OF_NETWORK: usize = 128;
const MAX_OF_ADDRESS: usize = 64;

/// Most attempts of one address, with those that wait for a place in its share.
const MAX_AT_ADDRESS: usize = 1000;

const MAX_WAIT: Duration = Duration::from_secs(2);

pub(super) struct OverLimitQueue {
    /// One permit for each query.
    queries: Arc<Semaphore>,
    /// One permit for each attempt that asks or waits.
    places: Arc<Semaphore>,
    /// Attempts of each address and each network.
    sources: BucketLocks,
}

/// An attempt that may ask the database, until it is dropped.
pub(super) struct OverLimitPermit {
    _query: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
    _shares: Vec<OwnedSemaphorePermit>,
    _sources: Vec<Entry>,
}

impl Default for OverLimitQueue {
    fn default() -> Self {
        let (queries, places) =
            (Arc::new(Semaphore::new(MAX_QUERIES)), Arc::new(Semaphore::new(MAX_ATTEMPTS)));
        Self { queries, places, sources: BucketLocks::default() }
    }
}

impl OverLimitQueue {
    /// Waits until an attempt under these limits may ask.
    ///
    /// # Errors
    /// `RATE_LIMITED`, with this wait, where no place is free in time.
    pub(super) async fn enter(
        &self,
        charges: &[Charge],
        wait: Duration,
    ) -> Result<OverLimitPermit, Error> {
        let over = || UserError::rate_limited(wait);
        let source = |charge: &Charge| {
            share(charge.limit).map(|share| self.sources.enter_shared(charge.bucket, share))
        };
        let sources: Vec<Entry> = charges.iter().filter_map(source).collect();
        if sources.first().is_some_and(|address| address.others() >= MAX_AT_ADDRESS) {
            return Err(over().into());
        }
        tokio::select! {
            attempt = timeout(MAX_WAIT, self.wait(sources)) => {
                Ok(attempt.ok().flatten().ok_or_else(over)?)
            }
            () = disconnected() => Err(over().into()),
        }
    }

    /// Waits for a place in the share of each source, and then for a query. `None` where all places are
    /// taken.
    async fn wait(&self, sources: Vec<Entry>) -> Option<OverLimitPermit> {
        let mut shares = Vec::new();
        for source in &sources {
            shares.push(source.lock().await?);
        }
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let query = Arc::clone(&self.queries).acquire_owned().await.ok()?;
        Some(OverLimitPermit { _query: query, _place: place, _shares: shares, _sources: sources })
    }
}

/// Share of the attempts that a limit counts together; `None` for limits on accounts.
fn share(limit: Limit) -> Option<usize> {
    match limit {
        ADDRESS => Some(MAX_OF_ADDRESS),
        NETWORK => Some(MAX_OF_NETWORK),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::auth::user_error::UserErrorCode;
    use crate::domain::throttle::Bucket;

    const WAIT: Duration = Duration::from_secs(20);

    type Entering<'a> = Pin<Box<dyn Future<Output = Result<OverLimitPermit, Error>> + 'a>>;

    /// An attempt from an address of a network, as far as it gets at once.
    async fn enter(
        attempts: &OverLimitQueue,
        address: u8,
        network: u8,
    ) -> (Entering<'_>, Option<bool>) {
        // The attempts before have used up this task's budget of polls.
        tokio::task::yield_now().await;
        let charges = [(ADDRESS, address), (NETWORK, network)].map(|(limit, n)| Charge {
            bucket: Bucket([n; 16]),
            limit,
            account: None,
        });
        let mut entering: Entering<'_> =
            Box::pin(async move { attempts.enter(&charges, WAIT).await });
        let is_let_in = match entering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => None,
            Poll::Ready(entered) => Some(!is_refused(&entered)),
        };
        (entering, is_let_in)
    }

    fn is_refused(entered: &Result<OverLimitPermit, Error>) -> bool {
        let Err(Error::Refused(error)) = entered else { return false };
        error.code == UserErrorCode::RateLimited && error.retry_after == Some(WAIT)
    }

    /// Takes both queries, from elsewhere.
    async fn busy(attempts: &OverLimitQueue) -> [OverLimitPermit; MAX_QUERIES] {
        let charge = [Charge { bucket: Bucket([0; 16]), limit: ADDRESS, account: None }];
        [attempts.enter(&charge, WAIT).await.unwrap(), attempts.enter(&charge, WAIT).await.unwrap()]
    }

    #[tokio::test]
    async fn an_address_and_a_network_take_their_shares_and_leave_the_others() {
        let attempts = OverLimitQueue::default();
        let busy = busy(&attempts).await;
        let taken = || MAX_ATTEMPTS - MAX_QUERIES - attempts.places.available_permits();
        let mut waiting = Vec::new();
        for (address, most) in [(1, MAX_OF_ADDRESS), (2, 2 * MAX_OF_ADDRESS), (3, MAX_OF_NETWORK)] {
            for _ in 0..MAX_OF_ADDRESS + 20 {
                let (entering, is_let_in) = enter(&attempts, address, 101).await;
                assert_eq!(is_let_in, None);
                waiting.push(entering);
            }
            assert_eq!(taken(), most, "address {address}");
        }
        let (owner, is_let_in) = enter(&attempts, 4, 102).await;
        assert_eq!((is_let_in, taken()), (None, MAX_OF_NETWORK + 1), "another network has a place");
        drop((waiting, busy));
        assert!(owner.await.is_ok());
        assert_eq!(enter(&attempts, 1, 101).await.1, Some(true), "who leaves leaves its place");
        assert!(attempts.sources.is_empty());
    }

    #[tokio::test]
    async fn no_more_wait_at_one_address_than_it_has_room_for() {
        let attempts = OverLimitQueue::default();
        let _busy = busy(&attempts).await;
        let mut waiting = Vec::new();
        for _ in 0..MAX_AT_ADDRESS {
            waiting.push(enter(&attempts, 1, 101).await);
        }
        assert!(waiting.iter().all(|(_, is_let_in)| is_let_in.is_none()));
        assert_eq!(enter(&attempts, 1, 101).await.1, Some(false));
        assert_eq!(enter(&attempts, 2, 101).await.1, None);
    }

    #[tokio::test]
    async fn who_finds_no_place_left_is_refused_at_once() {
        let attempts = OverLimitQueue::default();
        let _places = Arc::clone(&attempts.places).acquire_many_owned(1000).await.unwrap();
        assert_eq!(enter(&attempts, 1, 101).await.1, Some(false));
        assert!(attempts.sources.is_empty());
    }
}
