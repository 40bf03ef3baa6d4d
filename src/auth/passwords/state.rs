//! [`Passwords`]: the state that all its use cases share.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::attempt_limits::AttemptLimits;
use super::hashing_queue::{HashingLoad, HashingQueue};
use super::new_password::NewPassword;
use super::refusal_delay::RefusalDelay;
use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::policy::Policy;
use crate::auth::user_error::UserError;
use crate::clock::Clock;
use crate::crypto::blind_index::BlindIndexKey;
use crate::crypto::password::{Hashing, PasswordHash};
use crate::domain::throttle::Bucket;
use crate::domain::user::{Email, Names};
use crate::entropy::Entropy;
use crate::store::Store;

/// Passwords of accounts.
pub struct Passwords {
    pub(super) store: Arc<Store>,
    pub(super) hashing: HashingQueue,
    pub(super) limits: AttemptLimits,
    pub(super) delay: RefusalDelay,
    pub(super) min_length: usize,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl Passwords {
    pub(in crate::auth) fn new(
        store: Arc<Store>,
        hashing: Hashing,
        key: BlindIndexKey,
        policy: &Policy,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            store,
            hashing: HashingQueue::new(hashing, Arc::clone(&entropy)),
            limits: AttemptLimits::new(key, policy.throttle),
            delay: RefusalDelay::default(),
            min_length: policy.password_min_length,
            clock,
            entropy,
        }
    }

    /// Estimates and hashes a password that an administrator sets for the account with these names.
    ///
    /// # Errors
    /// `WEAK_PASSWORD`, `OVERLOADED`.
    pub(in crate::auth) async fn hash_new(
        &self,
        password: &str,
        names: &Names,
    ) -> Result<PasswordHash, Error> {
        let new = NewPassword::new(password, self.min_length, names);
        let hash = self.hashing.hash_new(self.hashing.permit(None).await?, new).await?;
        Ok(hash.map_err(|error| UserError::weak(Field::NewPassword, &error))?)
    }

    /// Digests by which the counters of failed attempts on the account with these names are found.
    pub(in crate::auth) fn counters_of(&self, names: &Names) -> Vec<Bucket> {
        let email = names.email().map(Email::key);
        let names = std::iter::once(names.username().key()).chain(email);
        names.map(|name| self.limits.account(name)).collect()
    }

    /// How busy hashing is: a flood of logins shows here first.
    #[must_use]
    pub fn hashing_load(&self) -> HashingLoad {
        self.hashing.load()
    }

    /// Looks up which parameters the accounts' hashes have, so that a name that nobody has takes as long
    /// as an account. After a failure the counts from before stay.
    pub async fn survey_hashes(&self) -> Result<(), Error> {
        let sample = self.store.sample_password_hashes().await?;
        let kinds = spawn_blocking(move || sample.kinds()).await;
        self.hashing.dummies().set(&kinds.map_err(|error| Error::Internal(error.into()))?);
        Ok(())
    }
}
