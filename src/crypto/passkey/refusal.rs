//! Reasons for refusing a response of a browser.

use passki::PasskiError;

/// Reason for refusing a response. It is for the log and the audit: a client learns only that its passkey was
/// refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyRefusal {
    #[error("the response is larger than any response of a browser")]
    TooLarge,
    #[error("the response is malformed: {0}")]
    Malformed(&'static str),
    /// A registration in the place of a login, or the reverse.
    #[error("the response is of another ceremony")]
    OtherCeremony,
    #[error("the challenge is another one")]
    OtherChallenge,
    /// Shortened, as it is text of the sender.
    #[error("the origin {0:?} is not allowed")]
    Origin(String),
    #[error("the ceremony took place in a frame of another origin")]
    CrossOrigin,
    #[error("the passkey is of another relying party")]
    OtherRelyingParty,
    #[error("the user was not present")]
    UserNotPresent,
    #[error("the authenticator did not verify the user")]
    UserNotVerified,
    #[error("the passkey is backed up although it is not eligible for it")]
    BackedUpIneligibly,
    #[error("the passkey's eligibility for backups has changed")]
    BackupEligibilityChanged,
    #[error("the algorithm {0} is not allowed")]
    Algorithm(i64),
    #[error("the public key is unusable: {0}")]
    PublicKey(&'static str),
    #[error("the attestation is invalid")]
    Attestation,
    #[error("the response is of another passkey")]
    OtherPasskey,
    #[error("the passkey is of another user")]
    OtherUser,
    #[error("the signature is wrong")]
    Signature,
    /// Only if the signature is right: there are two copies of the private key, or two logins overtook each
    /// other.
    #[error("the signature counter went from {stored} to {received}")]
    Counter { stored: u32, received: u32 },
}

impl PasskeyRefusal {
    fn origin(received: &str) -> Self {
        const MAX_CHARS: usize = 200;
        Self::Origin(received.chars().take(MAX_CHARS).collect())
    }
}

impl From<PasskiError> for PasskeyRefusal {
    fn from(error: PasskiError) -> Self {
        use PasskiError as E;
        match error {
            E::InvalidClientDataType(_) | E::ClientDataTypeMismatch { .. } => Self::OtherCeremony,
            E::ChallengeMismatch => Self::OtherChallenge,
            E::OriginMismatch { got, .. } => Self::origin(&got),
            E::CrossOriginNotAllowed | E::TopOriginMismatch { .. } => Self::CrossOrigin,
            E::RpIdHashMismatch => Self::OtherRelyingParty,
            E::UserNotPresent => Self::UserNotPresent,
            E::UserVerificationRequired => Self::UserNotVerified,
            E::InvalidBackupFlags => Self::BackedUpIneligibly,
            E::CredentialIdMismatch | E::CredentialNotAllowed => Self::OtherPasskey,
            E::UnsupportedAlgorithm(algorithm) => Self::Algorithm(algorithm.into()),
            E::SignatureVerificationFailed => Self::Signature,
            E::UnsupportedAttestationFormat(_)
            | E::MissingAttStmtField(_)
            | E::InvalidAttestation(_)
            | E::InvalidCertificate(_) => Self::Attestation,
            E::Base64Decode(_) => Self::Malformed("base64url"),
            E::InvalidClientDataJson(_) | E::MissingClientDataField(_) => {
                Self::Malformed("client data")
            }
            E::CborDecode(_) | E::InvalidAttestationObject(_) => {
                Self::Malformed("attestation object")
            }
            E::InvalidCoseKey(_) => Self::PublicKey("not a key of its algorithm"),
            _ => Self::Malformed("authenticator data"),
        }
    }
}
