//! Password hashes: Argon2id, as PHC strings.
//!
//! A login with an unknown name costs as much as one with a wrong password: callers verify a
//! [`PasswordHash::dummy`] in place of the hash that does not exist. A hash takes tens of milliseconds and
//! much memory, so callers run it off the threads that answer requests, and bound how many run at a time.

use argon2::password_hash::{self, CustomizedPasswordHasher, PasswordVerifier, phc};
use argon2::{Algorithm, Params, Version};

use super::error::CryptoError;
use super::hash_memory::Argon2Hasher;
use crate::domain::password::Password;
use crate::domain::words;
use crate::entropy::{Entropy, random};
use crate::redacted::redacted_debug;

words! {
    /// Algorithm of a password hash.
    PasswordScheme {
        /// Argon2. New hashes are Argon2id; a stored PHC string may have another variant.
        Argon2id = "ARGON2ID",
    }
}

/// A stored hash, e.g. `$argon2id$v=19$m=19456,t=2,p=1$…$…`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Parses a stored hash. `None` if it is not a complete Argon2 hash.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hash = phc::PasswordHash::new(text).ok()?;
        let is_whole = hash.salt.is_some() && hash.hash.is_some();
        let is_argon2 = Algorithm::new(hash.algorithm).is_ok() && Params::try_from(&hash).is_ok();
        (is_whole && is_argon2).then(|| Self(text.to_owned()))
    }

    /// The PHC string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Algorithm that verifies a password against this hash.
    #[must_use]
    pub fn scheme(&self) -> PasswordScheme {
        // `parse` takes no other.
        PasswordScheme::Argon2id
    }

    /// A hash with the same parameters that no known password has. Verifying it takes as long.
    #[must_use]
    pub fn dummy(&self) -> Self {
        let parameters = self.0.rsplitn(3, '$').last().unwrap_or_default();
        Self::dummy_of(parameters)
    }

    /// 16 zero bytes of salt and 32 of output.
    fn dummy_of(parameters: &str) -> Self {
        Self(format!("{parameters}${}${}", "A".repeat(22), "A".repeat(43)))
    }
}

redacted_debug!(PasswordHash);

/// Result of verifying a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// The password is right, but its hash has other parameters than new hashes. The caller, who has the
    /// password, should replace the hash.
    RightButOutdated,
}

/// Parameters outside the range of Argon2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Argon2 requires at least 1 pass, 1 lane and 8 KiB of memory per lane")]
pub struct HashingError;

/// Hashes new passwords with the configured parameters, and verifies passwords against any stored hash.
#[derive(Debug)]
pub struct Hashing {
    argon2: Argon2Hasher,
    params: Params,
    dummy: PasswordHash,
}

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
impl Default for Hashing {
    fn default() -> Self {
        Self::new(19_456, 2, 1).expect("OWASP's choice is within Argon2's limits")
    }
}

impl Hashing {
    /// Argon2id with this memory in KiB, passes and lanes.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, HashingError> {
        let params = Params::new(memory_kib, passes, lanes, None).map_err(|_| HashingError)?;
        let dummy = format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}");
        let dummy = PasswordHash::dummy_of(&dummy);
        Ok(Self { argon2: Argon2Hasher::default(), params, dummy })
    }

    /// Hashes a new password with a random salt. Fails if there is no memory for it.
    pub fn hash(
        &self,
        password: &Password,
        entropy: &dyn Entropy,
    ) -> Result<PasswordHash, CryptoError> {
        let salt: [u8; 16] = random(entropy);
        // The library's defaults are Argon2id and version 0x13.
        let params = self.params.clone();
        let hash = self.argon2.hash_password_with_params(password.as_bytes(), &salt, params);
        let hash: phc::PasswordHash = hash.map_err(|_| CryptoError("hashing a password"))?;
        Ok(PasswordHash(hash.to_string()))
    }

    /// Verifies a password, at the cost of the parameters in `hash`. Fails if there is no memory for it,
    /// which says nothing about the password.
    pub fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<Verdict, CryptoError> {
        const FAILED: CryptoError = CryptoError("verifying a password");
        let stored = phc::PasswordHash::new(&hash.0).map_err(|_| FAILED)?;
        match self.argon2.verify_password(password.as_bytes(), &stored) {
            Ok(()) if self.is_outdated(&stored) => Ok(Verdict::RightButOutdated),
            Ok(()) => Ok(Verdict::Right),
            Err(password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
            Err(_) => Err(FAILED),
        }
    }

    /// A hash with the configured parameters that no known password has.
    #[must_use]
    pub fn dummy(&self) -> &PasswordHash {
        &self.dummy
    }

    /// Whether a stored hash has another variant, version or parameters than new hashes. A more expensive
    /// hash is outdated as well: otherwise lower parameters would save nothing for existing accounts, and
    /// the duration of a login would tell for ever which accounts are older than the change.
    fn is_outdated(&self, stored: &phc::PasswordHash) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        Params::try_from(stored).map_or(true, |own| cost(&own) != cost(&self.params))
            || stored.algorithm != argon2::ARGON2ID_IDENT
            || stored.version != Some(Version::V0x13.into())
    }
}

#[cfg(test)]
mod tests {
    use argon2::Argon2;
    use argon2::password_hash::PasswordHasher;

    use super::*;
    use crate::entropy::SeededEntropy;

    fn password(text: &str) -> Password {
        Password::attempt(text).unwrap()
    }

    fn cheap(memory_kib: u32, passes: u32) -> Hashing {
        Hashing::new(memory_kib, passes, 1).unwrap()
    }

    #[test]
    fn the_default_is_what_owasp_asks_for() {
        let hashing = Hashing::default();
        let hash = hashing.hash(&password("a"), &SeededEntropy::new(1)).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[test]
    fn only_the_same_password_is_right() {
        let (hashing, entropy) = (cheap(64, 2), SeededEntropy::new(1));
        let head = "x".repeat(200);
        let hash = hashing.hash(&password(&format!("{head}a")), &entropy).unwrap();
        let verdict = |text: &str| hashing.verify(&password(text), &hash).unwrap();
        assert_eq!(verdict(&format!("{head}a")), Verdict::Right);
        assert_eq!(verdict(&format!("{head}b")), Verdict::Wrong);
        assert_eq!(verdict(&head), Verdict::Wrong);
        assert_eq!(verdict(""), Verdict::Wrong);
    }

    #[test]
    fn two_users_with_one_password_have_different_hashes() {
        let (hashing, entropy) = (cheap(64, 1), SeededEntropy::new(1));
        let (a, b) = (password("a"), password("a"));
        assert_ne!(hashing.hash(&a, &entropy).unwrap(), hashing.hash(&b, &entropy).unwrap());
    }

    #[test]
    fn a_hash_of_other_parameters_is_outdated() {
        let (ours, entropy) = (cheap(128, 2), SeededEntropy::new(1));
        let verdict = |theirs: &Hashing, text: &str| {
            let hash = theirs.hash(&password("a"), &entropy).unwrap();
            ours.verify(&password(text), &PasswordHash::parse(hash.as_str()).unwrap()).unwrap()
        };
        assert_eq!(verdict(&cheap(64, 2), "a"), Verdict::RightButOutdated);
        assert_eq!(verdict(&cheap(128, 1), "a"), Verdict::RightButOutdated);
        assert_eq!(verdict(&cheap(256, 1), "a"), Verdict::RightButOutdated);
        assert_eq!(verdict(&cheap(128, 2), "a"), Verdict::Right);
        assert_eq!(verdict(&cheap(256, 3), "a"), Verdict::RightButOutdated);
        assert_eq!(verdict(&cheap(64, 1), "b"), Verdict::Wrong);
    }

    #[test]
    fn another_variant_is_outdated() {
        let params = Params::new(64, 2, 1, None).unwrap();
        let theirs = Argon2::new(Algorithm::Argon2i, Version::V0x13, params);
        let hash: phc::PasswordHash =
            theirs.hash_password_with_salt(b"a", b"0123456789abcdef").unwrap();
        let hash = PasswordHash::parse(&hash.to_string()).unwrap();
        let verdict = cheap(64, 2).verify(&password("a"), &hash);
        assert_eq!(verdict, Ok(Verdict::RightButOutdated));
    }

    #[test]
    fn the_dummy_is_a_hash_like_any_other_that_nothing_matches() {
        let hashing = cheap(64, 2);
        let real = hashing.hash(&password("a"), &SeededEntropy::new(1)).unwrap();
        let dummy = PasswordHash::parse(hashing.dummy().as_str()).unwrap();
        assert_eq!(dummy.as_str().len(), real.as_str().len());
        let head = |hash: &PasswordHash| hash.as_str().rsplitn(3, '$').last().unwrap().to_owned();
        assert_eq!(head(&dummy), head(&real));
        let dearer = cheap(128, 3).hash(&password("a"), &SeededEntropy::new(1)).unwrap();
        assert_eq!(head(&dearer.dummy()), head(&dearer));
        assert_eq!((&real.dummy(), &dummy.dummy()), (&dummy, &dummy));
        for text in ["", "a", "\0", "dummy"] {
            assert_eq!(hashing.verify(&password(text), &dummy), Ok(Verdict::Wrong));
        }
    }

    #[test]
    fn a_text_that_is_no_hash_is_refused() {
        let salted = "$argon2id$v=19$m=64,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA";
        let bcrypt = "$2b$10$AAAAAAAAAAAAAAAAAAAAAA";
        for text in ["", "a", "$", "$argon2id", salted, bcrypt, "pbkdf2_sha256$1$a$b"] {
            assert_eq!(PasswordHash::parse(text), None, "{text}");
        }
        assert!(Hashing::new(7, 1, 1).is_err() && Hashing::new(64, 0, 1).is_err());
    }

    #[test]
    fn it_is_not_printed() {
        let hashing = cheap(64, 1);
        assert_eq!(format!("{:?}", hashing.dummy()), "PasswordHash(…)");
        assert!(!format!("{hashing:?}").contains("AAAA"));
    }
}
