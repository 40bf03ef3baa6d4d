//! Expected failures of use cases.
//!
//! A new error code is added here and in its twin of the schema, `graphql/types/enums.rs`. The metrics of
//! logins and refreshes count codes that they do not name as invalid.

use std::borrow::Cow;
use std::time::Duration;

use super::input_field::Field;
use crate::domain::password::WeakPassword;
use crate::domain::words;

words! {
    /// Code of an expected failure.
    UserErrorCode {
        InvalidInput = "INVALID_INPUT",
        /// The new password is too short, too long or too easy to guess.
        WeakPassword = "WEAK_PASSWORD",
        /// No account has this name and this password, or it is not active.
        InvalidCredentials = "INVALID_CREDENTIALS",
        /// The proof of the user is wrong.
        InvalidProof = "INVALID_PROOF",
        /// The login needs another proof; the answer has a challenge for it.
        SecondStepRequired = "SECOND_STEP_REQUIRED",
        /// The code or link was used, has expired, or belongs to an account that has changed since.
        ChallengeExpired = "CHALLENGE_EXPIRED",
        /// The account has an e-mail address that is not verified.
        EmailNotVerified = "EMAIL_NOT_VERIFIED",
        /// The account has no e-mail address.
        EmailNotConfigured = "EMAIL_NOT_CONFIGURED",
        /// Another account has the username, or one that looks like it.
        UsernameTaken = "USERNAME_TAKEN",
        EmailTaken = "EMAIL_TAKEN",
        /// Only administrators create accounts here.
        RegistrationClosed = "REGISTRATION_CLOSED",
        /// The refresh token was not issued here.
        RefreshTokenInvalid = "REFRESH_TOKEN_INVALID",
        RefreshTokenExpired = "REFRESH_TOKEN_EXPIRED",
        /// Another tab refreshed a moment ago: use the tokens it got. The session stays active.
        RefreshTokenStale = "REFRESH_TOKEN_STALE",
        /// The refresh token was used long ago; its session has been ended.
        RefreshTokenReused = "REFRESH_TOKEN_REUSED",
        SessionEnded = "SESSION_ENDED",
        RateLimited = "RATE_LIMITED",
        /// More hashing is waiting than the cores can do soon.
        Overloaded = "OVERLOADED",
        /// The object does not exist, or the caller may not know of it.
        NotFound = "NOT_FOUND",
        /// The account needs the factor, and has no other.
        LastCredential = "LAST_CREDENTIAL",
        Forbidden = "FORBIDDEN",
    }
}

/// An expected failure: data in the answer, not an error of the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UserError {
    pub code: UserErrorCode,
    /// Fit to be shown to people.
    pub message: Cow<'static, str>,
    pub field: Field,
    /// Time to wait before the next attempt; `None` where waiting does not help.
    pub retry_after: Option<Duration>,
}

impl UserError {
    #[must_use]
    pub fn new(code: UserErrorCode, field: Field, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), field, retry_after: None }
    }

    #[must_use]
    pub fn invalid(field: Field, error: impl std::fmt::Display) -> Self {
        Self::new(UserErrorCode::InvalidInput, field, error.to_string())
    }

    #[must_use]
    pub fn weak(field: Field, error: &WeakPassword) -> Self {
        Self::new(UserErrorCode::WeakPassword, field, error.to_string())
    }

    /// The text does not name the limit: that would tell which names exist.
    #[must_use]
    pub fn rate_limited(wait: Duration) -> Self {
        const MESSAGE: &str = "Too many attempts. Wait before the next attempt.";
        let error = Self::new(UserErrorCode::RateLimited, Field::Input, MESSAGE);
        Self { retry_after: Some(wait), ..error }
    }

    #[must_use]
    pub fn overloaded(wait: Duration) -> Self {
        const MESSAGE: &str = "The service is overloaded. Try again soon.";
        let error = Self::new(UserErrorCode::Overloaded, Field::Input, MESSAGE);
        Self { retry_after: Some(wait), ..error }
    }

    #[must_use]
    pub fn not_found(field: Field) -> Self {
        Self::new(UserErrorCode::NotFound, field, "No object with this ID was found.")
    }
}
