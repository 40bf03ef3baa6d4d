//! Text that is to become an account's password.

use zeroize::Zeroizing;

use crate::crypto::CryptoError;
use crate::crypto::password::{Hashing, PasswordHash};
use crate::domain::password::{Password, WeakPassword};
use crate::domain::user::Names;
use crate::entropy::Entropy;

/// A password that has yet to be estimated, for the account with these names.
pub(super) struct NewPassword {
    text: Zeroizing<String>,
    min_length: usize,
    names: Names,
}

impl NewPassword {
    pub(super) fn new(text: &str, min_length: usize, names: &Names) -> Self {
        Self { text: Zeroizing::new(text.to_owned()), min_length, names: names.clone() }
    }

    /// Estimates and hashes it: both take too long for a thread that answers requests.
    pub(super) fn hash(
        &self,
        hashing: &Hashing,
        entropy: &dyn Entropy,
    ) -> Result<Result<PasswordHash, WeakPassword>, CryptoError> {
        match Password::parse(&self.text, self.min_length, &self.names) {
            Ok(password) => hashing.hash(&password, entropy).map(Ok),
            Err(weak) => Ok(Err(weak)),
        }
    }
}
