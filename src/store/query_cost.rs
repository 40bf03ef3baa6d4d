//! Query count and database time per request.
//!
//! A [`QueryCostMeter`] is a task-local ledger. Every operation of the store adds its duration, from
//! the wait for a connection to the answer, retries included; every statement adds one to the count
//! (see `backend::metered`). Background work runs without a meter and is not counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Stopwatch;

tokio::task_local! {
    static CURRENT: QueryCostMeter;
}

/// The ledger of one request.
#[derive(Clone, Debug, Default)]
pub struct QueryCostMeter(Arc<Totals>);

#[derive(Debug, Default)]
struct Totals {
    statements: AtomicU64,
    nanos: AtomicU64,
    /// Only for [`captured_statements`].
    texts: Option<Mutex<Vec<String>>>,
}

/// What a request cost the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueryCost {
    /// Number of statements sent.
    pub statements: u64,
    /// Sum of the durations of all operations, concurrent ones included.
    pub time: Duration,
}

impl QueryCostMeter {
    /// Runs `work` with this meter as the current one.
    pub async fn measure<T>(&self, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self.clone(), work).await
    }

    /// Runs one synchronous step, such as a poll, with this meter as the current one.
    pub fn measure_step<T>(&self, step: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), step)
    }

    /// The cost so far.
    #[must_use]
    pub fn cost(&self) -> QueryCost {
        QueryCost {
            statements: self.0.statements.load(Ordering::Relaxed),
            time: Duration::from_nanos(self.0.nanos.load(Ordering::Relaxed)),
        }
    }
}

impl QueryCost {
    /// Runs `work` and returns its cost with its result.
    pub async fn of<T>(work: impl Future<Output = T>) -> (T, Self) {
        let meter = QueryCostMeter::default();
        let done = meter.measure(work).await;
        (done, meter.cost())
    }

    /// Keeps the current meter for work that is spawned as a task of its own.
    pub fn inherited<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
        let meter = CurrentMeter::capture();
        async move { meter.measure(work).await }
    }
}

/// The meter of the task that captured it, to be carried to another task.
#[derive(Clone)]
pub(in crate::store) struct CurrentMeter(Option<QueryCostMeter>);

impl CurrentMeter {
    pub(in crate::store) fn capture() -> Self {
        Self(CURRENT.try_with(QueryCostMeter::clone).ok())
    }

    pub(in crate::store) async fn measure<T>(self, work: impl Future<Output = T>) -> T {
        match self.0 {
            Some(meter) => meter.measure(work).await,
            None => work.await,
        }
    }
}

/// Adds one statement to the current meter.
pub(in crate::store) fn count_statement(sql: &str) {
    let count = |meter: &QueryCostMeter| {
        meter.0.statements.fetch_add(1, Ordering::Relaxed);
        if let Some(texts) = &meter.0.texts {
            texts.lock().push(sql.to_owned());
        }
    };
    // Background work has no meter.
    let _ = CURRENT.try_with(count);
}

/// Runs `work` and returns the SQL of its statements with its result, for tests that explain them.
pub async fn captured_statements<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
    let totals = Totals { texts: Some(Mutex::default()), ..Totals::default() };
    let meter = QueryCostMeter(Arc::new(totals));
    let done = meter.measure(work).await;
    let texts = meter.0.texts.as_ref().map(|texts| std::mem::take(&mut *texts.lock()));
    (done, texts.unwrap_or_default())
}

/// Adds the time until its drop to the meter that was current at its start.
pub(in crate::store) struct OperationTimer {
    pub meter: CurrentMeter,
    started: Stopwatch,
}

impl OperationTimer {
    pub(in crate::store) fn start() -> Self {
        Self { meter: CurrentMeter::capture(), started: Stopwatch::start() }
    }
}

impl Drop for OperationTimer {
    fn drop(&mut self) {
        let Some(QueryCostMeter(totals)) = &self.meter.0 else { return };
        let nanos = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        totals.nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() {
        let _timer = OperationTimer::start();
        count_statement("SELECT 1");
    }

    #[tokio::test]
    async fn a_request_is_charged_for_its_own_tasks_only() {
        work();
        let ((), cost) = QueryCost::of(async {
            work();
            let part = QueryCost::inherited(async { work() });
            tokio::spawn(part).await.unwrap();
            tokio::spawn(async { work() }).await.unwrap();
        })
        .await;
        assert_eq!(cost.statements, 2);
        assert!(!cost.time.is_zero());
    }
}
