//! Users of a replica that a fault of other replicas must not affect.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::browser::{Browser, Retries};
use crate::history::{Answer, Did, Event, History};
use crate::is_long;
use crate::replica::Replica;

/// Opens session after session: login, protected field, refresh, logout.
pub struct Bystanders {
    stopping: Arc<AtomicBool>,
    task: JoinHandle<Logins>,
}

#[derive(Default)]
pub struct Logins {
    done: usize,
    unanswered: usize,
}

impl Bystanders {
    pub fn start(username: &'static str, replica: &Arc<Replica>, history: &Arc<History>) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let (replica, history) = (Arc::clone(replica), Arc::clone(history));
        let should_stop = Arc::clone(&stopping);
        let task = tokio::spawn(async move {
            let mut logins = Logins::default();
            while !should_stop.load(Ordering::SeqCst) {
                match Browser::log_in_as(username, &replica, &history, Retries::ByAttempt).await {
                    None => logins.unanswered += 1,
                    Some(mut browser) => {
                        logins.done += 1;
                        browser.ask(&replica).await;
                        browser.refresh(&replica).await;
                        browser.log_out(&replica).await;
                    }
                }
                sleep(Duration::from_millis(100)).await;
            }
            logins
        });
        Self { stopping, task }
    }

    /// Returns the logins; everything else is in the history.
    pub async fn stop(self) -> Logins {
        self.stopping.store(true, Ordering::SeqCst);
        self.task.await.unwrap()
    }
}

/// Requests to a replica during a fault, and those without an answer. The checker judges refusals.
pub struct BystanderReport {
    requests: usize,
    longest: Duration,
    unanswered: Vec<Event>,
    logins: Logins,
}

impl BystanderReport {
    pub fn at(replica: &Replica, history: &History, since: Duration, logins: Logins) -> Self {
        let mut events = history.events();
        events.retain(|event| event.replica == replica.number && event.began >= since);
        let requests = events.len();
        let longest = events.iter().map(Event::took).max().unwrap_or_default();
        events.retain(|event| {
            let is_lost = matches!(
                event.did,
                Did::Refresh { answer: Answer::Lost, .. }
                    | Did::Ask { answer: Answer::Lost }
                    | Did::LogOut { answer: Answer::Lost }
            );
            is_lost || event.is_unavailable()
        });
        Self { requests, longest, unanswered: events, logins }
    }

    pub fn line(&self) -> String {
        let Self { requests, longest, unanswered, logins } = self;
        format!(
            "- meanwhile the replica that went on was asked {requests} times: {} were unavailable or \
             without an answer, the longest took {longest:.1?}; another user logged in there {} \
             times, and could not {} times",
            unanswered.len(),
            logins.done,
            logins.unanswered
        )
    }

    /// One in a hundred may be unanswered in a short run, on a machine that is busy with other tests.
    pub fn assert_answered(&self) {
        let count = self.unanswered.len() + self.logins.unanswered;
        let most = if is_long() { 0 } else { self.requests / 100 };
        assert!(count <= most, "{count} not answered meanwhile: {:?}", self.unanswered.first());
        assert!(self.logins.done > 0, "nobody logged in meanwhile");
    }
}
