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
//! limits answer. Sessions are never touched, and a refresh is never counted.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::doubts::{Doubt, Doubts};
use super::dummies::Dummies;
use super::error::Refusal;
use super::refusing::{Pace, Refusing};
use super::turns::{Turns, Visit};
use super::{Auth, Error, presence};
use crate::clock::Timestamp;
use crate::crypto::blind_index::BlindIndexKey;
use crate::crypto::password::PasswordHash;
use crate::domain::audit::AuditKind;
use crate::domain::id::{SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::throttle::{
    self, ACCOUNT, ACCOUNT_AND_ADDRESS, ADDRESS, Bucket, Limit, NETWORK, address, network,
};
use crate::store::{Charge, Charged, NewEvent, Settlement};

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
    charges: Vec<Charge>,
    /// Before the visits, as in [`Admitted`].
    turns: Vec<OwnedSemaphorePermit>,
    visits: Vec<Visit>,
    /// Of a try that is admitted before it waits for a core, not afterwards.
    doubt: Option<Doubt>,
}

impl Guess {
    /// Whether a limit is known to refuse it.
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubt.is_some()
    }

    /// What the address is counted under.
    pub(super) fn source(&self) -> Option<Bucket> {
        self.charges.iter().find(|charge| charge.limit == ADDRESS).map(|charge| charge.bucket)
    }
}

/// What becomes of a guess.
pub(super) enum Admission {
    /// It is let through.
    Admitted(Admitted),
    /// It is not, by limits that do not hold at a place of the account's: whether it is one must not
    /// be seen.
    Over(Duration),
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
    /// How long the limits make wait that do not hold here. Where the password is wrong nobody is to
    /// see that they do not.
    over: Option<Duration>,
    /// Fields are dropped in this order, and the last visit takes its bucket out of [`Turns`] only
    /// where nobody has the turn: so turns come before visits.
    _turns: Vec<OwnedSemaphorePermit>,
    _visits: Vec<Visit>,
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
    /// [`RefusalCode::RateLimited`](super::RefusalCode) where its turn does not come.
    pub(super) async fn login(
        &self,
        name: &str,
        origin: &Origin,
        now: impl Fn() -> Timestamp,
    ) -> Result<Guess, Error> {
        let place = place(origin.ip);
        let own = self.charge(ACCOUNT_AND_ADDRESS, &[name.as_bytes(), &place]);
        let account = self.charge(ACCOUNT, &[name.as_bytes()]);
        self.begin([own, account].into_iter().chain(self.sources(origin)).collect(), now).await
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
            let too_many = || Refusal::rate_limited(PATIENCE);
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
            return Err(Refusal::rate_limited(wait).into());
        }
        Ok(Guess { charges, turns, visits, doubt })
    }

    fn sources(&self, origin: &Origin) -> impl Iterator<Item = Charge> {
        let network = origin.ip.map(|ip| self.charge(NETWORK, &[network(ip).low()]));
        [self.charge(ADDRESS, &[&place(origin.ip)])].into_iter().chain(network)
    }
}

/// The bytes that stand for where a request comes from; all that have no address are one place.
pub(super) fn place(ip: Option<IpAddr>) -> [u8; 16] {
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
    ) -> Result<Admission, Error> {
        if !self.throttle.is_on {
            return Ok(Admission::Admitted(Admitted::default()));
        }
        // What was asked is asked; who waits for its answer holds up nobody.
        let Guess { mut charges, mut visits, mut turns, doubt: _doubt } = guess;
        let now = self.now();
        let buckets: Vec<Bucket> = charges.iter().map(|charge| charge.bucket).collect();
        let tallies = self.store.tallies(&buckets).await?;
        let tally = |charge: &Charge| tallies.get(&charge.bucket);
        let has_room = |charge: &Charge| charge.limit.has_room(tally(charge), now);
        let wait = |(charge, visit): (&Charge, &Visit)| {
            if let Some(wait) = charge.limit.wait(tally(charge), 0, now) {
                self.throttle.refusing.note(charge.bucket, wait, now);
            }
            let ahead = if has_room(charge) { 0 } else { visit.others() };
            charge.limit.wait(tally(charge), ahead, now)
        };
        let is_known =
            !charges.iter().skip(1).all(has_room) && self.is_known(account, origin).await?;
        let over = charges.iter().zip(&visits).skip(1).filter_map(wait).max();
        let own = charges.iter().zip(&visits).take(1).find_map(wait);
        match (over, own) {
            (Some(over), _) if !is_known => return Ok(Admission::Over(over)),
            // By its own limit, which must not be seen either.
            (Some(over), Some(_)) => return Ok(Admission::Over(over)),
            (None, Some(own)) => return Err(Refusal::rate_limited(own).into()),
            (_, None) => {}
        }
        if is_known {
            charges.truncate(1);
            visits.truncate(1);
        }
        let counted = charges.first().filter(|charge| tally(charge).is_some());
        let counted = counted.map(|charge| charge.bucket);
        // The account's turn, where it is tried from several addresses at once.
        let is_free = charges.iter().zip(&visits).skip(1).all(|(charge, visit)| {
            charge.limit.is_steady() || visit.turn_now().map(|turn| turns.push(turn)).is_some()
        });
        let by_account = |charge: &Charge| !charge.limit.is_steady();
        let mut admitted =
            Admitted { counted, over, _visits: visits, _turns: turns, ..Admitted::default() };
        if is_free && charges.iter().copied().filter(by_account).all(|charge| has_room(&charge)) {
            admitted.late = charges;
            return Ok(Admission::Admitted(admitted));
        }
        (admitted.early, admitted.late) = charges.into_iter().partition(by_account);
        admitted.counted = admitted.early.first().map(|charge| charge.bucket);
        admitted.charged = self.store.charge(admitted.early.clone(), now).await?;
        match (admitted.charged.refused, over) {
            (Some(_), Some(over)) => Ok(Admission::Over(over)),
            (Some(wait), None) => Err(Refusal::rate_limited(wait).into()),
            (None, _) => Ok(Admission::Admitted(admitted)),
        }
    }

    /// Lets a guess of somebody through who is known to have the account, or not.
    ///
    /// # Errors
    /// [`RefusalCode::RateLimited`](super::RefusalCode), or a failure of the service.
    pub(super) async fn admit_confirmation(
        &self,
        guess: Guess,
        account: UserId,
        origin: &Origin,
    ) -> Result<Admitted, Error> {
        match self.admit(guess, Some(account), origin).await? {
            Admission::Admitted(admitted) => Ok(Admitted { over: None, ..admitted }),
            Admission::Over(wait) => Err(Refusal::rate_limited(wait).into()),
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
    /// [`RefusalCode::RateLimited`](super::RefusalCode) where others used up the limit meanwhile or it
    /// was over limits that do not hold here, or a failure of the service.
    pub(super) async fn count_failure(
        &self,
        admitted: Admitted,
        failed: NewEvent,
    ) -> Result<(), Error> {
        let limited = NewEvent { kind: AuditKind::RateLimited, ..failed.clone() };
        let (closed, over) = (admitted.charged.closed, admitted.over);
        let charged = self.store.charge_failure(admitted.late, closed, failed, limited).await?;
        match over.or(charged.refused) {
            Some(wait) => Err(Refusal::rate_limited(wait).into()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::secret::MasterSecrets;

    #[tokio::test]
    async fn tries_that_are_over_leave_nothing_whether_they_were_admitted_or_not() {
        let secrets = MasterSecrets::parse("0123456789abcdefghijklmnopqrstuv").unwrap();
        let throttle = Throttle::new(BlindIndexKey::derive(&secrets).unwrap(), true);
        for n in 0..100 {
            let origin = Origin { ip: Some([192, 0, 2, n].into()), user_agent: None };
            let login = || throttle.login("ada", &origin, || Timestamp::from_micros(0));
            drop(login().await.unwrap());
            let Guess { turns, visits, .. } = login().await.unwrap();
            assert!(!turns.is_empty() && !visits.is_empty());
            drop(Admitted { _turns: turns, _visits: visits, ..Admitted::default() });
        }
        assert!(throttle.turns.is_empty());
    }
}
