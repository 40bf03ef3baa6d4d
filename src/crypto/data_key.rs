//! The data key: a random key that seals what accounts have by the million, such as secrets of authenticator
//! apps.
//!
//! It is stored sealed by the master secret. So a change of the master secret seals one row again, and not one
//! for each account.

use zeroize::Zeroizing;

use super::error::CryptoError;
use super::sealing_key::SealingKey;
use super::secret::MasterSecrets;
use crate::entropy::{Entropy, random};
use crate::redacted::redacted_debug;

/// Binds the stored key to its table.
const CONTEXT: &str = "data key v1";

pub struct DataKey(SealingKey);

redacted_debug!(DataKey);

/// A stored data key.
pub struct OpenedDataKey {
    pub key: DataKey,
    /// The same key sealed by the current master secret, where an older one has sealed it.
    pub renewed: Option<Vec<u8>>,
}

impl DataKey {
    /// A new key, sealed.
    pub fn generate(
        secrets: &MasterSecrets,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        let bytes = Zeroizing::new(random::<32>(entropy));
        secrets.seal(CONTEXT, bytes.as_slice(), entropy)
    }

    /// `None` if no master secret opens it.
    pub fn open(
        secrets: &MasterSecrets,
        sealed: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Option<OpenedDataKey>, CryptoError> {
        let Some(opened) = secrets.open(CONTEXT, sealed) else { return Ok(None) };
        let Ok(bytes) = <&[u8; 32]>::try_from(opened.plain.as_slice()) else { return Ok(None) };
        let renewed = (!opened.by_current)
            .then(|| secrets.seal(CONTEXT, opened.plain.as_slice(), entropy))
            .transpose()?;
        Ok(Some(OpenedDataKey { key: Self(SealingKey::new(bytes)?), renewed }))
    }

    /// Seals the content of a row, which `context` identifies.
    pub fn seal(
        &self,
        context: &str,
        plain: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        self.0.seal(context, plain, entropy)
    }

    /// `None` if it was sealed for another row or by another key, or was changed.
    #[must_use]
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.0.open(context, sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    const OLD: &str = "0123456789abcdefghijklmnopqrstuv";
    const NEW: &str = "ZYXWVUTSRQPONMLKJIHGFEDCBA987654";

    #[test]
    fn a_data_key_outlives_the_master_secret_that_sealed_it() {
        let entropy = SeededEntropy::new(1);
        let secrets = |text: &str| MasterSecrets::parse(text).unwrap();
        let stored = DataKey::generate(&secrets(OLD), &entropy).unwrap();
        let opened = DataKey::open(&secrets(OLD), &stored, &entropy).unwrap().unwrap();
        assert!(opened.renewed.is_none());
        let sealed = opened.key.seal("totp of ada", b"plain", &entropy).unwrap();
        assert!(opened.key.unseal("totp of bob", &sealed).is_none());

        let both = secrets(&format!("{NEW},{OLD}"));
        let renewed = DataKey::open(&both, &stored, &entropy).unwrap().unwrap().renewed.unwrap();
        let later = DataKey::open(&secrets(NEW), &renewed, &entropy).unwrap().unwrap();
        assert_eq!(*later.key.unseal("totp of ada", &sealed).unwrap(), b"plain");
        assert!(DataKey::open(&secrets(NEW), &stored, &entropy).unwrap().is_none());
    }
}
