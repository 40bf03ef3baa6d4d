//! Replicas over one database, their clients, and the check of the history at the end.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

use crate::browser::{Browser, Retries};
use crate::history::{Answer, History};
use crate::invariants::{Promises, scheduling, violations};
use crate::replica::{Replica, Spec};
use crate::{http, report, times};

/// Scenarios mostly wait. In the long run they measure time, so only one runs at once.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(times(3, 1)));

/// Time after the end of a fault within which everything works again.
const MAX_RECOVERY: Duration = Duration::from_secs(5);

pub struct Cluster {
    pub replicas: Vec<Arc<Replica>>,
    pub history: Arc<History>,
    /// A client per replica that is idle during the fault.
    probes: Vec<Browser>,
    _turn: SemaphorePermit<'static>,
}

impl Cluster {
    /// Waits for other scenarios, and then starts a replica per specification.
    pub async fn start<F: Future<Output = Vec<Spec>>>(
        name: &str,
        specs: impl FnOnce() -> F,
    ) -> Self {
        let turn = TURNS.acquire().await.expect("never closed");
        let history = History::new();
        let (mut replicas, mut probes) = (Vec::new(), Vec::new());
        for (number, spec) in specs().await.into_iter().enumerate() {
            replicas.push(Replica::start(name, number, spec).await);
        }
        for replica in &replicas {
            probes.extend(Browser::log_in(replica, &history, Retries::ByAttempt).await);
        }
        assert_eq!(probes.len(), replicas.len(), "everybody can log in at first");
        Self { replicas, history, probes, _turn: turn }
    }

    /// Waits until every replica is ready, refreshes and answers; how long that took.
    pub async fn recover(&mut self) -> Duration {
        let began = Instant::now();
        for (probe, replica) in self.probes.iter_mut().zip(&self.replicas) {
            while probe.refresh(replica).await != Answer::Done(())
                || probe.ask(replica).await != Answer::Done(())
                || http::readiness(replica.address()).await.is_none_or(|(status, _)| status != 200)
            {
                assert!(began.elapsed() < MAX_RECOVERY + scheduling(), "no recovery");
                sleep(Duration::from_millis(20)).await;
            }
        }
        began.elapsed()
    }

    /// Lets everybody who is still logged in refresh and ask everywhere, then judges.
    pub async fn judge(&self, title: &str, browsers: Vec<Browser>, mut seen: Vec<String>) {
        let mut unanswered = 0;
        for mut browser in browsers {
            for replica in &self.replicas {
                let mut tries = 0;
                while browser.refresh(replica).await != Answer::Done(())
                    || browser.ask(replica).await != Answer::Done(())
                {
                    tries += 1;
                    // A machine that is busy with something else may be late.
                    if tries == 3 {
                        unanswered += 1;
                        break;
                    }
                }
            }
        }
        let events = self.history.events();
        let found = violations(&events, &Promises::default());
        seen.push(report::summary(&events));
        seen.push(format!("- broken promises: {}", found.len()));
        report::write(title, &seen);
        assert!(found.is_empty(), "{}", found[..found.len().min(10)].join("\n"));
        assert_eq!(unanswered, 0, "of those who were logged in somebody was not answered at last");
    }
}
