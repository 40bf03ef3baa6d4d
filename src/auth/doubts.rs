//! Tries that a limit is known to refuse, unless they come from a place of their account's: they ask
//! the database before they wait for a core.
//!
//! Rule: who is over a limit locks nobody out of a place of theirs. Few ask at a time and not many
//! wait for that, and of these an address and a network have no more than a share each. Beyond it a try
//! waits at its own address, where it keeps nobody else waiting.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::error::UserError;
use super::turns::{Turns, Visit};
use super::{Error, presence};
use crate::domain::throttle::{ADDRESS, Limit, NETWORK};
use crate::store::Charge;

/// How many ask the database at a time.
const ASKING: usize = 2;

/// How many ask or wait for that.
const MOST: usize = 1000;

/// How many of them come from one network and one address.
const MOST_OF_NETWORK: usize = 128;
const MOST_OF_ADDRESS: usize = 64;

/// How many there are of one address, with those that wait for a place in its share.
const MOST_AT_ADDRESS: usize = 1000;

/// How long one waits for those before it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The tries in doubt.
pub(super) struct Doubts {
    /// A permit for each who asks.
    turns: Arc<Semaphore>,
    /// A permit for each who asks or waits.
    places: Arc<Semaphore>,
    /// How many of them each address and each network has.
    sources: Turns,
}

/// A try in doubt whose turn it is to ask, until it is dropped.
pub(super) struct Doubt {
    _turn: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
    _shares: Vec<OwnedSemaphorePermit>,
    _sources: Vec<Visit>,
}

impl Default for Doubts {
    fn default() -> Self {
        let (turns, places) = (Arc::new(Semaphore::new(ASKING)), Arc::new(Semaphore::new(MOST)));
        Self { turns, places, sources: Turns::default() }
    }
}

impl Doubts {
    /// Waits for the turn of a try that falls under these limits and has to wait so long.
    ///
    /// # Errors
    /// [`UserErrorCode::RateLimited`](super::UserErrorCode) where its turn does not come.
    pub(super) async fn enter(&self, charges: &[Charge], wait: Duration) -> Result<Doubt, Error> {
        let over = || UserError::rate_limited(wait);
        let source = |charge: &Charge| {
            share(charge.limit).map(|share| self.sources.enter_where(charge.bucket, share))
        };
        let sources: Vec<Visit> = charges.iter().filter_map(source).collect();
        if sources.first().is_some_and(|address| address.others() >= MOST_AT_ADDRESS) {
            return Err(over().into());
        }
        tokio::select! {
            doubt = timeout(PATIENCE, self.wait(sources)) => {
                Ok(doubt.ok().flatten().ok_or_else(over)?)
            }
            () = presence::gone() => Err(over().into()),
        }
    }

    /// Waits for a place in the share of each source, and then for the turn. `None` where all places
    /// are taken.
    async fn wait(&self, sources: Vec<Visit>) -> Option<Doubt> {
        let mut shares = Vec::new();
        for source in &sources {
            shares.push(source.turn().await?);
        }
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        Some(Doubt { _turn: turn, _place: place, _shares: shares, _sources: sources })
    }
}

/// How many may be in doubt that are counted together by a limit.
fn share(limit: Limit) -> Option<usize> {
    match limit {
        ADDRESS => Some(MOST_OF_ADDRESS),
        NETWORK => Some(MOST_OF_NETWORK),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::super::UserErrorCode;
    use super::*;
    use crate::domain::throttle::Bucket;

    const WAIT: Duration = Duration::from_secs(20);

    type Entering<'a> = Pin<Box<dyn Future<Output = Result<Doubt, Error>> + 'a>>;

    /// A try from an address of a network, as far as it gets at once.
    async fn enter(doubts: &Doubts, address: u8, network: u8) -> (Entering<'_>, Option<bool>) {
        // Not the last one's part of what a task may do at a time.
        tokio::task::yield_now().await;
        let charges = [(ADDRESS, address), (NETWORK, network)]
            .map(|(limit, n)| Charge { bucket: Bucket([n; 16]), limit });
        let mut entering: Entering<'_> =
            Box::pin(async move { doubts.enter(&charges, WAIT).await });
        let is_let_in = match entering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => None,
            Poll::Ready(entered) => Some(!is_refused(&entered)),
        };
        (entering, is_let_in)
    }

    fn is_refused(entered: &Result<Doubt, Error>) -> bool {
        let Err(Error::Refused(refusal)) = entered else { return false };
        refusal.code == UserErrorCode::RateLimited && refusal.retry_after == Some(WAIT)
    }

    /// Takes both turns, from elsewhere.
    async fn busy(doubts: &Doubts) -> [Doubt; ASKING] {
        let charge = [Charge { bucket: Bucket([0; 16]), limit: ADDRESS }];
        [doubts.enter(&charge, WAIT).await.unwrap(), doubts.enter(&charge, WAIT).await.unwrap()]
    }

    #[tokio::test]
    async fn an_address_and_a_network_take_their_shares_and_leave_the_others() {
        let doubts = Doubts::default();
        let busy = busy(&doubts).await;
        let taken = || MOST - ASKING - doubts.places.available_permits();
        let mut waiting = Vec::new();
        for (address, most) in
            [(1, MOST_OF_ADDRESS), (2, 2 * MOST_OF_ADDRESS), (3, MOST_OF_NETWORK)]
        {
            for _ in 0..MOST_OF_ADDRESS + 20 {
                let (entering, is_let_in) = enter(&doubts, address, 101).await;
                assert_eq!(is_let_in, None);
                waiting.push(entering);
            }
            assert_eq!(taken(), most, "address {address}");
        }
        let (owner, is_let_in) = enter(&doubts, 4, 102).await;
        assert_eq!(
            (is_let_in, taken()),
            (None, MOST_OF_NETWORK + 1),
            "another network has a place"
        );
        drop((waiting, busy));
        assert!(owner.await.is_ok());
        assert_eq!(enter(&doubts, 1, 101).await.1, Some(true), "who leaves leaves its place");
        assert!(doubts.sources.is_empty());
    }

    #[tokio::test]
    async fn no_more_wait_at_one_address_than_it_has_room_for() {
        let doubts = Doubts::default();
        let _busy = busy(&doubts).await;
        let mut waiting = Vec::new();
        for _ in 0..MOST_AT_ADDRESS {
            waiting.push(enter(&doubts, 1, 101).await);
        }
        assert!(waiting.iter().all(|(_, is_let_in)| is_let_in.is_none()));
        assert_eq!(enter(&doubts, 1, 101).await.1, Some(false));
        assert_eq!(enter(&doubts, 2, 101).await.1, None);
    }

    #[tokio::test]
    async fn who_finds_no_place_left_is_refused_at_once() {
        let doubts = Doubts::default();
        let _places = Arc::clone(&doubts.places).acquire_many_owned(1000).await.unwrap();
        assert_eq!(enter(&doubts, 1, 101).await.1, Some(false));
        assert!(doubts.sources.is_empty());
    }
}
