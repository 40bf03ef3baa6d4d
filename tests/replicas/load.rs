//! Load: many browsers that refresh, query, log out and log in again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::browser::{Browser, Retries};
use crate::history::{Answer, History};
use crate::replica::Replica;

/// Pseudo-random numbers, reproducible by the seed (`SplitMix64`).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % limit as u64).expect("a number below a usize")
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

pub struct Load {
    stopping: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Option<Browser>>>,
}

const BROWSERS: usize = 24;

/// Of all browsers together; two of three are refreshes.
const STEPS_PER_SECOND: usize = 75;

/// Steps after a logout that try whether the tokens still work.
const STEPS_AFTER_LOGOUT: usize = 6;

impl Load {
    /// Fifty refreshes per second, and 25 other requests. `retries` is for the browsers of odd numbers; the
    /// others repeat by attempt ID.
    pub fn start(replicas: &[Arc<Replica>], history: &Arc<History>, retries: Retries) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let tasks = (0..BROWSERS).map(|number| {
            let retries = if number % 2 == 1 { retries } else { Retries::ByAttempt };
            let task = BrowserTask {
                replicas: replicas.to_vec(),
                history: Arc::clone(history),
                retries,
                random: Random(number as u64),
                stopping: Arc::clone(&stopping),
            };
            tokio::spawn(task.run())
        });
        Self { tasks: tasks.collect(), stopping }
    }

    /// Returns the browsers that are still logged in.
    pub async fn stop(self) -> Vec<Browser> {
        self.stopping.store(true, Ordering::SeqCst);
        let mut browsers = Vec::new();
        for task in self.tasks {
            browsers.extend(task.await.unwrap());
        }
        browsers
    }
}

struct BrowserTask {
    replicas: Vec<Arc<Replica>>,
    history: Arc<History>,
    retries: Retries,
    random: Random,
    stopping: Arc<AtomicBool>,
}

impl BrowserTask {
    /// Opens session after session until it is stopped. Returns the last browser, unless it logged out.
    async fn run(mut self) -> Option<Browser> {
        loop {
            let mut browser = self.log_in().await?;
            let mut is_logging_out = false;
            let mut steps_after_logout = 0;
            while steps_after_logout < STEPS_AFTER_LOGOUT {
                if !self.pause().await {
                    return (!is_logging_out).then_some(browser);
                }
                let replica = Arc::clone(self.random.pick(&self.replicas));
                match self.random.below(100) {
                    0..66 => drop(browser.refresh(&replica).await),
                    66..96 => drop(browser.ask(&replica).await),
                    _ => is_logging_out = true,
                }
                if is_logging_out && steps_after_logout == 0 {
                    // It repeats the logout until it is acknowledged.
                    let answer = browser.log_out(&replica).await;
                    steps_after_logout = usize::from(answer == Answer::Done(()));
                } else if steps_after_logout > 0 {
                    steps_after_logout += 1;
                }
            }
        }
    }

    async fn log_in(&mut self) -> Option<Browser> {
        while self.pause().await {
            let replica = Arc::clone(self.random.pick(&self.replicas));
            let browser = Browser::log_in(&replica, &self.history, self.retries).await;
            if browser.is_some() {
                return browser;
            }
        }
        None
    }

    /// Waits for the next step; `false` if the load is stopped.
    async fn pause(&mut self) -> bool {
        let mean = 1_000_000 * BROWSERS / STEPS_PER_SECOND;
        sleep(Duration::from_micros(self.random.below(2 * mean) as u64)).await;
        !self.stopping.load(Ordering::SeqCst)
    }
}
