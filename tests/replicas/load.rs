//! Many browsers at once, who refresh, ask, log out, and log in again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::browser::{Browser, Retries};
use crate::history::{Answer, History};
use crate::replica::Replica;

/// Numbers that look random and come again with the same seed (`SplitMix64`).
pub struct Dice(pub u64);

impl Dice {
    /// A number below `limit`.
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

/// Browsers at work.
pub struct Load {
    stopping: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Option<Browser>>>,
}

/// How many browsers share the load.
const BROWSERS: usize = 24;

/// What everybody does in a second, together: two of three are refreshes.
const STEPS_A_SECOND: usize = 75;

/// After a logout so many steps try whether the tokens still work.
const GHOSTLY: usize = 6;

impl Load {
    /// Fifty refreshes a second, and what goes with them. `retries` is how the browsers of odd
    /// numbers retry; the others do it by attempt.
    pub fn start(replicas: &[Arc<Replica>], history: &Arc<History>, retries: Retries) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let tasks = (0..BROWSERS).map(|number| {
            let retries = if number % 2 == 1 { retries } else { Retries::ByAttempt };
            let visitor = Visitor {
                replicas: replicas.to_vec(),
                history: Arc::clone(history),
                retries,
                dice: Dice(number as u64),
                stopping: Arc::clone(&stopping),
            };
            tokio::spawn(visitor.run())
        });
        Self { tasks: tasks.collect(), stopping }
    }

    /// Ends it; who is still logged in.
    pub async fn stop(self) -> Vec<Browser> {
        self.stopping.store(true, Ordering::SeqCst);
        let mut browsers = Vec::new();
        for task in self.tasks {
            browsers.extend(task.await.unwrap());
        }
        browsers
    }
}

struct Visitor {
    replicas: Vec<Arc<Replica>>,
    history: Arc<History>,
    retries: Retries,
    dice: Dice,
    stopping: Arc<AtomicBool>,
}

impl Visitor {
    /// One session after the other, until it is told to stop. The last browser, unless it left.
    async fn run(mut self) -> Option<Browser> {
        loop {
            let mut browser = self.log_in().await?;
            let mut is_leaving = false;
            let mut ghost = 0;
            while ghost < GHOSTLY {
                if !self.pause().await {
                    return (!is_leaving).then_some(browser);
                }
                let replica = Arc::clone(self.dice.pick(&self.replicas));
                match self.dice.below(100) {
                    0..66 => drop(browser.refresh(&replica).await),
                    66..96 => drop(browser.ask(&replica).await),
                    _ => is_leaving = true,
                }
                if is_leaving && ghost == 0 {
                    // Once it wants to leave it does not give up before it is told that it has.
                    let left = browser.log_out(&replica).await;
                    ghost = usize::from(left == Answer::Done(()));
                } else if ghost > 0 {
                    ghost += 1;
                }
            }
        }
    }

    async fn log_in(&mut self) -> Option<Browser> {
        while self.pause().await {
            let replica = Arc::clone(self.dice.pick(&self.replicas));
            let browser = Browser::log_in(&replica, &self.history, self.retries).await;
            if browser.is_some() {
                return browser;
            }
        }
        None
    }

    /// Waits for its next step; `false` where there is to be none.
    async fn pause(&mut self) -> bool {
        let mean = 1_000_000 * BROWSERS / STEPS_A_SECOND;
        sleep(Duration::from_micros(self.dice.below(2 * mean) as u64)).await;
        !self.stopping.load(Ordering::SeqCst)
    }
}
