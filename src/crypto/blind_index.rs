//! Blind indexes: keyed digests that rows are looked up by without storing the looked-up value.
//!
//! Somebody who has the rows but not the master secret cannot recover the values. With a digest without
//! a key they could, by trying all names or addresses.

use aws_lc_rs::hmac;

use super::error::CryptoError;
use super::secret::MasterSecrets;
use crate::redacted::redacted_debug;

/// Key of blind indexes, derived from the current master secret. Rows made under an earlier secret are no
/// longer found.
pub struct BlindIndexKey(hmac::Key);

impl BlindIndexKey {
    pub fn derive(secrets: &MasterSecrets) -> Result<Self, CryptoError> {
        let current = secrets.iter().next().ok_or(CryptoError("no master secret"))?;
        let key = current.derive("blind index v1")?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice())))
    }

    /// First half of the HMAC-SHA-256 of these parts. Each part is preceded by its length, so that
    /// `["ab", "c"]` and `["a", "bc"]` differ.
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
