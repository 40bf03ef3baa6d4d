//! Imitated duration of an attempt that is refused without its hash.
//!
//! Some limits do not apply from an address where the account was logged in before. An attempt that they
//! refuse elsewhere has to take as long as a wrong password takes there, or its duration would tell where
//! an account was logged in. The duration is slept, not computed.

use std::collections::VecDeque;
use std::time::Duration;

use crate::auth::client_disconnect::disconnected;
use crate::bounded_cache::BoundedCache;
use crate::crypto::password::PasswordHash;

/// Most kinds of hashes (parameters, not passwords) with durations.
const MAX_KINDS: usize = 16;

/// Latest durations of each kind.
const SAMPLES: usize = 16;

/// Latest durations of wrong passwords, by the kind of hash.
pub(super) struct RefusalDelay(BoundedCache<PasswordHash, VecDeque<Duration>>);

impl Default for RefusalDelay {
    fn default() -> Self {
        Self(BoundedCache::new(MAX_KINDS))
    }
}

impl RefusalDelay {
    /// Adds the duration of a wrong password.
    pub(super) fn add(&self, hash: &PasswordHash, took: Duration) {
        self.0.update(hash.dummy(), |samples| {
            samples.truncate(SAMPLES - 1);
            samples.push_front(took);
        });
    }

    /// Sleeps as long as one of the latest wrong passwords took, chosen by a random number. `false` where no
    /// duration is known yet.
    pub(super) async fn sleep(&self, hash: &PasswordHash, drawn: u8) -> bool {
        let Some(took) = self.draw(hash, drawn) else { return false };
        tokio::select! {
            // tokio's timer is up to a millisecond late.
            () = tokio::time::sleep(took.saturating_sub(Duration::from_millis(1))) => {}
            () = disconnected() => {}
        }
        true
    }

    fn draw(&self, hash: &PasswordHash, drawn: u8) -> Option<Duration> {
        let samples = self.0.get(&hash.dummy())?;
        samples.get(usize::from(drawn) % samples.len().max(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::password::Hashing;

    #[test]
    fn each_kind_of_hash_has_the_durations_of_its_latest_attempts() {
        let hash = |memory| Hashing::new(memory, 1, 1).unwrap().dummy().clone();
        let (delay, second) = (RefusalDelay::default(), Duration::from_secs(1));
        assert_eq!(delay.draw(&hash(8), 7), None);
        for n in 0..100 {
            delay.add(&hash(8), second * n);
        }
        let drawn: Vec<_> = (0..=255).filter_map(|drawn| delay.draw(&hash(8), drawn)).collect();
        assert!(drawn.iter().all(|took| *took >= second * 84), "{drawn:?}");
        assert!(drawn.contains(&(second * 84)) && drawn.contains(&(second * 99)));
        assert_eq!(delay.draw(&hash(16), 7), None);
    }
}
