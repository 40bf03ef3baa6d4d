//! Blind indexes: keyed digests to look things up by, in rows that must not tell what they are about.
//!
//! Rule: whoever has the rows but not the master secret cannot try out what they stand for, as one
//! could with a digest without a key: names and addresses are few enough to go through.

use aws_lc_rs::hmac;

use super::error::CryptoError;
use super::secret::MasterSecrets;
use crate::redacted::redacted_debug;

/// The key of blind indexes. It is derived of the current master secret: with a new one all that was
/// found by the old is forgotten.
pub struct BlindIndexKey(hmac::Key);

impl BlindIndexKey {
    /// Derives the key.
    ///
    /// # Errors
    /// [`CryptoError`] where the library fails.
    pub fn derive(secrets: &MasterSecrets) -> Result<Self, CryptoError> {
        let current = secrets.iter().next().ok_or(CryptoError("there is no master secret"))?;
        let key = current.derive("blind index v1")?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice())))
    }

    /// The index of these parts: half of HMAC-SHA-256. Each part goes in behind its length, so that
    /// `["ab", "c"]` and `["a", "bc"]` are two.
    #[must_use]
    pub fn of(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut index = [0; 16];
        index.copy_from_slice(&context.sign().as_ref()[..16]);
        index
    }
}

redacted_debug!(BlindIndexKey);

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> BlindIndexKey {
        BlindIndexKey::derive(&MasterSecrets::parse(secret).unwrap()).unwrap()
    }

    #[test]
    fn an_index_depends_on_the_secret_and_on_where_the_parts_end() {
        let (one, other) =
            (key("0123456789abcdefghijklmnopqrstuv"), key("1123456789abcdefghijklmnopqrstuv"));
        assert_eq!(one.of(&[b"ab", b"c"]), one.of(&[b"ab", b"c"]));
        assert_ne!(one.of(&[b"ab", b"c"]), one.of(&[b"a", b"bc"]));
        assert_ne!(one.of(&[b"ab", b"c"]), other.of(&[b"ab", b"c"]));
        assert!(!format!("{one:?}").contains("012"));
    }
}
