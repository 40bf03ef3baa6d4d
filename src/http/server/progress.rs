//! Whether a client reads what is written to it.
//!
//! Rule: an answer that does not move for some seconds ends, and so does one of which a part has not
//! left after a longer time, since a byte a second moves, too. An answer of several parts, such as an
//! event stream, has that time for each. On HTTP/2 that is one stream, whatever else moves
//! on its connection; on HTTP/1.1, whose answers stand in line, the connection. An answer that has
//! nothing to send, such as an event stream between two events, waits for nobody.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::Executor;
use tokio::sync::Notify;
use tokio::time::Sleep;

use super::Limits;
use super::memory::Memory;
use crate::clock::Stopwatch;

/// How often in the time of a stalled answer it is looked at.
const LOOKS: u32 = 10;

/// By how much less patience there is where answers take more than half of their memory.
const CROWDED: u32 = 5;

tokio::task_local! {
    /// What is written by this task: of a connection, or of one of its streams.
    static PROGRESS: Arc<Progress>;
}

/// What of some answers is handed over to be written.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Parts that are not written.
    waiting: AtomicUsize,
    /// Those among them that take memory.
    owned: AtomicUsize,
    /// How often bytes were written.
    moves: AtomicU64,
    /// How often everything was written.
    finished: AtomicU64,
    is_given_up: AtomicBool,
}

impl Progress {
    /// That of the task that asks.
    pub(super) fn current() -> Arc<Self> {
        PROGRESS.try_with(Arc::clone).unwrap_or_default()
    }

    /// Runs a task that writes.
    pub(super) async fn scope<T>(self: Arc<Self>, task: impl Future<Output = T>) -> T {
        PROGRESS.scope(self, task).await
    }

    /// A part waits to be written.
    pub(super) fn begin(&self, is_owned: bool) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.owned.fetch_add(usize::from(is_owned), Ordering::AcqRel);
    }

    /// Some of it is written.
    pub(super) fn moved(&self) {
        self.moves.fetch_add(1, Ordering::Relaxed);
    }

    /// It is written, or given up.
    pub(super) fn end(&self, is_owned: bool) {
        self.owned.fetch_sub(usize::from(is_owned), Ordering::AcqRel);
        if self.waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.finished.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether the client was waited for in vain.
    pub(super) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }
}

/// How long the client of a connection may leave an answer unread.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    limits: Arc<Limits>,
    memory: Arc<Memory>,
    stuck: Arc<Notify>,
}

impl Patience {
    pub(super) fn new(limits: Arc<Limits>, memory: Arc<Memory>) -> Self {
        Self { limits, memory, stuck: Arc::default() }
    }

    /// Does work that writes, for as long as what it writes is read; `None` where it is not.
    pub(super) fn with<F: Future + Unpin>(&self, work: F, progress: &Arc<Progress>) -> Read<F> {
        Read { work, patience: self.clone(), progress: Arc::clone(progress), watch: None }
    }

    /// Ends where a stream was given up and what it had handed over is not gone: the connection itself
    /// cannot write it.
    pub(super) async fn ends(&self) {
        self.stuck.notified().await;
    }

    /// Without a byte, and in all.
    fn times(&self) -> (Duration, Duration) {
        let Limits { stalled, answer, answers, .. } = *self.limits;
        let is_crowded = self.memory.answers.amount() > answers / 2;
        if is_crowded { (stalled / CROWDED, answer / CROWDED) } else { (stalled, answer) }
    }
}

/// Streams of HTTP/2, each a task that waits for its own client alone.
impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Patience {
    fn execute(&self, stream: F) {
        let progress = Arc::<Progress>::default();
        let stream = Arc::clone(&progress).scope(self.with(Box::pin(stream), &progress));
        let (stalled, stuck) = (self.limits.stalled, Arc::clone(&self.stuck));
        tokio::spawn(async move {
            if stream.await.is_none() {
                tokio::time::sleep(stalled).await;
                if progress.waiting.load(Ordering::Acquire) > 0 {
                    stuck.notify_one();
                }
            }
        });
    }
}

/// See [`Patience::with`].
pub(super) struct Read<F> {
    work: F,
    patience: Patience,
    progress: Arc<Progress>,
    /// Only where something waits to be written, which is seldom so: most is taken at once.
    watch: Option<Watch>,
}

struct Watch {
    tick: Pin<Box<Sleep>>,
    began: Stopwatch,
    moved: Stopwatch,
    moves: u64,
    finished: u64,
}

impl<F: Future + Unpin> Future for Read<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { work, patience, progress, watch } = self.get_mut();
        if let Poll::Ready(output) = Pin::new(&mut *work).poll(context) {
            return Poll::Ready(Some(output));
        }
        if progress.waiting.load(Ordering::Acquire) == 0 {
            *watch = None;
            return Poll::Pending;
        }
        let between = patience.limits.stalled / LOOKS;
        let watch = watch.get_or_insert_with(|| Watch::new(between));
        loop {
            ready!(watch.tick.as_mut().poll(context));
            if watch.is_over(progress, patience.times()) {
                // A body that is asked for more resets its stream, and what waits of it goes; one
                // that is not asked has handed nothing over.
                progress.is_given_up.store(true, Ordering::Relaxed);
                let _ = Pin::new(work).poll(context);
                return Poll::Ready(None);
            }
            watch.tick.set(tokio::time::sleep(between));
        }
    }
}

impl Watch {
    fn new(between: Duration) -> Self {
        let tick = Box::pin(tokio::time::sleep(between));
        let (began, moved) = (Stopwatch::start(), Stopwatch::start());
        Self { tick, began, moved, moves: 0, finished: 0 }
    }

    fn is_over(&mut self, progress: &Progress, (stalled, whole): (Duration, Duration)) -> bool {
        let moves = progress.moves.load(Ordering::Relaxed);
        let finished = progress.finished.load(Ordering::Relaxed);
        if moves != self.moves {
            (self.moves, self.moved) = (moves, Stopwatch::start());
        }
        if finished != self.finished {
            self.finished = finished;
            (self.began, self.moved) = (Stopwatch::start(), Stopwatch::start());
        }
        let is_owned = progress.owned.load(Ordering::Relaxed) > 0;
        progress.waiting.load(Ordering::Relaxed) > 0
            && (self.moved.elapsed() >= stalled || is_owned && self.began.elapsed() >= whole)
    }
}
