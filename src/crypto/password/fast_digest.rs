//! MD5 and SHA-1 hashes of Django: fast, so they are not stored as they are.
//!
//! `sha1$SALT$DIGITS` and `md5$SALT$DIGITS` are digests of salt and password; `sha1$$DIGITS`, `md5$$DIGITS` and
//! 32 digits alone, which are MD5, of the password.

use aws_lc_rs::digest;
use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::foreign_error::ForeignHashError;
use super::text_fields::{hex, salt};
use crate::crypto::encoding::to_hex;

#[derive(Clone)]
pub(super) struct FastHash {
    pub(super) key: FastDigest,
    output: Vec<u8>,
}

/// Everything but the output.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct FastDigest {
    algorithm: Algorithm,
    /// Empty: without salt.
    salt: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Algorithm {
    Sha1,
    Md5,
}

impl FastHash {
    /// What follows `sha1$` or `md5$`.
    pub(super) fn parse(algorithm: Algorithm, text: &str) -> Result<Self, ForeignHashError> {
        let (salt, output) = text.split_once('$').ok_or(ForeignHashError::Malformed)?;
        let key = FastDigest::new(algorithm, salt)?;
        Ok(Self { key, ..Self::parse_unsalted(algorithm, output)? })
    }

    /// The digits alone.
    pub(super) fn parse_unsalted(
        algorithm: Algorithm,
        text: &str,
    ) -> Result<Self, ForeignHashError> {
        let output = hex(text)?;
        if output.len() != algorithm.output() {
            return Err(ForeignHashError::Malformed);
        }
        Ok(Self { key: FastDigest::unsalted(algorithm), output })
    }

    /// The text that is wrapped.
    pub(super) fn text(&self) -> Zeroizing<String> {
        self.key.text(&self.output)
    }
}

impl FastDigest {
    /// An empty salt is none.
    pub(super) fn new(algorithm: Algorithm, text: &str) -> Result<Self, ForeignHashError> {
        let salt = if text.is_empty() { String::new() } else { salt(text)? };
        Ok(Self { algorithm, salt })
    }

    /// Without salt.
    pub(super) fn unsalted(algorithm: Algorithm) -> Self {
        Self { algorithm, salt: String::new() }
    }

    /// The hash of a password in its one spelling, `sha1$SALT$DIGITS`.
    pub(super) fn hash_text(&self, password: &[u8]) -> Zeroizing<String> {
        self.text(&self.compute(password))
    }

    /// `sha1$SALT`.
    pub(super) fn head(&self) -> String {
        format!("{}${}", self.algorithm.word(), self.salt)
    }

    fn text(&self, output: &[u8]) -> Zeroizing<String> {
        Zeroizing::new(format!("{}${}", self.head(), to_hex(output)))
    }

    fn compute(&self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        let salt = self.salt.as_bytes();
        Zeroizing::new(match self.algorithm {
            Algorithm::Sha1 => {
                let mut context = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
                context.update(salt);
                context.update(password);
                context.finish().as_ref().to_vec()
            }
            Algorithm::Md5 => {
                Md5::new().chain_update(salt).chain_update(password).finalize().to_vec()
            }
        })
    }
}

impl Algorithm {
    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Sha1, Self::Md5].into_iter().find(|algorithm| algorithm.word() == word)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
        }
    }

    fn output(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Md5 => 16,
        }
    }
}
