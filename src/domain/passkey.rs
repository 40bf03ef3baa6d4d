//! Passkeys: the WebAuthn credentials of accounts, as they are stored.
//!
//! A passkey has the user handle that it was made with. That is usually its account's, but one that was made
//! for another server of the same domain keeps that server's.

use uuid::Uuid;

use super::words;
use crate::entropy::{Entropy, random};
use crate::redacted::redacted_debug;

/// Identifier of a passkey, chosen by its authenticator; unique over all accounts.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CredentialId(Vec<u8>);

// By it, passkeys of one person can be told from others'.
redacted_debug!(CredentialId);

impl CredentialId {
    /// WebAuthn, section 7.1, has longer ones refused.
    const MAX_BYTES: usize = 1023;

    /// `None` unless it has 1 to 1023 bytes.
    #[must_use]
    pub fn parse(bytes: Vec<u8>) -> Option<Self> {
        (1..=Self::MAX_BYTES).contains(&bytes.len()).then_some(Self(bytes))
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Random bytes by which authenticators tell accounts apart. Not the account's ID: an authenticator may show
/// it to others before the user is verified (WebAuthn, section 14.6.1).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserHandle(Vec<u8>);

redacted_debug!(UserHandle);

impl UserHandle {
    /// WebAuthn, section 5.4.3.
    const MAX_BYTES: usize = 64;

    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self(random::<32>(entropy).into())
    }

    /// `None` unless it has 1 to 64 bytes.
    #[must_use]
    pub fn parse(bytes: Vec<u8>) -> Option<Self> {
        (1..=Self::MAX_BYTES).contains(&bytes.len()).then_some(Self(bytes))
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Signature algorithm of a passkey, by its COSE identifier (RFC 9053).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasskeyAlgorithm {
    /// ECDSA over P-256: what nearly all authenticators have.
    Es256 = -7,
    /// Ed25519.
    EdDsa = -8,
    /// RSA with PKCS #1 v1.5 padding, of older Windows devices.
    Rs256 = -257,
}

impl PasskeyAlgorithm {
    /// Every algorithm, the preferred first.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    #[must_use]
    pub fn cose(self) -> i32 {
        self as i32
    }

    /// `None` for an identifier that is not in the list.
    #[must_use]
    pub fn of_cose(identifier: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| i64::from(algorithm.cose()) == identifier)
    }
}

words! {
    /// A way in which a browser reaches an authenticator.
    PasskeyTransport {
        Ble = "ble",
        /// Another device, by a QR code.
        Hybrid = "hybrid",
        /// The device itself.
        Internal = "internal",
        Nfc = "nfc",
        SmartCard = "smart-card",
        Usb = "usb",
    }
}

/// The transports of one authenticator, each once. They are hints for browsers; others than those in
/// [`PasskeyTransport`] are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PasskeyTransports(Vec<PasskeyTransport>);

impl PasskeyTransports {
    #[must_use]
    pub fn of_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let read = |word| match word {
            // What Chromium wrote before `hybrid` was standardized.
            "cable" => Some(PasskeyTransport::Hybrid),
            word => PasskeyTransport::parse(word),
        };
        let named: Vec<_> = words.into_iter().filter_map(read).collect();
        let all = PasskeyTransport::ALL.iter().copied();
        Self(all.filter(|transport| named.contains(transport)).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = PasskeyTransport> {
        self.0.iter().copied()
    }

    /// The words, separated by spaces.
    #[must_use]
    pub fn as_text(&self) -> String {
        let words: Vec<_> = self.iter().map(PasskeyTransport::as_str).collect();
        words.join(" ")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    pub credential_id: CredentialId,
    pub user_handle: UserHandle,
    /// `COSE_Key` (RFC 9052, section 7).
    pub public_key: Vec<u8>,
    pub algorithm: PasskeyAlgorithm,
    /// Counter of the latest login. Always 0 for authenticators that do not count, as those that synchronize.
    pub sign_count: u32,
    /// Whether the passkey may be copied to other devices. It never changes.
    pub is_backup_eligible: bool,
    /// Whether it has been copied, as of the latest login.
    pub is_backed_up: bool,
    /// Model of the authenticator, as it says itself; nil if it does not say.
    pub aaguid: Uuid,
    pub transports: PasskeyTransports,
}

/// The columns of a stored passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyColumns {
    pub credential_id: Vec<u8>,
    pub user_handle: Vec<u8>,
    pub public_key: Vec<u8>,
    /// COSE identifier.
    pub algorithm: i32,
    pub sign_count: i64,
    pub is_backup_eligible: bool,
    pub is_backed_up: bool,
    pub aaguid: Uuid,
    /// Words, separated by spaces.
    pub transports: String,
}

impl Passkey {
    /// `None` if a value is out of range, or the algorithm is one of a newer version: this version can neither
    /// offer nor verify such a passkey.
    #[must_use]
    pub fn of_columns(columns: PasskeyColumns) -> Option<Self> {
        Some(Self {
            credential_id: CredentialId::parse(columns.credential_id)?,
            user_handle: UserHandle::parse(columns.user_handle)?,
            public_key: columns.public_key,
            algorithm: PasskeyAlgorithm::of_cose(columns.algorithm.into())?,
            sign_count: columns.sign_count.try_into().ok()?,
            is_backup_eligible: columns.is_backup_eligible,
            is_backed_up: columns.is_backed_up,
            aaguid: columns.aaguid,
            transports: PasskeyTransports::of_words(columns.transports.split(' ')),
        })
    }

    #[must_use]
    pub fn columns(&self) -> PasskeyColumns {
        PasskeyColumns {
            credential_id: self.credential_id.as_bytes().to_vec(),
            user_handle: self.user_handle.as_bytes().to_vec(),
            public_key: self.public_key.clone(),
            algorithm: self.algorithm.cose(),
            sign_count: self.sign_count.into(),
            is_backup_eligible: self.is_backup_eligible,
            is_backed_up: self.is_backed_up,
            aaguid: self.aaguid,
            transports: self.transports.as_text(),
        }
    }
}

/// The columns that a login with the passkey changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasskeyUse {
    pub sign_count: u32,
    pub is_backed_up: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn columns() -> PasskeyColumns {
        PasskeyColumns {
            credential_id: vec![9; 20],
            user_handle: vec![42; 32],
            public_key: vec![0xa0],
            algorithm: -257,
            sign_count: u32::MAX.into(),
            is_backup_eligible: true,
            is_backed_up: false,
            aaguid: Uuid::from_u128(7),
            transports: "hybrid internal".to_owned(),
        }
    }

    #[test]
    fn a_passkey_comes_back_from_its_columns() {
        for transports in ["", "usb", "hybrid internal", "ble hybrid internal nfc smart-card usb"] {
            let columns = PasskeyColumns { transports: transports.to_owned(), ..columns() };
            let passkey = Passkey::of_columns(columns.clone()).unwrap();
            assert_eq!(passkey.columns(), columns);
        }
        for algorithm in PasskeyAlgorithm::ALL {
            let columns = PasskeyColumns { algorithm: algorithm.cose(), ..columns() };
            assert_eq!(Passkey::of_columns(columns).unwrap().algorithm, algorithm);
        }
    }

    #[test]
    fn columns_out_of_range_make_no_passkey() {
        for columns in [
            PasskeyColumns { credential_id: Vec::new(), ..columns() },
            PasskeyColumns { credential_id: vec![1; 1024], ..columns() },
            PasskeyColumns { user_handle: Vec::new(), ..columns() },
            PasskeyColumns { user_handle: vec![1; 65], ..columns() },
            PasskeyColumns { algorithm: -35, ..columns() },
            PasskeyColumns { sign_count: -1, ..columns() },
            PasskeyColumns { sign_count: i64::from(u32::MAX) + 1, ..columns() },
        ] {
            assert_eq!(Passkey::of_columns(columns.clone()), None, "{columns:?}");
        }
    }

    #[test]
    fn transports_are_known_words_each_once() {
        let text = |words: &str| PasskeyTransports::of_words(words.split(' ')).as_text();
        assert_eq!(text("usb telepathy internal usb cable"), "hybrid internal usb");
        assert_eq!((text(""), text("USB")), (String::new(), String::new()));
    }

    #[test]
    fn a_user_handle_is_random_and_not_printed() {
        let entropy = SeededEntropy::new(1);
        let (one, other) = (UserHandle::generate(&entropy), UserHandle::generate(&entropy));
        assert!(one != other && one.as_bytes().len() == 32);
        let passkey = Passkey::of_columns(columns()).unwrap();
        assert!(format!("{passkey:?}").contains("UserHandle(…)"));
    }
}
