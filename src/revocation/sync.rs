//! What keeps the set of ended sessions fresh, and the signing keys with it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::revocations::Revocations;
use crate::store::{Error, FeedReader, KeyMark, Store};

/// Whoever acts on the signing keys. It learns of a change as it learns of ends: a view that is fresh
/// is fresh in both, so a key that was removed is refused within the same bound.
pub trait KeyListener: Send + Sync {
    /// Does what these keys ask for, if that is not done yet.
    fn keys_changed(&self, marks: Vec<KeyMark>) -> BoxFuture<'_, Result<(), Error>>;
}

/// How far a clock may have gone back since a session ended.
const SET_BACK: Duration = Duration::from_hours(2);

/// A reader of the database's feed, by which this process's clock is set, too.
pub struct RevocationSync {
    reader: FeedReader,
    revocations: Arc<Revocations>,
    keys: Option<Arc<dyn KeyListener>>,
    /// Whether the sessions' own rows were read.
    is_complete: bool,
}

impl RevocationSync {
    /// A reader that has read nothing.
    #[must_use]
    pub fn new(store: &Store, revocations: Arc<Revocations>) -> Self {
        Self { reader: store.feed_reader(), revocations, keys: None, is_complete: false }
    }

    /// The same, which also tells of the signing keys.
    #[must_use]
    pub fn with_key_listener(self, keys: Arc<dyn KeyListener>) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// Reads what is new; all there is, the first time.
    ///
    /// # Errors
    /// [`Error`] where the database fails; the set then grows stale.
    pub async fn read(&mut self) -> Result<(), Error> {
        let clock = &self.revocations.clock;
        // The age counts from before the question: an end that commits after it is not in the answer.
        let (began, asked) = (clock.monotonic(), clock.machine());
        self.revocations.add_floors(&self.reader.floors().await?);
        let add = |ended: &[_], is_repeated| self.revocations.add_read(ended, is_repeated);
        let reading = self.reader.read(add).await?;
        let answered = clock.monotonic();
        if !self.is_complete {
            let now = clock.now();
            let since = now - self.revocations.token_lifetime - SET_BACK;
            self.reader.backfill(since, now, |ended| self.revocations.add(ended)).await?;
            self.is_complete = true;
        }
        if let Some(keys) = &self.keys {
            keys.keys_changed(reading.keys).await?;
        }
        self.revocations.read_completely(began);
        if let Some(database) = reading.now {
            clock.follow(database, asked, answered.saturating_sub(began));
        }
        Ok(())
    }

    /// Reads whenever there may be something new, until the task is dropped. A failure is logged when
    /// it begins and when it is over, not every second.
    pub async fn run(mut self) {
        let mut failing = false;
        loop {
            self.reader.wait().await;
            match (self.read().await, failing) {
                (Err(error), false) => {
                    failing = true;
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "the feed of ended sessions cannot be read");
                }
                (Ok(()), true) => {
                    failing = false;
                    tracing::info!("the feed of ended sessions is read again");
                }
                (Ok(()), false) | (Err(_), true) => {}
            }
        }
    }
}
