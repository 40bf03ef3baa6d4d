//! Admission of an attempt under its limits, and its charges: see [`attempt_limits`](super::attempt_limits).
//!
//! Invariant: a charge made before the hash is refunded where the password was right, and where it was
//! not tried at all.

use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use super::Passwords;
use super::attempt_limits::Attempt;
use super::hashing_queue::HashingPermit;
use crate::auth::bucket_locks::Entry;
use crate::auth::error::Error;
use crate::auth::user_error::UserError;
use crate::domain::audit::AuditKind;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::throttle::{Bucket, login_location};
use crate::redacted::redacted_debug;
use crate::store::{Charge, Charged, NewEvent, Settlement};

pub(super) enum Admission {
    Admitted(Admitted),
    /// Refused by limits that do not hold from a known address of the account: the answer must not tell
    /// whether this is one.
    OverLimit(Duration),
}

/// An attempt that may try its password.
#[derive(Default)]
pub(super) struct Admitted {
    /// Charged only if the attempt fails.
    late: Vec<Charge>,
    /// Charged before the hash, with the outcome.
    early: Vec<Charge>,
    charged: Charged,
    /// The account's own count, where it has one.
    counted: Option<Bucket>,
    /// Wait of the limits that do not hold here. A wrong password is answered by it, so that nobody sees
    /// that they do not hold.
    over_limit: Option<Duration>,
    _locks: Vec<OwnedSemaphorePermit>,
    _entries: Vec<Entry>,
}

redacted_debug!(Admitted);

impl Admitted {
    /// Counts that a right password resets or refunds.
    pub(super) fn settlement(&self) -> Settlement {
        let others = self.early.iter().map(|charge| charge.bucket);
        Settlement {
            reset: self.counted.into_iter().collect(),
            refund: others.filter(|bucket| Some(*bucket) != self.counted).collect(),
        }
    }

    /// Counts that are refunded where the password was not tried.
    fn refund(&self) -> Settlement {
        let refund = self.early.iter().map(|charge| charge.bucket).collect();
        Settlement { reset: Vec::new(), refund }
    }
}

impl Passwords {
    /// Admits an attempt on an account, or on a name without one.
    ///
    /// # Errors
    /// `RATE_LIMITED` by the limit that holds everywhere.
    pub(super) async fn admit(
        &self,
        attempt: Attempt,
        account: Option<UserId>,
        origin: &Origin,
    ) -> Result<Admission, Error> {
        if !self.limits.is_on {
            return Ok(Admission::Admitted(Admitted::default()));
        }
        // A doubtful attempt keeps its query until this function has its answer.
        let Attempt { mut charges, mut entries, mut locks, doubtful: _doubtful } = attempt;
        let now = self.clock.now();
        let buckets: Vec<Bucket> = charges.iter().map(|charge| charge.bucket).collect();
        let tallies = self.store.tallies(&buckets).await?;
        let tally = |charge: &Charge| tallies.get(&charge.bucket);
        let has_room = |charge: &Charge| charge.limit.has_room(tally(charge), now);
        let wait = |(charge, entry): (&Charge, &Entry)| {
            if let Some(wait) = charge.limit.wait(tally(charge), 0, now) {
                self.limits.refusals.insert(charge.bucket, wait, now);
            }
            let ahead = if has_room(charge) { 0 } else { entry.others() };
            charge.limit.wait(tally(charge), ahead, now)
        };
        let is_known =
            !charges.iter().skip(1).all(has_room) && self.is_known(account, origin).await?;
        let over_limit = charges.iter().zip(&entries).skip(1).filter_map(wait).max();
        let own = charges.iter().zip(&entries).take(1).find_map(wait);
        match (over_limit, own) {
            // From a known address by its own limit: the answer must not tell that either.
            (Some(wait), own) if !is_known || own.is_some() => {
                return Ok(Admission::OverLimit(wait));
            }
            (None, Some(own)) => return Err(UserError::rate_limited(own).into()),
            _ => {}
        }
        if is_known {
            charges.truncate(1);
            entries.truncate(1);
        }
        let counted = charges.first().filter(|charge| tally(charge).is_some());
        let counted = counted.map(|charge| charge.bucket);
        // The lock of the account, which may be tried from several addresses at once.
        let is_free = charges.iter().zip(&entries).skip(1).all(|(charge, entry)| {
            charge.limit.is_steady() || entry.try_lock().map(|lock| locks.push(lock)).is_some()
        });
        let by_account = |charge: &Charge| !charge.limit.is_steady();
        let mut admitted = Admitted {
            counted,
            over_limit,
            _entries: entries,
            _locks: locks,
            ..Admitted::default()
        };
        if is_free && charges.iter().copied().filter(by_account).all(|charge| has_room(&charge)) {
            admitted.late = charges;
            return Ok(Admission::Admitted(admitted));
        }
        (admitted.early, admitted.late) = charges.into_iter().partition(by_account);
        admitted.counted = admitted.early.first().map(|charge| charge.bucket);
        admitted.charged = self.store.charge(admitted.early.clone(), now).await?;
        match (admitted.charged.refused, over_limit) {
            (Some(_), Some(wait)) => Ok(Admission::OverLimit(wait)),
            (Some(wait), None) => Err(UserError::rate_limited(wait).into()),
            (None, _) => Ok(Admission::Admitted(admitted)),
        }
    }

    /// Admits an attempt of a caller who is logged in to the account: nothing about it is secret.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub(super) async fn admit_confirmation(
        &self,
        attempt: Attempt,
        account: UserId,
        origin: &Origin,
    ) -> Result<Admitted, Error> {
        match self.admit(attempt, Some(account), origin).await? {
            Admission::Admitted(admitted) => Ok(Admitted { over_limit: None, ..admitted }),
            Admission::OverLimit(wait) => Err(UserError::rate_limited(wait).into()),
        }
    }

    /// Waits for a permit to hash an admitted attempt. Without one nothing is tried, and the charges are
    /// refunded.
    ///
    /// # Errors
    /// `OVERLOADED`.
    pub(super) async fn permit_for(
        &self,
        admitted: &Admitted,
        source: Option<Bucket>,
    ) -> Result<HashingPermit, Error> {
        let permit = self.hashing.permit(source).await;
        if permit.is_err() {
            self.store.settle(admitted.refund()).await?;
        }
        permit
    }

    /// Whether the account was logged in from this address before. The query costs the same for a name
    /// without an account.
    pub(super) async fn is_known(
        &self,
        account: Option<UserId>,
        origin: &Origin,
    ) -> Result<bool, Error> {
        let Some(block) = origin.ip.map(login_location) else { return Ok(false) };
        Ok(self.store.knows_source(account.unwrap_or(UserId::NOBODY), &block).await?)
    }

    /// Charges and records an attempt that failed.
    ///
    /// # Errors
    /// `RATE_LIMITED` where other attempts have used up the limit in the meantime, or where limits are
    /// exceeded that do not hold here.
    pub(super) async fn count_failure(
        &self,
        admitted: Admitted,
        failed: NewEvent,
    ) -> Result<(), Error> {
        let limited = NewEvent { kind: AuditKind::RateLimited, ..failed.clone() };
        let (closed, over_limit) = (admitted.charged.closed, admitted.over_limit);
        let charged = self.store.charge_failure(admitted.late, closed, failed, limited).await?;
        match over_limit.or(charged.refused) {
            Some(wait) => Err(UserError::rate_limited(wait).into()),
            None => Ok(()),
        }
    }
}
