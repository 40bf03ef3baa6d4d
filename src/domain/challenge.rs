//! Challenges: logins, changes and proofs that wait for their next step.
//!
//! A challenge is not a session and gives access to nothing but its own next step. It is used once, has a few
//! attempts and ends after minutes.

use std::time::Duration;

use super::words::{extensible_words, words};

/// Wrong codes after which a challenge is worthless.
pub const MAX_ATTEMPTS: i16 = 5;

/// How long a code is valid, and a link of any purpose but those below.
pub const CODE_VALIDITY: Duration = Duration::from_mins(10);

/// How long the link of a verification is valid.
pub const VERIFICATION_VALIDITY: Duration = Duration::from_hours(24);

/// How long a change of the address can be taken back.
pub const REVERT_VALIDITY: Duration = Duration::from_hours(7 * 24);

words! {
    /// What a challenge leads to.
    ChallengePurpose {
        /// A session of an existing account.
        Login = "LOGIN",
        /// The verification of a new account's address, and its first session.
        Register = "REGISTER",
        /// The verification of the account's address.
        Verify = "VERIFY",
        /// A new password.
        Reset = "RESET",
        /// Another address.
        Change = "CHANGE",
        /// The former address again.
        Revert = "REVERT",
        /// A fresh proof in a live session.
        Reauthenticate = "REAUTHENTICATE",
        /// A session, by a second factor.
        SecondStep = "SECOND_STEP",
        /// A session, by a second factor that is added for it.
        EnrollFactor = "ENROLL_FACTOR",
        /// Written by a newer version, whose word this one does not know. Leads to nothing.
        Unknown = "UNKNOWN",
    }
}
extensible_words!(ChallengePurpose);

impl ChallengePurpose {
    /// How long its link is valid.
    #[must_use]
    pub fn link_validity(self) -> Duration {
        match self {
            Self::Register | Self::Verify => VERIFICATION_VALIDITY,
            Self::Revert => REVERT_VALIDITY,
            _ => CODE_VALIDITY,
        }
    }
}

words! {
    /// A proof that a challenge accepts.
    LoginStep {
        Password = "PASSWORD",
        /// A code of an authenticator app.
        Totp = "TOTP",
        Passkey = "PASSKEY",
        RecoveryCode = "RECOVERY_CODE",
        EmailCode = "EMAIL_CODE",
        /// No proof: a second factor has to be added.
        EnrollFactor = "ENROLL_FACTOR",
    }
}
