//! Whether a try is let through, and what it counts if it fails: see [`throttle`](super::throttle).
//!
//! Rule: what was counted before the hash is put back where the password was right, and where it was
//! not tried.

use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

use super::error::UserError;
use super::hashing::Core;
use super::throttle::Guess;
use super::turns::Visit;
use super::{Auth, Error};
use crate::domain::audit::AuditKind;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::throttle::{Bucket, place};
use crate::store::{Charge, Charged, NewEvent, Settlement};

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
    _turns: Vec<OwnedSemaphorePermit>,
    _visits: Vec<Visit>,
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

    /// What is put back where the password was not tried.
    fn refund(&self) -> Settlement {
        let refund = self.early.iter().map(|charge| charge.bucket).collect();
        Settlement { reset: Vec::new(), refund }
    }
}

impl Auth {
    /// Lets a guess through, or not.
    ///
    /// # Errors
    /// [`UserErrorCode::RateLimited`](super::UserErrorCode), or a failure of the service.
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
            // At a known place by its own limit, which must not be seen either.
            (Some(over), own) if !is_known || own.is_some() => return Ok(Admission::Over(over)),
            (None, Some(own)) => return Err(UserError::rate_limited(own).into()),
            _ => {}
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
            (Some(wait), None) => Err(UserError::rate_limited(wait).into()),
            (None, _) => Ok(Admission::Admitted(admitted)),
        }
    }

    /// Lets a guess of somebody through who is known to have the account, or not.
    ///
    /// # Errors
    /// [`UserErrorCode::RateLimited`](super::UserErrorCode), or a failure of the service.
    pub(super) async fn admit_confirmation(
        &self,
        guess: Guess,
        account: UserId,
        origin: &Origin,
    ) -> Result<Admitted, Error> {
        match self.admit(guess, Some(account), origin).await? {
            Admission::Admitted(admitted) => Ok(Admitted { over: None, ..admitted }),
            Admission::Over(wait) => Err(UserError::rate_limited(wait).into()),
        }
    }

    /// Waits for a core to try a guess that was let through. Where none comes, nothing was tried, and
    /// what was counted beforehand is put back.
    ///
    /// # Errors
    /// [`UserErrorCode::Overloaded`](super::UserErrorCode), or a failure of the service.
    pub(super) async fn core_for(
        &self,
        admitted: &Admitted,
        source: Option<Bucket>,
    ) -> Result<Core, Error> {
        let core = self.hashing.core(source).await;
        if core.is_err() {
            self.store.settle(admitted.refund()).await?;
        }
        core
    }

    /// Whether the account was logged in from there before. For a name that nobody has, the question
    /// costs the same.
    async fn is_known(&self, account: Option<UserId>, origin: &Origin) -> Result<bool, Error> {
        let Some(block) = origin.ip.map(place) else { return Ok(false) };
        Ok(self.store.knows_source(account.unwrap_or(UserId::NOBODY), &block).await?)
    }

    /// Counts and writes down a guess that was wrong.
    ///
    /// # Errors
    /// [`UserErrorCode::RateLimited`](super::UserErrorCode) where others used up the limit meanwhile or it
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
            Some(wait) => Err(UserError::rate_limited(wait).into()),
            None => Ok(()),
        }
    }
}
