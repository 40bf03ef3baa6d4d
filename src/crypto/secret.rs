//! The master secret, and the keys derived from it.
//!
//! Nothing is encrypted or signed with the master secret itself. Each purpose has its own key (HKDF, RFC
//! 5869, with the purpose as `info`), so that one key reveals nothing about another. Sealing and signing
//! use the current secret. The older secret, present while it is being replaced, only opens and verifies.

use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use super::encoding::base64url;
use super::error::CryptoError;
use super::sealing_key::SealingKey;
use crate::entropy::{Entropy, random};
use crate::redacted::redacted_debug;

const MIN_BYTES: usize = 32;

/// Fewest different bytes in a secret. 32 random characters have about twice as many; a text with fewer
/// was typed by repeating keys.
const MIN_DISTINCT: usize = 8;

/// Reason for refusing a text as a master secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("a master secret must have at least {MIN_BYTES} bytes")]
    TooShort,
    /// Too few different bytes.
    #[error("the secret is too easy to guess (use 32 random bytes, written in base64 or hex)")]
    Guessable,
    /// More than two secrets, separated by commas.
    #[error("expected one secret, or two separated by a comma: the current and the older one")]
    TooMany,
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Keys derived from one master secret; its text is not kept.
pub struct MasterSecret {
    root: hkdf::Prk,
    seal: SealingKey,
}

impl MasterSecret {
    /// Parses a secret, without surrounding white space such as the line break at the end of a file.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let bytes = text.trim().as_bytes();
        if bytes.len() < MIN_BYTES {
            return Err(SecretError::TooShort);
        }
        let distinct = (0..=u8::MAX).filter(|byte| bytes.contains(byte)).count();
        if distinct < MIN_DISTINCT {
            return Err(SecretError::Guessable);
        }
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"sallyport master secret").extract(bytes);
        let seal = SealingKey::new(&*derive(&root, "seal v1")?)?;
        Ok(Self { root, seal })
    }

    /// Text of a new secret: 256 random bits in base64url.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Zeroizing<String> {
        let bytes = Zeroizing::new(random::<MIN_BYTES>(entropy));
        Zeroizing::new(base64url(bytes.as_slice()))
    }

    /// Derives the key for a purpose.
    pub(super) fn derive(&self, purpose: &str) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
        derive(&self.root, purpose)
    }
}

fn derive(root: &hkdf::Prk, purpose: &str) -> Result<Zeroizing<[u8; 32]>, CryptoError> {
    let mut key = Zeroizing::new([0; 32]);
    root.expand(&[b"sallyport ", purpose.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(key.as_mut_slice()))
        .map_err(|_| CryptoError("deriving a key"))?;
    Ok(key)
}

redacted_debug!(MasterSecret);

/// The current master secret and, while it is being replaced, the one before it.
#[derive(Debug)]
pub struct MasterSecrets {
    current: MasterSecret,
    older: Option<MasterSecret>,
}

/// Content of a sealed text.
pub struct OpenedSeal {
    pub plain: Zeroizing<Vec<u8>>,
    /// Whether the current secret opened it. If not, it has to be sealed again before the older secret is
    /// removed.
    pub by_current: bool,
}

impl MasterSecrets {
    /// Parses `current` or `current,older`.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let mut secrets = text.split(',').map(MasterSecret::parse);
        let current = secrets.next().ok_or(SecretError::TooShort)??;
        let older = secrets.next().transpose()?;
        if secrets.next().is_some() {
            return Err(SecretError::TooMany);
        }
        Ok(Self { current, older })
    }

    /// The current secret, then the older one.
    pub(super) fn iter(&self) -> impl Iterator<Item = &MasterSecret> {
        std::iter::once(&self.current).chain(&self.older)
    }

    /// Encrypts and authenticates `plain` under the current secret. `context` identifies the content and its
    /// row.
    pub fn seal(
        &self,
        context: &str,
        plain: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        self.current.seal.seal(context, plain, entropy)
    }

    /// Decrypts a text that [`MasterSecrets::seal`] made with the same context, under any of the secrets.
    /// `None` if no secret fits or the text was changed.
    #[must_use]
    pub fn open(&self, context: &str, sealed: &[u8]) -> Option<OpenedSeal> {
        self.iter().enumerate().find_map(|(age, secret)| {
            let plain = secret.seal.open(context, sealed)?;
            Some(OpenedSeal { plain, by_current: age == 0 })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    const OLD: &str = "0123456789abcdefghijklmnopqrstuv";
    const NEW: &str = "ZYXWVUTSRQPONMLKJIHGFEDCBA987654";

    fn secrets(text: &str) -> MasterSecrets {
        MasterSecrets::parse(text).unwrap()
    }

    #[test]
    fn a_weak_secret_is_refused() {
        let error = |text: &str| MasterSecrets::parse(text).map(drop).unwrap_err();
        assert_eq!(error(""), SecretError::TooShort);
        assert_eq!(error("secret"), SecretError::TooShort);
        assert_eq!(error(&OLD[1..]), SecretError::TooShort);
        assert_eq!(error(&format!(" {}\n", &OLD[1..])), SecretError::TooShort);
        assert_eq!(error(&"x".repeat(64)), SecretError::Guessable);
        assert_eq!(error(&"changed".repeat(8)), SecretError::Guessable);
        assert_eq!(error(&format!("{NEW},")), SecretError::TooShort);
        assert_eq!(error(&format!("{NEW},short")), SecretError::TooShort);
        assert_eq!(error(&format!("{NEW},{OLD},{OLD}")), SecretError::TooMany);
    }

    #[test]
    fn a_generated_secret_is_one_and_white_space_around_it_is_not() {
        let text = MasterSecret::generate(&SeededEntropy::new(1));
        assert_eq!(text.len(), 43);
        let sealed = secrets(&text).seal("a", b"plain", &SeededEntropy::new(2)).unwrap();
        assert!(secrets(&format!("\t{}\r\n", *text)).open("a", &sealed).is_some());
    }

    #[test]
    fn a_seal_opens_in_its_own_context_only() {
        let secrets = secrets(NEW);
        let sealed = secrets.seal("key a", b"plain", &SeededEntropy::new(1)).unwrap();
        assert_eq!(*secrets.open("key a", &sealed).unwrap().plain, b"plain");
        assert!(secrets.open("key b", &sealed).is_none());
        assert!(secrets.open("", &sealed).is_none());
        assert!(!sealed.windows(5).any(|window| window == b"plain"));
    }

    #[test]
    fn a_changed_bit_or_a_missing_byte_breaks_the_seal() {
        let secrets = secrets(NEW);
        let sealed = secrets.seal("a", b"plain", &SeededEntropy::new(1)).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(secrets.open("a", &changed).is_none(), "byte {at}");
            assert!(secrets.open("a", &sealed[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn the_older_secret_opens_and_the_newer_one_seals() {
        let entropy = SeededEntropy::new(1);
        let (old, new, both) = (secrets(OLD), secrets(NEW), secrets(&format!("{NEW}, {OLD}")));
        let before = old.seal("a", b"plain", &entropy).unwrap();
        assert!(new.open("a", &before).is_none());
        assert!(!both.open("a", &before).unwrap().by_current);
        let after = both.seal("a", b"plain", &entropy).unwrap();
        assert!(both.open("a", &after).unwrap().by_current);
        assert!(new.open("a", &after).unwrap().by_current);
        assert!(old.open("a", &after).is_none());
    }

    #[test]
    fn each_purpose_has_a_key_of_its_own() {
        let secret = MasterSecret::parse(NEW).unwrap();
        assert_eq!(secret.derive("a"), secret.derive("a"));
        assert_ne!(secret.derive("a"), secret.derive("b"));
        assert_ne!(secret.derive("a"), MasterSecret::parse(OLD).unwrap().derive("a"));
    }

    #[test]
    fn a_master_secret_is_not_printed() {
        let printed = format!("{:?}", secrets(&format!("{NEW},{OLD}")));
        let expected = "MasterSecrets { current: MasterSecret(…), older: Some(MasterSecret(…)) }";
        assert_eq!(printed, expected);
    }
}
