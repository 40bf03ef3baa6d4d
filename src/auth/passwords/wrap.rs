//! Stored form of password hashes of another system.

use std::sync::Arc;
use std::thread::available_parallelism;

use super::Passwords;
use crate::auth::error::Error;
use crate::crypto::CryptoError;
use crate::crypto::password::{ForeignHash, PasswordHash};

impl Passwords {
    /// Makes the hashes that are stored, in the order of `hashes`. Fast ones are wrapped, which takes tens of
    /// milliseconds each, on all cores: for a command, in whose process nobody logs in.
    pub(in crate::auth) async fn wrap(
        &self,
        hashes: Vec<ForeignHash>,
    ) -> Result<Vec<PasswordHash>, Error> {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        let cores = if hashes.iter().any(ForeignHash::is_fast) { cores } else { 1 };
        let share = hashes.len().div_ceil(cores).max(1);
        let tasks: Vec<_> = hashes
            .chunks(share)
            .map(|some| {
                let (some, entropy) = (some.to_vec(), Arc::clone(&self.entropy));
                let hashing = Arc::clone(self.hashing.hashing());
                tokio::task::spawn_blocking(move || {
                    let wrapped = some.iter().map(|hash| hashing.wrap(hash, &*entropy));
                    wrapped.collect::<Result<Vec<_>, CryptoError>>()
                })
            })
            .collect();
        let mut wrapped = Vec::with_capacity(hashes.len());
        for task in tasks {
            wrapped.extend(task.await.map_err(|error| Error::Internal(error.into()))??);
        }
        Ok(wrapped)
    }
}
