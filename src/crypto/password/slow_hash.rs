//! Hashes of other systems that are stored as they are.

use std::hash::{Hash, Hasher};

use zeroize::Zeroizing;

use super::argon2_hash::ForeignArgon2;
use super::bcrypt_hash::BcryptHash;
use super::pbkdf2_hash::Pbkdf2Hash;
use super::scheme::PasswordScheme;
use super::scrypt_hash::ScryptHash;
use crate::crypto::CryptoError;
use crate::domain::typed_password::TypedPassword;

/// A hash and its text. Equal hashes have equal texts.
#[derive(Clone)]
pub(super) struct SlowHash {
    text: String,
    function: Function,
}

#[derive(Clone)]
pub(super) enum Function {
    Argon2(ForeignArgon2),
    Bcrypt(BcryptHash),
    Pbkdf2(Pbkdf2Hash),
    Scrypt(ScryptHash),
}

impl SlowHash {
    pub(super) fn new(text: &str, function: Function) -> Self {
        Self { text: text.to_owned(), function }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn scheme(&self) -> PasswordScheme {
        match self.function {
            Function::Argon2(_) => PasswordScheme::Argon2,
            Function::Bcrypt(_) => PasswordScheme::Bcrypt,
            Function::Pbkdf2(_) => PasswordScheme::Pbkdf2,
            Function::Scrypt(_) => PasswordScheme::Scrypt,
        }
    }

    /// Forms of a password to try, in this order.
    pub(super) fn forms(&self, password: &TypedPassword) -> Vec<Zeroizing<String>> {
        match &self.function {
            Function::Scrypt(hash) if hash.is_of_nfkc() => password.nfkc().into_iter().collect(),
            _ => password.as_typed_and_nfc(),
        }
    }

    pub(super) fn matches(&self, password: &[u8]) -> Result<bool, CryptoError> {
        match &self.function {
            Function::Argon2(hash) => hash.matches(password),
            Function::Bcrypt(hash) => Ok(hash.matches(password)),
            Function::Pbkdf2(hash) => Ok(hash.matches(password)),
            Function::Scrypt(hash) => hash.matches(password),
        }
    }

    /// Whether no other text matches the hash that this one matches. Where another one does, the text must not
    /// become the account's password: whoever has the password could replace it unseen by a login.
    pub(super) fn is_matched_alone(&self, password: &[u8]) -> bool {
        match &self.function {
            Function::Argon2(_) => true,
            Function::Bcrypt(hash) => hash.is_matched_alone(password),
            // HMAC fills a short key up with zero bytes (RFC 2104, section 2).
            Function::Pbkdf2(_) | Function::Scrypt(_) => !password.ends_with(&[0]),
        }
    }

    /// Memory that a verification takes, in bytes; 0 if it is a few kilobytes.
    pub(super) fn memory(&self) -> u64 {
        match &self.function {
            Function::Argon2(hash) => hash.memory(),
            Function::Scrypt(hash) => hash.memory(),
            Function::Bcrypt(_) | Function::Pbkdf2(_) => 0,
        }
    }

    /// A hash with the same parameters that no known password has. Salts of other lengths make no other dummy.
    pub(super) fn dummy(&self) -> Self {
        let (text, function) = match &self.function {
            Function::Argon2(hash) => (hash.dummy().text(), Function::Argon2(hash.dummy())),
            Function::Bcrypt(hash) => (hash.dummy().text(), Function::Bcrypt(hash.dummy())),
            Function::Pbkdf2(hash) => (hash.dummy().text(), Function::Pbkdf2(hash.dummy())),
            Function::Scrypt(hash) => (hash.dummy().text(), Function::Scrypt(hash.dummy())),
        };
        Self { text, function }
    }
}

impl PartialEq for SlowHash {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for SlowHash {}

impl Hash for SlowHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
