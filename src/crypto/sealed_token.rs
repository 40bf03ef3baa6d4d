//! Tokens without a row: their content is sealed by the master secret and kept by the client.
//!
//! Every replica can open them. Whoever accepts one has to check its expiry, which is part of the content, and
//! to note that it was used.

use zeroize::Zeroizing;

use super::encoding::{base64url, from_base64url};
use super::error::CryptoError;
use super::secret::MasterSecrets;
use crate::entropy::Entropy;

/// Most characters of a token.
const MAX_LENGTH: usize = 1_000;

impl MasterSecrets {
    /// A token in base64url. It opens for this purpose only.
    pub fn seal_token(
        &self,
        purpose: &str,
        content: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<String, CryptoError> {
        Ok(base64url(self.seal(purpose, content, entropy)?))
    }

    /// The content of a token that a client sent; `None` if it was made for another purpose or by another
    /// secret, or was changed.
    #[must_use]
    pub fn open_token(&self, purpose: &str, token: &str) -> Option<Zeroizing<Vec<u8>>> {
        if token.len() > MAX_LENGTH {
            return None;
        }
        Some(self.open(purpose, &from_base64url(token)?)?.plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_token_opens_for_its_purpose_only() {
        let secrets = MasterSecrets::parse("0123456789abcdefghijklmnopqrstuv").unwrap();
        let token = secrets.seal_token("one", b"content", &SeededEntropy::new(1)).unwrap();
        assert_eq!(secrets.open_token("one", &token).unwrap().as_slice(), b"content");
        assert!(secrets.open_token("other", &token).is_none());
        for text in ["", "!", &token[1..], &token.repeat(100)] {
            assert!(secrets.open_token("one", text).is_none(), "{text}");
        }
    }
}
