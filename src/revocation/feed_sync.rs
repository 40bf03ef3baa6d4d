//! Reader of the database's feed: keeps the ended sessions, the signing keys and the clock up to date.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::revocations::Revocations;
use crate::store::{Error, FeedReader, KeyMark, Store};

/// Receiver of changes of the signing keys. Keys are read together with ends, so that a removed key is
/// refused within the same time as an ended session.
pub trait KeyListener: Send + Sync {
    /// Loads these keys if they are not loaded yet.
    fn keys_changed(&self, marks: Vec<KeyMark>) -> BoxFuture<'_, Result<(), Error>>;
}

/// Largest step back of the clock, between the end of a session and the first read, at which the end is
/// still found.
const MAX_CLOCK_STEP_BACK: Duration = Duration::from_hours(2);

pub struct RevocationSync {
    reader: FeedReader,
    revocations: Arc<Revocations>,
    keys: Option<Arc<dyn KeyListener>>,
    /// Whether the ends in the sessions' rows have been read, once after the start.
    is_complete: bool,
}

impl RevocationSync {
    #[must_use]
    pub fn new(store: &Store, revocations: Arc<Revocations>) -> Self {
        Self { reader: store.feed_reader(), revocations, keys: None, is_complete: false }
    }

    /// Also passes on the signing keys.
    #[must_use]
    pub fn with_key_listener(self, keys: Arc<dyn KeyListener>) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// Reads all new entries; the first time, all entries. If it keeps failing, the set becomes stale.
    pub async fn read(&mut self) -> Result<(), Error> {
        let clock = &self.revocations.clock;
        // The age counts from before the query: an end that commits later is not in its result.
        let (started, started_wall) = (clock.monotonic(), clock.machine());
        self.revocations.add_floors(&self.reader.floors().await?);
        let add = |ended: &[_], is_repeated| self.revocations.add_read(ended, is_repeated);
        let reading = self.reader.read(add).await?;
        let answered = clock.monotonic();
        if !self.is_complete {
            let now = clock.now();
            let since = now - self.revocations.token_lifetime - MAX_CLOCK_STEP_BACK;
            self.reader.backfill(since, now, |ended| self.revocations.add(ended)).await?;
            self.is_complete = true;
        }
        if let Some(keys) = &self.keys {
            keys.keys_changed(reading.keys).await?;
        }
        self.revocations.read_completely(started);
        if let Some(database) = reading.now {
            clock.follow(database, started_wall, answered.saturating_sub(started));
        }
        Ok(())
    }

    /// Reads whenever there may be new entries, until the task is dropped. Logs the beginning and the end
    /// of a series of failures, not each failure.
    pub async fn run(mut self) {
        let mut failing = false;
        loop {
            self.reader.wait().await;
            match (self.read().await, failing) {
                (Err(error), false) => {
                    failing = true;
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "reading the feed of ended sessions failed; retrying");
                }
                (Ok(()), true) => {
                    failing = false;
                    tracing::info!("reading the feed of ended sessions succeeded again");
                }
                (Ok(()), false) | (Err(_), true) => {}
            }
        }
    }
}
