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
//! counts: nobody can lock its owner out from elsewhere. Sessions are never touched, and a refresh is
//! never counted.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::dummies::Dummies;
use super::error::Refusal;
use super::turns::{Turns, Visit};
use super::{Auth, Error, presence};
use crate::clock::Timestamp;
use crate::crypto::blind_index::BlindIndexKey;
use crate::crypto::password::PasswordHash;
use crate::domain::audit::AuditKind;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::throttle::{
    self, ACCOUNT, ACCOUNT_AND_ADDRESS, ADDRESS, Bucket, Limit, NETWORK, REGISTRATION, address,
    network,
};
use crate::store::{Charge, Charged, NewEvent, Settlement};

/// How long a try waits for the one before it.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many wait for their turn at one name from one address.
const MOST_WAITING: usize = 128;

/// Counts tries under digests.
pub(super) struct Throttle {
    key: BlindIndexKey,
    is_on: bool,
    turns: Turns,
}

/// A try whose turn it is, and which limits it falls under: first the account's at its own place,
/// which always holds.
#[derive(Default)]
pub(super) struct Guess {
    charges: Vec<Charge>,
    visits: Vec<Visit>,
    turns: Vec<OwnedSemaphorePermit>,
}

/// A try that is let through.
#[derive(Default)]
pub(super) struct Admitted {
    /// What is charged if it fails.
    late: Vec<Charge>,
    /// What was charged before the hash, and what came of that.
    early: Vec<Charge>,
    charged: Charged,
    /// The account's own count, where there is one.
    counted: Option<Bucket>,
    _visits: Vec<Visit>,
    _turns: Vec<OwnedSemaphorePermit>,
}

impl Throttle {
    pub(super) fn new(key: BlindIndexKey, is_on: bool) -> Self {
        Self { key, is_on, turns: Turns::default() }
    }

    /// The hash that is tried in place of this name's, where nobody has it.
    pub(super) fn dummy(&self, dummies: &Dummies, name: &str) -> PasswordHash {
        dummies.of(&self.key, name)
    }

    fn charge(&self, limit: Limit, parts: &[&[u8]]) -> Charge {
        let parts: Vec<&[u8]> = [limit.name.as_bytes()].iter().chain(parts).copied().collect();
        Charge { bucket: Bucket(self.key.of(&parts)), limit }
    }

    /// A login by this name, folded, whether or not somebody has it.
    ///
    /// # Errors
    /// [`RefusalCode::RateLimited`](super::RefusalCode) where its turn does not come.
    pub(super) async fn login(&self, name: &str, origin: &Origin) -> Result<Guess, Error> {
        let place = place(origin.ip);
        let own = self.charge(ACCOUNT_AND_ADDRESS, &[name.as_bytes(), &place]);
        let account = self.charge(ACCOUNT, &[name.as_bytes()]);
        self.begin([own, account].into_iter().chain(self.sources(origin)).collect()).await
    }

    /// Somebody who is logged in and has to know the password: counted by the session, which does
    /// not change with the address.
    ///
    /// # Errors
    /// [`RefusalCode::RateLimited`](super::RefusalCode) where its turn does not come.
    pub(super) async fn confirmation(
        &self,
        name: &str,
        session: SessionId,
        origin: &Origin,
    ) -> Result<Guess, Error> {
        let session = session.as_uuid();
        let own = self.charge(ACCOUNT_AND_ADDRESS, &[name.as_bytes(), session.as_bytes()]);
        self.begin([own].into_iter().chain(self.sources(origin)).collect()).await
    }

    /// Waits for the turn at the account's own place. A client that goes away gives it up.
    async fn begin(&self, charges: Vec<Charge>) -> Result<Guess, Error> {
        if !self.is_on {
            return Ok(Guess::default());
        }
        let enter = |charge: &Charge| self.turns.enter(charge.bucket);
        let visits: Vec<Visit> = charges.iter().map(enter).collect();
        let mut turns = Vec::new();
        if let Some(own) = visits.first() {
            let too_many = || Refusal::rate_limited(PATIENCE);
            if own.others() > MOST_WAITING {
                return Err(too_many().into());
            }
            turns.extend(tokio::select! {
                turn = timeout(PATIENCE, own.turn()) => turn.map_err(|_| too_many())?,
                () = presence::gone() => return Err(too_many().into()),
            });
        }
        Ok(Guess { charges, visits, turns })
    }

    fn sources(&self, origin: &Origin) -> impl Iterator<Item = Charge> {
        let network = origin.ip.map(network);
        let network = network.map(|block| self.charge(NETWORK, &[block.low()]));
        [self.charge(ADDRESS, &[&place(origin.ip)])].into_iter().chain(network)
    }
}

/// The bytes that stand for where a request comes from; all that have no address are one place.
fn place(ip: Option<IpAddr>) -> [u8; 16] {
    let block = ip.map(address);
    block.and_then(|block| block.low().try_into().ok()).unwrap_or([0xff; 16])
}

impl Admitted {
    /// What is put back where the password was right.
    pub(super) fn settlement(&self) -> Settlement {
        let others = self.early.iter().map(|charge| charge.bucket);
        Settlement {
            reset: self.counted.into_iter().collect(),
            refund: others.filter(|bucket| Some(*bucket) != self.counted).collect(),
        }
    }
}

impl Auth {
    /// Lets a guess through, or not.
    ///
    /// # Errors
    /// [`RefusalCode::RateLimited`](super::RefusalCode), or a failure of the service.
    pub(super) async fn admit(
        &self,
        guess: Guess,
        account: Option<UserId>,
        origin: &Origin,
    ) -> Result<Admitted, Error> {
        if !self.throttle.is_on {
            return Ok(Admitted::default());
        }
        let Guess { mut charges, mut visits, mut turns } = guess;
        let now = self.now();
        let buckets: Vec<Bucket> = charges.iter().map(|charge| charge.bucket).collect();
        let tallies = self.store.tallies(&buckets).await?;
        let tally = |charge: &Charge| tallies.get(&charge.bucket);
        let has_room = |charge: &Charge| charge.limit.has_room(tally(charge), now);
        if !charges.iter().skip(1).all(has_room) && self.is_known(account, origin).await? {
            charges.truncate(1);
            visits.truncate(1);
        }
        let waits = charges.iter().zip(&visits).filter_map(|(charge, visit)| {
            let ahead = if has_room(charge) { 0 } else { visit.others() };
            charge.limit.wait(tally(charge), ahead, now)
        });
        if let Some(wait) = waits.max() {
            return Err(Refusal::rate_limited(wait).into());
        }
        let counted = charges.first().filter(|charge| tally(charge).is_some());
        let counted = counted.map(|charge| charge.bucket);
        // The account's turn, where it is tried from several addresses at once.
        let is_free = charges.iter().zip(&visits).skip(1).all(|(charge, visit)| {
            charge.limit.is_steady() || visit.turn_now().map(|turn| turns.push(turn)).is_some()
        });
        let by_account = |charge: &Charge| !charge.limit.is_steady();
        let mut admitted =
            Admitted { counted, _visits: visits, _turns: turns, ..Admitted::default() };
        if is_free && charges.iter().copied().filter(by_account).all(|charge| has_room(&charge)) {
            admitted.late = charges;
            return Ok(admitted);
        }
        (admitted.early, admitted.late) = charges.into_iter().partition(by_account);
        admitted.counted = admitted.early.first().map(|charge| charge.bucket);
        admitted.charged = self.store.charge(admitted.early.clone(), now).await?;
        match admitted.charged.refused {
            Some(wait) => Err(Refusal::rate_limited(wait).into()),
            None => Ok(admitted),
        }
    }

    /// Whether the account was logged in from there before. For a name that nobody has, the question
    /// costs the same.
    async fn is_known(&self, account: Option<UserId>, origin: &Origin) -> Result<bool, Error> {
        let Some(block) = origin.ip.map(throttle::place) else { return Ok(false) };
        let nobody = || UserId::new(Timestamp::from_micros(0), &*self.entropy);
        Ok(self.store.knows_source(account.unwrap_or_else(nobody), &block).await?)
    }

    /// Counts and writes down a guess that was wrong.
    ///
    /// # Errors
    /// [`RefusalCode::RateLimited`](super::RefusalCode) where others used up the limit meanwhile, or
    /// a failure of the service.
    pub(super) async fn count_failure(
        &self,
        admitted: Admitted,
        failed: NewEvent,
    ) -> Result<(), Error> {
        let limited = NewEvent { kind: AuditKind::RateLimited, ..failed.clone() };
        let closed = admitted.charged.closed;
        let charged = self.store.charge_failure(admitted.late, closed, failed, limited).await?;
        match charged.refused {
            Some(wait) => Err(Refusal::rate_limited(wait).into()),
            None => Ok(()),
        }
    }

    /// Counts a registration, whatever comes of it: one that is refused tells which name is taken.
    ///
    /// # Errors
    /// [`RefusalCode::RateLimited`](super::RefusalCode), or a failure of the service.
    pub(super) async fn admit_registration(&self, origin: &Origin) -> Result<(), Error> {
        let throttle = &self.throttle;
        if !throttle.is_on {
            return Ok(());
        }
        let network = origin.ip.map(network);
        let network =
            network.map(|block| throttle.charge(NETWORK, &[b"registration", block.low()]));
        let own = throttle.charge(REGISTRATION, &[&place(origin.ip)]);
        let charges = [own].into_iter().chain(network).collect();
        match self.store.charge(charges, self.now()).await?.refused {
            Some(wait) => Err(Refusal::rate_limited(wait).into()),
            None => Ok(()),
        }
    }
}
