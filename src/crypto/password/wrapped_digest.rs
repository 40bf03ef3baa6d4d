//! Argon2id over a fast digest: `sha1$SALT` and the PHC string of a hash over `sha1$SALT$DIGITS`.
//!
//! The digest itself is not stored, so a copy of the database has no hash that is fast to guess.

use zeroize::Zeroizing;

use super::fast_digest::{Algorithm, FastDigest};
use super::phc_text::PhcText;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct WrappedDigest {
    digest: FastDigest,
    argon2: PhcText,
    text: String,
}

impl WrappedDigest {
    pub(super) fn new(digest: FastDigest, argon2: PhcText) -> Self {
        let text = digest.head() + argon2.as_str();
        Self { digest, argon2, text }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (algorithm, rest) = text.split_once('$')?;
        let (salt, argon2) = rest.split_at(rest.find('$')?);
        let digest = FastDigest::new(Algorithm::parse(algorithm)?, salt).ok()?;
        Some(Self::new(digest, PhcText::parse(argon2)?))
    }

    /// The text that Argon2id is over, for this password.
    pub(super) fn inner(&self, password: &[u8]) -> Zeroizing<String> {
        self.digest.hash_text(password)
    }

    pub(super) fn argon2(&self) -> &PhcText {
        &self.argon2
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// A digest takes no time beside Argon2, so all are one kind.
    pub(super) fn dummy(&self) -> Self {
        Self::new(FastDigest::unsalted(Algorithm::Md5), self.argon2.dummy())
    }
}
