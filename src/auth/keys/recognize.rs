//! Access tokens, those of keys that were made a moment ago too.
//!
//! Rule: a token of an unknown key is not refused before the keys were read once more. After an
//! emergency another process may have signed it a moment ago. Anybody can make up names of keys, so
//! the database is asked for them ten times a second at most, for all that wait together; a name that
//! no key of ours can have, and one whose key is gone, are refused without asking.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::Keys;
use crate::auth::Auth;
use crate::crypto::TokenError;
use crate::crypto::access_token::{self, AccessToken};
use crate::revocation::Stale;

/// How far apart two readings for unknown keys are.
const PACE: Duration = Duration::from_millis(100);

/// The readings that unknown keys gave rise to.
#[derive(Default)]
pub(super) struct LookUps {
    begun: AtomicU64,
    pace: Mutex<Pace>,
}

#[derive(Default)]
struct Pace {
    /// Made by the first reading: there is no timer before there is a runtime.
    interval: Option<Interval>,
    has_failed: bool,
}

impl Auth {
    /// Reads an access token that is right in every respect but may have run out.
    ///
    /// # Errors
    /// [`Stale`] where it cannot be told what the key that it names has signed.
    pub(in crate::auth) async fn recognize(
        &self,
        token: &str,
    ) -> Result<Result<AccessToken, TokenError>, Stale> {
        let first = self.verify_access(token);
        if first != Err(TokenError::Invalid) {
            return Ok(first);
        }
        match access_token::claimed_key(token) {
            Some(kid) if self.keys.may_learn(&kid)? => {
                self.keys.look_up().await?;
                // It may be there now, and this process may not be able to open it.
                self.keys.may_learn(&kid)?;
                Ok(self.verify_access(token))
            }
            _ => Ok(first),
        }
    }

    fn verify_access(&self, token: &str) -> Result<AccessToken, TokenError> {
        let now = self.now();
        let held = self.keys.held_at(now);
        held.verified.or_verify(token, now, self.issuer.leeway, || {
            access_token::verify_ignoring_expiry(&held.ring, &self.issuer, token, now)
        })
    }
}

impl Keys {
    /// Whether a key of this name could be found in the database and is not held.
    fn may_learn(&self, kid: &str) -> Result<bool, Stale> {
        match self.held().find(kid) {
            None => Ok(true),
            Some(held) if held.is_missing(self.clock.now()) => Err(Stale),
            Some(_) => Ok(false),
        }
    }

    /// Reads the keys, unless a reading began since this was asked for.
    async fn look_up(&self) -> Result<(), Stale> {
        let seen = self.look_ups.begun.load(Ordering::SeqCst);
        let mut pace = self.look_ups.pace.lock().await;
        if self.look_ups.begun.load(Ordering::SeqCst) == seen {
            let interval = pace.interval.get_or_insert_with(|| {
                let mut interval = interval(PACE);
                interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
                interval
            });
            interval.tick().await;
            self.look_ups.begun.fetch_add(1, Ordering::SeqCst);
            let read = self.read().await;
            if let (Err(error), false) = (&read, pace.has_failed) {
                let error: &dyn std::error::Error = error;
                tracing::error!(error, "the signing keys cannot be read for an unknown key");
            }
            pace.has_failed = read.is_err();
        }
        if pace.has_failed { Err(Stale) } else { Ok(()) }
    }
}
