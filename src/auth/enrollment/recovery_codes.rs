//! New recovery codes, which are told once.

use crate::crypto::recovery_code::{RecoveryCode, RecoveryCodeDigest};
use crate::entropy::Entropy;

/// New recovery codes of an account; none where it keeps those that it has.
#[derive(Debug, Default)]
pub struct RecoveryCodes(Vec<RecoveryCode>);

impl RecoveryCodes {
    pub(super) fn generate(entropy: &dyn Entropy) -> Self {
        Self(RecoveryCode::generate_all(entropy).into())
    }

    pub(super) fn digests(&self) -> Vec<RecoveryCodeDigest> {
        self.0.iter().map(RecoveryCode::digest).collect()
    }

    /// The codes as people read them; `None` where there are none.
    #[must_use]
    pub fn texts(&self) -> Option<Vec<String>> {
        (!self.0.is_empty()).then(|| self.0.iter().map(RecoveryCode::to_text).collect())
    }
}
