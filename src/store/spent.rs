//! What a piece of work cost the database.
//!
//! Rule: every operation of the store is timed here, and every statement that one sends is counted
//! (by [`counted`](super::counted)), for whatever work it is done in. The time of an operation is what
//! its caller waits, from the wait for a connection to the answer, however often it had to be tried.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Stopwatch;

tokio::task_local! {
    static CURRENT: Account;
}

/// What work is charged to.
#[derive(Clone, Debug, Default)]
pub struct Account(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    statements: AtomicU64,
    nanos: AtomicU64,
}

/// What was spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// How many statements were sent.
    pub statements: u64,
    /// How long the operations took, one after the other or not.
    pub time: Duration,
}

impl Account {
    /// Does work that this pays for.
    pub async fn pay<T>(&self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), work).await
    }

    /// Does one step of work that this pays for.
    pub fn pay_step<T>(&self, step: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), step)
    }

    /// What was spent so far.
    #[must_use]
    pub fn spent(&self) -> Spent {
        let statements = self.0.statements.load(Ordering::Relaxed);
        Spent { statements, time: Duration::from_nanos(self.0.nanos.load(Ordering::Relaxed)) }
    }
}

impl Spent {
    /// Does the work, and says what it spent.
    pub async fn by<T>(work: impl Future<Output = T>) -> (T, Self) {
        let account = Account::default();
        let done = account.pay(work).await;
        (done, account.spent())
    }

    /// Makes this part of the work that is under way here, for a task of its own.
    pub fn in_current<T>(part: impl Future<Output = T>) -> impl Future<Output = T> {
        let payer = Payer::current();
        async move { payer.pay(part).await }
    }
}

/// Who pays for the work that is under way, if anybody does.
#[derive(Clone)]
pub(super) struct Payer(Option<Account>);

impl Payer {
    pub(super) fn current() -> Self {
        Self(CURRENT.try_with(Account::clone).ok())
    }

    /// Does a part of the work elsewhere.
    pub(super) async fn pay<T>(self, part: impl Future<Output = T>) -> T {
        match self.0 {
            Some(account) => account.pay(part).await,
            None => part.await,
        }
    }
}

/// Counts a statement for the work that is under way.
pub(super) fn count_statement() {
    let count = |account: &Account| account.0.statements.fetch_add(1, Ordering::Relaxed);
    // What nobody pays for nobody counts: background work.
    let _ = CURRENT.try_with(count);
}

/// An operation under way.
pub(super) struct Operation {
    pub payer: Payer,
    began: Stopwatch,
}

impl Operation {
    /// Begins one, for the work that is under way.
    pub(super) fn begin() -> Self {
        Self { payer: Payer::current(), began: Stopwatch::start() }
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        let Some(Account(counts)) = &self.payer.0 else { return };
        let nanos = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        counts.nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() {
        let _operation = Operation::begin();
        count_statement();
    }

    #[tokio::test]
    async fn work_pays_for_its_parts_and_nobody_elses() {
        work();
        let ((), spent) = Spent::by(async {
            work();
            let part = Spent::in_current(async { work() });
            tokio::spawn(part).await.unwrap();
            tokio::spawn(async { work() }).await.unwrap();
        })
        .await;
        assert_eq!(spent.statements, 2);
        assert!(!spent.time.is_zero());
    }
}
