//! Complete Argon2 hashes as PHC strings, e.g. `$argon2id$v=19$m=19456,t=2,p=1$…$…`.

use argon2::password_hash::phc;
use argon2::{Algorithm, Params};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// An Argon2 hash with its salt and its output.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct PhcText(String);

impl PhcText {
    /// `None` if it is not a complete Argon2 hash.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let hash = phc::PasswordHash::new(text).ok()?;
        let is_whole = hash.salt.is_some() && hash.hash.is_some();
        let is_argon2 = Algorithm::new(hash.algorithm).is_ok() && Params::try_from(&hash).is_ok();
        (is_whole && is_argon2).then(|| Self(text.to_owned()))
    }

    pub(super) fn of(hash: &phc::PasswordHash) -> Self {
        Self(hash.to_string())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// A hash with the same parameters that no known password has.
    pub(super) fn dummy(&self) -> Self {
        Self::dummy_of(self.0.rsplitn(3, '$').last().unwrap_or_default())
    }

    /// 16 zero bytes of salt and 32 of output.
    pub(super) fn dummy_of(parameters: &str) -> Self {
        Self(Self::write(parameters, &[0; 16], &[0; 32]))
    }

    pub(super) fn write(parameters: &str, salt: &[u8], output: &[u8]) -> String {
        let [salt, output] = [salt, output].map(|bytes| STANDARD_NO_PAD.encode(bytes));
        format!("{parameters}${salt}${output}")
    }
}
