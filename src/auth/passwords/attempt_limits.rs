//! Limits on attempts to guess a password, wherever they come from and whichever replica they meet.
//!
//! An attempt is one password that is tried, not a request, and it has to count before its hash. A row
//! written before every hash would cost each honest login a second write and a second wait for the disk;
//! a row written only after a failure would let through whatever arrives within the time of one hash. So
//! attempts are counted in two places:
//!
//! - In this process's memory ([`BucketLocks`]): of one name from one address one attempt is made at a
//!   time, and the next sees its outcome.
//! - In the database, for all replicas. As long as less than half of a limit is used, a failure is counted
//!   in the transaction that records it, and a success writes nothing beside the login. Past half, an
//!   attempt is charged by a conditional statement before its hash, and refunded in the transaction that
//!   opens the session. So a replica may be one attempt ahead of what the database knows; if that attempt
//!   fails after others have used up the limit, it is answered as if it had not been made.
//!
//! It would be simpler to charge every attempt before its hash and refund the right ones; a login would
//! take 0.3 % more instructions on SQLite. But attempts under way would count like failures, on every
//! replica: of six right logins at once to one account from one address the last would be refused.
//!
//! Many honest people may share an address, so limits on addresses are rates: a failure is always counted
//! afterwards, even beyond the limit, and lengthens the wait.
//!
//! Invariants: a name that nobody has is counted like any other, so a refusal tells nothing. From an
//! address where an account was logged in before, only the attempts on that account from that address
//! count: nobody can lock its owner out from elsewhere. Sessions are never touched; refreshes have a limit
//! of their own, in the statement that refreshes.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::over_limit_queue::{OverLimitPermit, OverLimitQueue};
use super::refusal_cache::RefusalCache;
use crate::auth::bucket_locks::{BucketLocks, Entry};
use crate::auth::client_disconnect::disconnected;
use crate::auth::error::Error;
use crate::auth::user_error::UserError;
use crate::clock::Timestamp;
use crate::crypto::blind_index::BlindIndexKey;
use crate::domain::id::SessionId;
use crate::domain::origin::Origin;
use crate::domain::throttle::{
    ACCOUNT, ACCOUNT_AND_ADDRESS, ADDRESS, Bucket, Limit, NETWORK, address, network,
};
use crate::store::Charge;

/// Longest wait for the attempt before.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Most attempts that wait for the lock of one name from one address.
const MAX_WAITING: usize = 128;

/// Limits by keyed digests: nothing that people typed can be read from a row.
pub(super) struct AttemptLimits {
    pub(super) key: BlindIndexKey,
    pub(super) is_on: bool,
    locks: BucketLocks,
    pub(super) refusals: RefusalCache,
    doubtful: OverLimitQueue,
}

/// An attempt that has its lock, and the limits that it falls under: first that of its account from its
/// own address or session, which always holds.
#[derive(Default)]
pub(super) struct Attempt {
    pub(super) charges: Vec<Charge>,
    pub(super) locks: Vec<OwnedSemaphorePermit>,
    pub(super) entries: Vec<Entry>,
    /// Of an attempt that is admitted before it waits for a core, not afterwards.
    pub(super) doubtful: Option<OverLimitPermit>,
}

impl Attempt {
    /// Whether a limit is known to refuse it, unless it comes from a known address.
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubtful.is_some()
    }
}

impl AttemptLimits {
    pub(super) fn new(key: BlindIndexKey, is_on: bool) -> Self {
        let (locks, refusals, doubtful) = Default::default();
        Self { key, is_on, locks, refusals, doubtful }
    }

    pub(super) fn charge(&self, limit: Limit, parts: &[&[u8]]) -> Charge {
        let parts: Vec<&[u8]> = [limit.name.as_bytes()].iter().chain(parts).copied().collect();
        Charge { bucket: Bucket(self.key.of(&parts)), limit, account: None }
    }

    /// As [`charge`](Self::charge), for the attempts on the account with this folded name.
    fn charge_account(&self, limit: Limit, name: &str, place: &[u8]) -> Charge {
        let charge = if place.is_empty() {
            self.charge(limit, &[name.as_bytes()])
        } else {
            self.charge(limit, &[name.as_bytes(), place])
        };
        Charge { account: Some(self.account(name)), ..charge }
    }

    /// Digest of a folded name alone, under which all counters of its account are found.
    pub(super) fn account(&self, name: &str) -> Bucket {
        account_bucket(&self.key, name)
    }

    /// Begins a login by this folded name, whether or not an account has it.
    ///
    /// # Errors
    /// `RATE_LIMITED` where the lock is not free in time.
    pub(super) async fn login(
        &self,
        name: &str,
        origin: &Origin,
        now: impl Fn() -> Timestamp,
    ) -> Result<Attempt, Error> {
        let address = address_bytes(origin.ip);
        let own = self.charge_account(ACCOUNT_AND_ADDRESS, name, &address);
        let account = self.charge_account(ACCOUNT, name, &[]);
        self.begin([own, account].into_iter().chain(self.sources(origin)).collect(), now).await
    }

    /// Begins the confirmation of a password by a caller who is logged in: counted by the session, which
    /// does not change with the address.
    ///
    /// # Errors
    /// `RATE_LIMITED` where the lock is not free in time.
    pub(super) async fn confirmation(
        &self,
        name: &str,
        session: SessionId,
        origin: &Origin,
        now: impl Fn() -> Timestamp,
    ) -> Result<Attempt, Error> {
        let session = session.as_uuid();
        let own = self.charge_account(ACCOUNT_AND_ADDRESS, name, session.as_bytes());
        self.begin([own].into_iter().chain(self.sources(origin)).collect(), now).await
    }

    /// Waits for the lock of the first charge. A client that disconnects leaves it to others.
    async fn begin(
        &self,
        charges: Vec<Charge>,
        now: impl Fn() -> Timestamp,
    ) -> Result<Attempt, Error> {
        if !self.is_on {
            return Ok(Attempt::default());
        }
        let enter = |charge: &Charge| self.locks.enter(charge.bucket);
        let entries: Vec<Entry> = charges.iter().map(enter).collect();
        let mut locks = Vec::new();
        if let Some(own) = entries.first() {
            let too_many = || UserError::rate_limited(MAX_WAIT);
            if own.others() > MAX_WAITING {
                return Err(too_many().into());
            }
            locks.extend(tokio::select! {
                lock = timeout(MAX_WAIT, own.lock()) => lock.map_err(|_| too_many())?,
                () = disconnected() => return Err(too_many().into()),
            });
        }
        let mut doubtful = None;
        let refuses = |charge: &Charge| self.refusals.wait(charge.bucket, now());
        if let Some(wait) = charges.iter().skip(1).filter_map(refuses).max() {
            doubtful = Some(self.doubtful.enter(&charges, wait).await?);
        } else if let Some(wait) = charges.first().and_then(refuses) {
            return Err(UserError::rate_limited(wait).into());
        }
        Ok(Attempt { charges, locks, entries, doubtful })
    }

    /// Limits on the address and the network of the sender.
    pub(super) fn sources(&self, origin: &Origin) -> impl Iterator<Item = Charge> {
        let network = origin.ip.map(|ip| self.charge(NETWORK, &[network(ip).low()]));
        [self.address(origin)].into_iter().chain(network)
    }

    fn address(&self, origin: &Origin) -> Charge {
        self.charge(ADDRESS, &[&address_bytes(origin.ip)])
    }

    /// Bucket by which the hashes of one address are counted, whatever they are for.
    pub(super) fn source(&self, origin: &Origin) -> Option<Bucket> {
        self.is_on.then(|| self.address(origin).bucket)
    }
}

/// Digest of a folded name alone.
pub(in crate::auth) fn account_bucket(key: &BlindIndexKey, name: &str) -> Bucket {
    Bucket(key.of(&[b"account of a name", name.as_bytes()]))
}

/// Bytes of an address for a bucket; requests without an address share one.
pub(super) fn address_bytes(ip: Option<IpAddr>) -> [u8; 16] {
    let block = ip.map(address);
    block.and_then(|block| block.low().try_into().ok()).unwrap_or([0xff; 16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::secret::MasterSecrets;

    #[tokio::test]
    async fn attempts_that_are_over_leave_nothing_in_whatever_order_they_are_dropped() {
        let secrets = MasterSecrets::parse("0123456789abcdefghijklmnopqrstuv").unwrap();
        let limits = AttemptLimits::new(BlindIndexKey::derive(&secrets).unwrap(), true);
        for n in 0..100 {
            let origin = Origin { ip: Some([192, 0, 2, n].into()), user_agent: None };
            let login = || limits.login("ada", &origin, || Timestamp::from_micros(0));
            drop(login().await.unwrap());
            let Attempt { locks, entries, .. } = login().await.unwrap();
            assert!(!locks.is_empty() && !entries.is_empty());
            drop(entries);
        }
        assert!(limits.locks.is_empty());
    }
}
