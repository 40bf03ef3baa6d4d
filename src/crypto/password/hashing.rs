//! Hashing and verification of passwords.

use argon2::password_hash::{self, CustomizedPasswordHasher, PasswordVerifier, phc};
use argon2::{Params, Version};

use super::foreign::ForeignHash;
use super::hash::{Kind, PasswordHash};
use super::phc_text::PhcText;
use super::wrapped_digest::WrappedDigest;
use crate::crypto::CryptoError;
use crate::crypto::hash_memory::Argon2Hasher;
use crate::domain::password::Password;
use crate::domain::typed_password::TypedPassword;
use crate::entropy::{Entropy, random};

/// Result of verifying a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    /// The hash stays: it is of today, or it is of another system and other texts match it as well.
    Right,
    /// The password is right, but its hash has another scheme or other parameters than new hashes. The caller,
    /// who has the password, should replace the hash.
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
        let dummy = PasswordHash::own(PhcText::dummy_of(&dummy));
        Ok(Self { argon2: Argon2Hasher::default(), params, dummy })
    }

    /// Hashes a new password with a random salt. Fails if there is no memory for it.
    pub fn hash(
        &self,
        password: &Password,
        entropy: &dyn Entropy,
    ) -> Result<PasswordHash, CryptoError> {
        Ok(PasswordHash::own(self.argon2id(password.as_bytes(), entropy)?))
    }

    /// Makes the hash that is stored for a hash of another system: Argon2id over a fast one, any other as it
    /// is, which takes no time. Fails if there is no memory for it.
    pub fn wrap(
        &self,
        foreign: &ForeignHash,
        entropy: &dyn Entropy,
    ) -> Result<PasswordHash, CryptoError> {
        match foreign.as_slow() {
            Ok(slow) => Ok(PasswordHash::foreign(slow.clone())),
            Err(fast) => {
                let argon2 = self.argon2id(fast.text().as_bytes(), entropy)?;
                Ok(PasswordHash::wrapped(WrappedDigest::new(fast.key.clone(), argon2)))
            }
        }
    }

    /// Verifies a password, at the cost of the parameters in `hash`. Fails if there is no memory for it,
    /// which says nothing about the password.
    pub fn verify(
        &self,
        password: &TypedPassword,
        hash: &PasswordHash,
    ) -> Result<Verdict, CryptoError> {
        let forms = hash.forms(password);
        if forms.is_empty() {
            // Too long. Refused at once it would be the only password that is not hashed.
            self.compare(b"", hash)?;
            return Ok(Verdict::Wrong);
        }
        for form in &forms {
            let verdict = self.compare(form.as_bytes(), hash)?;
            if verdict != Verdict::Wrong {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Wrong)
    }

    fn compare(&self, password: &[u8], hash: &PasswordHash) -> Result<Verdict, CryptoError> {
        match hash.kind() {
            Kind::Own(own) => self.compare_own(password, own),
            Kind::Wrapped(wrapped) => {
                let inner = wrapped.inner(password);
                Ok(match self.compare_own(inner.as_bytes(), wrapped.argon2())? {
                    Verdict::Wrong => Verdict::Wrong,
                    Verdict::Right | Verdict::RightButOutdated => Verdict::RightButOutdated,
                })
            }
            Kind::Foreign(foreign) => Ok(match foreign.matches(password)? {
                false => Verdict::Wrong,
                true if foreign.is_matched_alone(password) => Verdict::RightButOutdated,
                true => Verdict::Right,
            }),
        }
    }

    fn compare_own(&self, password: &[u8], hash: &PhcText) -> Result<Verdict, CryptoError> {
        const FAILED: CryptoError = CryptoError("verifying a password");
        let stored = phc::PasswordHash::new(hash.as_str()).map_err(|_| FAILED)?;
        match self.argon2.verify_password(password, &stored) {
            Ok(()) if self.is_outdated(&stored) => Ok(Verdict::RightButOutdated),
            Ok(()) => Ok(Verdict::Right),
            Err(password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
            Err(_) => Err(FAILED),
        }
    }

    fn argon2id(&self, text: &[u8], entropy: &dyn Entropy) -> Result<PhcText, CryptoError> {
        let salt: [u8; 16] = random(entropy);
        // The library's defaults are Argon2id and version 0x13.
        let params = self.params.clone();
        let hash = self.argon2.hash_password_with_params(text, &salt, params);
        Ok(PhcText::of(&hash.map_err(|_| CryptoError("hashing a password"))?))
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
    use argon2::password_hash::PasswordHasher;
    use argon2::{Algorithm, Argon2};

    use super::super::scheme::PasswordScheme;
    use super::*;
    use crate::entropy::SeededEntropy;

    fn password(text: &str) -> Password {
        Password::attempt(text).unwrap()
    }

    fn typed(text: &str) -> TypedPassword {
        TypedPassword::new(text)
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
        let verdict = |text: &str| hashing.verify(&typed(text), &hash).unwrap();
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
            ours.verify(
                &typed(text),
                &PasswordHash::parse(PasswordScheme::Argon2id, hash.as_str()).unwrap(),
            )
            .unwrap()
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
        let hash = PasswordHash::parse(PasswordScheme::Argon2id, &hash.to_string()).unwrap();
        let verdict = cheap(64, 2).verify(&typed("a"), &hash);
        assert_eq!(verdict, Ok(Verdict::RightButOutdated));
    }

    #[test]
    fn the_dummy_is_a_hash_like_any_other_that_nothing_matches() {
        let hashing = cheap(64, 2);
        let real = hashing.hash(&password("a"), &SeededEntropy::new(1)).unwrap();
        let dummy =
            PasswordHash::parse(PasswordScheme::Argon2id, hashing.dummy().as_str()).unwrap();
        assert_eq!(dummy.as_str().len(), real.as_str().len());
        let head = |hash: &PasswordHash| hash.as_str().rsplitn(3, '$').last().unwrap().to_owned();
        assert_eq!(head(&dummy), head(&real));
        let dearer = cheap(128, 3).hash(&password("a"), &SeededEntropy::new(1)).unwrap();
        assert_eq!(head(&dearer.dummy()), head(&dearer));
        assert_eq!((&real.dummy(), &dummy.dummy()), (&dummy, &dummy));
        for text in ["", "a", "\0", "dummy"] {
            assert_eq!(hashing.verify(&typed(text), &dummy), Ok(Verdict::Wrong));
        }
    }

    #[test]
    fn a_text_that_is_no_hash_is_refused() {
        let salted = "$argon2id$v=19$m=64,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA";
        let bcrypt = "$2b$10$AAAAAAAAAAAAAAAAAAAAAA";
        for text in ["", "a", "$", "$argon2id", salted, bcrypt, "pbkdf2_sha256$1$a$b"] {
            assert_eq!(PasswordHash::parse(PasswordScheme::Argon2id, text), None, "{text}");
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
