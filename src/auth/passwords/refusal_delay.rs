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
use crate::domain::typed_password::TypedPassword;

/// Most kinds of hashes (parameters, not passwords) with durations: twice those of dummies.
const MAX_KINDS: usize = 64;

/// Latest durations of each kind.
const SAMPLES: usize = 16;

/// Latest durations of wrong passwords, by the kind of hash, and by how often the password is hashed: once for
/// each form that it may have had in another system.
pub(super) struct RefusalDelay(BoundedCache<(PasswordHash, usize), VecDeque<Duration>>);

impl Default for RefusalDelay {
    fn default() -> Self {
        Self(BoundedCache::new(MAX_KINDS))
    }
}

impl RefusalDelay {
    /// Adds the duration of a wrong password.
    pub(super) fn add(&self, hash: &PasswordHash, password: &TypedPassword, took: Duration) {
        self.0.update(kind(hash, password), |samples| {
            samples.truncate(SAMPLES - 1);
            samples.push_front(took);
        });
    }

    /// Sleeps as long as one of the latest wrong passwords took, chosen by a random number. `false` where no
    /// duration is known yet.
    pub(super) async fn sleep(
        &self,
        hash: &PasswordHash,
        password: &TypedPassword,
        drawn: u8,
    ) -> bool {
        let Some(took) = self.draw(hash, password, drawn) else { return false };
        tokio::select! {
            // tokio's timer is up to a millisecond late.
            () = tokio::time::sleep(took.saturating_sub(Duration::from_millis(1))) => {}
            () = disconnected() => {}
        }
        true
    }

    fn draw(&self, hash: &PasswordHash, password: &TypedPassword, drawn: u8) -> Option<Duration> {
        let samples = self.0.get(&kind(hash, password))?;
        samples.get(usize::from(drawn) % samples.len().max(1)).copied()
    }
}

fn kind(hash: &PasswordHash, password: &TypedPassword) -> (PasswordHash, usize) {
    (hash.dummy(), hash.tries(password))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::password::Hashing;

    #[test]
    fn each_kind_of_hash_has_the_durations_of_its_latest_attempts() {
        let hash = |memory| Hashing::new(memory, 1, 1).unwrap().dummy().clone();
        let (delay, second) = (RefusalDelay::default(), Duration::from_secs(1));
        let password = TypedPassword::new("orbit");
        assert_eq!(delay.draw(&hash(8), &password, 7), None);
        for n in 0..100 {
            delay.add(&hash(8), &password, second * n);
        }
        let drawn: Vec<_> =
            (0..=255).filter_map(|drawn| delay.draw(&hash(8), &password, drawn)).collect();
        assert!(drawn.iter().all(|took| *took >= second * 84), "{drawn:?}");
        assert!(drawn.contains(&(second * 84)) && drawn.contains(&(second * 99)));
        assert_eq!(delay.draw(&hash(16), &password, 7), None);
    }
}
