//! Timeouts of writing: a response ends if its client does not read it.
//!
//! A response ends where no byte of it can be written for some seconds, and where one of its parts
//! takes longer than a larger limit, which a client that reads a byte per second reaches. Each part of
//! a response, such as an event of an event stream, has both times for itself. A response without
//! anything to write, such as an event stream between two events, has no timeout.
//!
//! On HTTP/2 the unit is a stream, independent of the other streams of its connection; on HTTP/1.1,
//! where responses are written one after the other, the connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::Executor;
use tokio::time::Sleep;

use super::server_state::ServerState;
use crate::clock::Stopwatch;

/// Number of checks in the time after which a response counts as stalled.
const CHECKS_PER_TIMEOUT: u32 = 10;

/// Divisor of the timeouts while responses use more than half of their memory.
const CROWDED_DIVISOR: u32 = 5;

tokio::task_local! {
    /// Progress of the responses that this task writes: those of a connection, or of one stream.
    static PROGRESS: Arc<WriteProgress>;
}

/// Progress of writing the response parts that were handed to the HTTP library.
#[derive(Debug, Default)]
pub(super) struct WriteProgress {
    /// Parts that are not yet written.
    waiting: AtomicUsize,
    /// Parts among them that occupy memory.
    in_memory: AtomicUsize,
    /// Number of writes.
    writes: AtomicU64,
    /// How often all parts were written.
    drained: AtomicU64,
    is_timed_out: AtomicBool,
}

impl WriteProgress {
    /// The progress of the current task.
    pub(super) fn current() -> Arc<Self> {
        PROGRESS.try_with(Arc::clone).unwrap_or_default()
    }

    /// Runs a task whose responses report to this progress.
    pub(super) async fn scope<T>(self: Arc<Self>, task: impl Future<Output = T>) -> T {
        PROGRESS.scope(self, task).await
    }

    pub(super) fn part_started(&self, is_in_memory: bool) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.in_memory.fetch_add(usize::from(is_in_memory), Ordering::AcqRel);
    }

    pub(super) fn bytes_written(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// The part is written, or dropped unwritten.
    pub(super) fn part_finished(&self, is_in_memory: bool) {
        self.in_memory.fetch_sub(usize::from(is_in_memory), Ordering::AcqRel);
        if self.waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.drained.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn is_timed_out(&self) -> bool {
        self.is_timed_out.load(Ordering::Relaxed)
    }
}

/// The write timeouts of one connection, and the executor of its HTTP/2 streams.
#[derive(Clone, Debug)]
pub(super) struct WriteTimeouts {
    server: Arc<ServerState>,
}

impl WriteTimeouts {
    pub(super) fn new(server: Arc<ServerState>) -> Self {
        Self { server }
    }

    /// Runs work that writes; `None` after a timeout of its responses.
    pub(super) fn apply<F: Future + Unpin>(
        &self,
        work: F,
        progress: &Arc<WriteProgress>,
    ) -> TimedWrites<F> {
        TimedWrites { work, timeouts: self.clone(), progress: Arc::clone(progress), timer: None }
    }

    /// The time without progress, and the time for a whole part.
    fn times(&self) -> (Duration, Duration) {
        let limits = &self.server.limits;
        let (stall, whole) = (limits.stall_timeout, limits.response_timeout);
        let is_crowded = self.server.memory.responses.get() > limits.max_unread_bytes / 2;
        if is_crowded { (stall / CROWDED_DIVISOR, whole / CROWDED_DIVISOR) } else { (stall, whole) }
    }
}

/// Runs each HTTP/2 stream as a task with timeouts of its own.
impl<F: Future<Output = ()> + Send + 'static> Executor<F> for WriteTimeouts {
    fn execute(&self, stream: F) {
        let progress = Arc::<WriteProgress>::default();
        tokio::spawn(Arc::clone(&progress).scope(self.apply(Box::pin(stream), &progress)));
    }
}

/// See [`WriteTimeouts::apply`].
pub(super) struct TimedWrites<F> {
    work: F,
    timeouts: WriteTimeouts,
    progress: Arc<WriteProgress>,
    /// Only while a part waits to be written, which is rare: most are written at once.
    timer: Option<WriteTimer>,
}

struct WriteTimer {
    next_check: Pin<Box<Sleep>>,
    part_started: Stopwatch,
    last_write: Stopwatch,
    /// Values of the counters at the last check.
    writes: u64,
    drained: u64,
}

impl<F: Future + Unpin> Future for TimedWrites<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { work, timeouts, progress, timer } = self.get_mut();
        if let Poll::Ready(output) = Pin::new(&mut *work).poll(context) {
            return Poll::Ready(Some(output));
        }
        if progress.waiting.load(Ordering::Acquire) == 0 {
            *timer = None;
            return Poll::Pending;
        }
        let interval = timeouts.server.limits.stall_timeout / CHECKS_PER_TIMEOUT;
        let timer = timer.get_or_insert_with(|| WriteTimer::start(interval));
        loop {
            ready!(timer.next_check.as_mut().poll(context));
            if timer.is_over(progress, timeouts.times()) {
                progress.is_timed_out.store(true, Ordering::Relaxed);
                // Polled once more: a body that is asked for its next part sees the timeout and
                // resets its stream, which drops the waiting part. A body that is not asked has
                // handed nothing over.
                let _ = Pin::new(work).poll(context);
                return Poll::Ready(None);
            }
            timer.next_check.set(tokio::time::sleep(interval));
        }
    }
}

impl WriteTimer {
    fn start(interval: Duration) -> Self {
        let next_check = Box::pin(tokio::time::sleep(interval));
        let (part_started, last_write) = (Stopwatch::start(), Stopwatch::start());
        Self { next_check, part_started, last_write, writes: 0, drained: 0 }
    }

    fn is_over(&mut self, progress: &WriteProgress, (stall, whole): (Duration, Duration)) -> bool {
        let writes = progress.writes.load(Ordering::Relaxed);
        let drained = progress.drained.load(Ordering::Relaxed);
        if writes != self.writes {
            (self.writes, self.last_write) = (writes, Stopwatch::start());
        }
        if drained != self.drained {
            self.drained = drained;
            (self.part_started, self.last_write) = (Stopwatch::start(), Stopwatch::start());
        }
        let is_in_memory = progress.in_memory.load(Ordering::Relaxed) > 0;
        progress.waiting.load(Ordering::Relaxed) > 0
            && (self.last_write.elapsed() >= stall
                || is_in_memory && self.part_started.elapsed() >= whole)
    }
}
