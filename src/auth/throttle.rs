//! Guessing is slowed down, wherever it comes from and whichever replica it meets.
//!
//! What counts is a try of a password, not a request, and it counts before its hash. To write each
//! try down before it is known to be wrong would cost every honest login a second write and a second
//! wait for the disk; to write only what failed would let through whatever arrives within the time
//! of one hash. So a try counts in two places:
//!
//! - In this process's memory ([`Turns`]): of the tries of one name from one address one is made at a
//!   time, and the next sees what came of it.
//! - In the database, for all replicas. As long as less than half of what is free is used, a failure
//!   is counted in the transaction that writes it down, and a success writes nothing that a login
//!   does not write anyway. Past half, a try is counted by a conditional statement before its hash,
//!   and put back in the transaction that opens the session. So a replica may be one try ahead of
//!   what the database knows. If that fails after others used up the limit, it is answered as if it
//!   had not been made.
//!
//! The limits on addresses are about rates, and many honest people may share one: there a failure is
//! always counted afterwards, past the limit too, and paid for by waiting longer.
//!
//! Rules: a name that nobody has is counted like any other, so a refusal tells nothing. From an
//! address where an account was logged in before, only what was tried on that account from there
//! counts: nobody can lock its owner out from elsewhere, and what is wrong there is answered as the other
//! limits answer. Sessions are never touched; refreshes have a limit of their own, in the statement
//! that refreshes.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::doubts::{Doubt, Doubts};
use super::dummies::Dummies;
use super::error::UserError;
use super::refusing::{Pace, Refusing};
use super::turns::{Turns, Visit};
use super::{Error, presence};
use crate::clock::Timestamp;
use crate::crypto::blind_index::BlindIndexKey;
use crate::crypto::password::PasswordHash;
use crate::domain::id::SessionId;
use crate::domain::origin::Origin;
use crate::domain::throttle::{
    ACCOUNT, ACCOUNT_AND_ADDRESS, ADDRESS, Bucket, Limit, NETWORK, address, network,
};
use crate::store::Charge;

/// How long a try waits for the one before it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many wait for their turn at one name from one address.
const MOST_WAITING: usize = 128;

/// Counts tries under digests.
pub(super) struct Throttle {
    key: BlindIndexKey,
    pub(super) is_on: bool,
    turns: Turns,
    pub(super) refusing: Refusing,
    doubts: Doubts,
    pub(super) pace: Pace,
}

/// A try whose turn it is, and which limits it falls under: first the account's at its own place,
/// which always holds.
#[derive(Default)]
pub(super) struct Guess {
    pub(super) charges: Vec<Charge>,
    pub(super) turns: Vec<OwnedSemaphorePermit>,
    pub(super) visits: Vec<Visit>,
    /// Of a try that is admitted before it waits for a core, not afterwards.
    pub(super) doubt: Option<Doubt>,
}

impl Guess {
    /// Whether a limit is known to refuse it.
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubt.is_some()
    }
}

impl Throttle {
    pub(super) fn new(key: BlindIndexKey, is_on: bool) -> Self {
        let (turns, refusing, doubts, pace) = Default::default();
        Self { key, is_on, turns, refusing, doubts, pace }
    }

    /// The hash that is tried in place of this name's, where nobody has it.
    pub(super) fn dummy(&self, dummies: &Dummies, name: &str) -> PasswordHash {
        dummies.of(&self.key, name)
    }

    pub(super) fn charge(&self, limit: Limit, parts: &[&[u8]]) -> Charge {
        let parts: Vec<&[u8]> = [limit.name.as_bytes()].iter().chain(parts).copied().collect();
        Charge { bucket: Bucket(self.key.of(&parts)), limit }
    }

    /// A login by this name, folded, whether or not somebody has it.
    ///
    /// # Errors
    /// [`UserErrorCode::RateLimited`](super::UserErrorCode) where its turn does not come.
    pub(super) async fn login(
        &self,
        name: &str,
        origin: &Origin,
        now: impl Fn() -> Timestamp,
    ) -> Result<Guess, Error> {
        let address = address_bytes(origin.ip);
        let own = self.charge(ACCOUNT_AND_ADDRESS, &[name.as_bytes(), &address]);
        let account = self.charge(ACCOUNT, &[name.as_bytes()]);
        self.begin([own, account].into_iter().chain(self.sources(origin)).collect(), now).await
    }

    /// Somebody who is logged in and has to know the password: counted by the session, which does
    /// not change with the address.
    ///
    /// # Errors
    /// [`UserErrorCode::RateLimited`](super::UserErrorCode) where its turn does not come.
    pub(super) async fn confirmation(
        &self,
        name: &str,
        session: SessionId,
        origin: &Origin,
        now: impl Fn() -> Timestamp,
    ) -> Result<Guess, Error> {
        let session = session.as_uuid();
        let own = self.charge(ACCOUNT_AND_ADDRESS, &[name.as_bytes(), session.as_bytes()]);
        self.begin([own].into_iter().chain(self.sources(origin)).collect(), now).await
    }

    /// Waits for the turn at the account's own place. A client that goes away gives it up.
    async fn begin(
        &self,
        charges: Vec<Charge>,
        now: impl Fn() -> Timestamp,
    ) -> Result<Guess, Error> {
        if !self.is_on {
            return Ok(Guess::default());
        }
        let enter = |charge: &Charge| self.turns.enter(charge.bucket);
        let visits: Vec<Visit> = charges.iter().map(enter).collect();
        let mut turns = Vec::new();
        if let Some(own) = visits.first() {
            let too_many = || UserError::rate_limited(PATIENCE);
            if own.others() > MOST_WAITING {
                return Err(too_many().into());
            }
            turns.extend(tokio::select! {
                turn = timeout(PATIENCE, own.turn()) => turn.map_err(|_| too_many())?,
                () = presence::gone() => return Err(too_many().into()),
            });
        }
        let mut doubt = None;
        let refuses = |charge: &Charge| self.refusing.wait(charge.bucket, now());
        if let Some(wait) = charges.iter().skip(1).filter_map(refuses).max() {
            doubt = Some(self.doubts.enter(&charges, wait).await?);
        } else if let Some(wait) = charges.first().and_then(refuses) {
            return Err(UserError::rate_limited(wait).into());
        }
        Ok(Guess { charges, turns, visits, doubt })
    }

    fn sources(&self, origin: &Origin) -> impl Iterator<Item = Charge> {
        let network = origin.ip.map(|ip| self.charge(NETWORK, &[network(ip).low()]));
        [self.address(origin)].into_iter().chain(network)
    }

    fn address(&self, origin: &Origin) -> Charge {
        self.charge(ADDRESS, &[&address_bytes(origin.ip)])
    }

    /// What an address is counted under that waits for a core, whatever for.
    pub(super) fn source(&self, origin: &Origin) -> Option<Bucket> {
        self.is_on.then(|| self.address(origin).bucket)
    }
}

/// The bytes that stand for where a request comes from; all that have no address are one place.
pub(super) fn address_bytes(ip: Option<IpAddr>) -> [u8; 16] {
    let block = ip.map(address);
    block.and_then(|block| block.low().try_into().ok()).unwrap_or([0xff; 16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::secret::MasterSecrets;

    #[tokio::test]
    async fn tries_that_are_over_leave_nothing_in_whatever_order_they_are_dropped() {
        let secrets = MasterSecrets::parse("0123456789abcdefghijklmnopqrstuv").unwrap();
        let throttle = Throttle::new(BlindIndexKey::derive(&secrets).unwrap(), true);
        for n in 0..100 {
            let origin = Origin { ip: Some([192, 0, 2, n].into()), user_agent: None };
            let login = || throttle.login("ada", &origin, || Timestamp::from_micros(0));
            drop(login().await.unwrap());
            let Guess { turns, visits, .. } = login().await.unwrap();
            assert!(!turns.is_empty() && !visits.is_empty());
            drop(visits);
        }
        assert!(throttle.turns.is_empty());
    }
}
