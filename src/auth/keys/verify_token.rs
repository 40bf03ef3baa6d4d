//! Verification of access tokens, those of unknown keys included.
//!
//! A token of an unknown key (`kid`) is not refused before the keys are read again: after an emergency
//! another process may have signed it a moment ago. Anybody can make up the name of a key, so the database
//! is read ten times a second at most, for all that wait together; a name that no key of this service can
//! have, and that of a removed key, are refused without a read.

use std::sync::atomic::Ordering;

use tokio::time::{MissedTickBehavior, interval};

use super::state::Keys;
use super::unknown_key_limit::READ_INTERVAL;
use crate::crypto::TokenError;
use crate::crypto::access_token::{self, AccessToken, Issuer};
use crate::revocation::Stale;

impl Keys {
    /// Verifies an access token, which may have expired.
    ///
    /// # Errors
    /// [`Stale`] where the key that it names cannot be looked up, or is there and cannot be opened.
    pub(in crate::auth) async fn verify(
        &self,
        issuer: &Issuer,
        token: &str,
    ) -> Result<Result<AccessToken, TokenError>, Stale> {
        let first = self.verify_from_memory(issuer, token);
        if first != Err(TokenError::Invalid) {
            return Ok(first);
        }
        if let Some(kid) = access_token::claimed_key_of_unknown_algorithm(token) {
            // Not read again for it: anybody can make up an algorithm.
            self.may_learn(&kid)?;
            return Ok(first);
        }
        match access_token::claimed_key(token) {
            Some(kid) if self.may_learn(&kid)? => {
                self.look_up().await?;
                // It may be there now, and this process may not be able to open it.
                self.may_learn(&kid)?;
                Ok(self.verify_from_memory(issuer, token))
            }
            _ => Ok(first),
        }
    }

    fn verify_from_memory(&self, issuer: &Issuer, token: &str) -> Result<AccessToken, TokenError> {
        let now = self.clock.now();
        let held = self.held_at(now);
        held.verified.or_verify(token, now, issuer.leeway, || {
            access_token::verify_ignoring_expiry(&held.ring, issuer, token, now)
        })
    }

    /// Whether the database may have a key of this name that this process does not hold.
    fn may_learn(&self, kid: &str) -> Result<bool, Stale> {
        match self.held().find(kid) {
            None => Ok(true),
            Some(held) if held.is_missing(self.clock.now()) => Err(Stale),
            Some(_) => Ok(false),
        }
    }

    /// Reads the keys, unless a read began since this was called.
    async fn look_up(&self) -> Result<(), Stale> {
        let seen = self.look_ups.begun.load(Ordering::SeqCst);
        let mut pace = self.look_ups.pace.lock().await;
        if self.look_ups.begun.load(Ordering::SeqCst) == seen {
            let interval = pace.interval.get_or_insert_with(|| {
                let mut interval = interval(READ_INTERVAL);
                interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
                interval
            });
            interval.tick().await;
            self.look_ups.begun.fetch_add(1, Ordering::SeqCst);
            let read = self.read().await;
            if let (Err(error), false) = (&read, pace.has_failed) {
                let error: &dyn std::error::Error = error;
                tracing::error!(error, "reading the signing keys to find an unknown key failed");
            }
            pace.has_failed = read.is_err();
        }
        if pace.has_failed { Err(Stale) } else { Ok(()) }
    }
}
