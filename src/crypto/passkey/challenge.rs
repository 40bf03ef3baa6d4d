//! Challenge of a ceremony: random bytes that the authenticator signs.

use crate::entropy::{Entropy, random};
use crate::redacted::redacted_debug;

/// 32 random bytes. The caller keeps them between the two requests of a ceremony.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PasskeyChallenge([u8; 32]);

redacted_debug!(PasskeyChallenge);

impl PasskeyChallenge {
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(random(entropy))
    }

    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}
