//! Why a use case does not do what was asked.
//!
//! Rule: the list is closed. An expected refusal has a code, a message fit to be shown and the path
//! of the input it is about; everything else is about who asks, or about the service itself.

use std::borrow::Cow;
use std::time::Duration;

use crate::crypto::{CryptoError, TokenError};
use crate::domain::password::WeakPassword;
use crate::domain::session::EndReason;
use crate::domain::words;
use crate::revocation::Stale;
use crate::store;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An expected refusal, told as data.
    #[error("{0}")]
    Refused(#[from] UserError),
    /// Whoever asks may not.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// Not now: the database is away.
    #[error("the service is not available at the moment")]
    Unavailable(#[source] store::Error),
    /// A bug or a broken installation.
    #[error("the service failed")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        if error.is_temporary() { Self::Unavailable(error) } else { Self::Internal(error.into()) }
    }
}

impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        Self::Internal(error.into())
    }
}

/// Why a protected field is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// Nobody is logged in, as far as the request shows.
    #[error("{0}")]
    Unauthenticated(Reason),
    /// Somebody is, and may not do this.
    #[error("this needs another role")]
    Forbidden,
    /// It cannot be told whether the session still lives.
    #[error(transparent)]
    Stale(#[from] Stale),
}

words! {
    /// Why a request counts as nobody's.
    Reason {
        /// It brings no token.
        NoToken = "NO_TOKEN",
        /// What it brings is no token.
        Malformed = "MALFORMED",
        /// Its token is not one of ours.
        Invalid = "INVALID",
        /// Its token has run out: refresh.
        Expired = "EXPIRED",
        /// Its token is for something else.
        WrongType = "WRONG_TYPE",
        /// Its session has ended: log in.
        SessionEnded = "SESSION_ENDED",
        /// Its account was deactivated.
        UserInactive = "USER_INACTIVE",
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoToken => "this needs an access token: Authorization: Bearer …",
            Self::Malformed => "this is not an access token",
            Self::Invalid => "this access token is not valid",
            Self::Expired => "this access token has expired",
            Self::WrongType => "this is not an access token but another kind of token",
            Self::SessionEnded => "this session has ended",
            Self::UserInactive => "this account is not active",
        })
    }
}

impl From<TokenError> for Reason {
    fn from(refusal: TokenError) -> Self {
        match refusal {
            TokenError::Malformed => Self::Malformed,
            TokenError::Invalid => Self::Invalid,
            TokenError::Expired => Self::Expired,
            TokenError::WrongType => Self::WrongType,
        }
    }
}

impl From<EndReason> for Reason {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::UserDeactivated => Self::UserInactive,
            _ => Self::SessionEnded,
        }
    }
}

words! {
    /// What an expected refusal is called.
    UserErrorCode {
        /// A text or a value is not what it should be.
        InvalidInput = "INVALID_INPUT",
        /// The new password is too short, too long or too easy to guess.
        WeakPassword = "WEAK_PASSWORD",
        /// No account has this name and this password, or it is not active.
        InvalidCredentials = "INVALID_CREDENTIALS",
        /// Another account has the username, or one that looks like it.
        UsernameTaken = "USERNAME_TAKEN",
        /// Another account has the e-mail address.
        EmailTaken = "EMAIL_TAKEN",
        /// Accounts are made by administrators here.
        RegistrationClosed = "REGISTRATION_CLOSED",
        /// The refresh token is not one of ours.
        RefreshTokenInvalid = "REFRESH_TOKEN_INVALID",
        /// The refresh token has run out: log in.
        RefreshTokenExpired = "REFRESH_TOKEN_EXPIRED",
        /// Another tab refreshed a moment ago: use the tokens it got. Nobody is logged out.
        RefreshTokenStale = "REFRESH_TOKEN_STALE",
        /// The refresh token was used long ago; its session has been ended.
        RefreshTokenReused = "REFRESH_TOKEN_REUSED",
        /// The session has ended: log in.
        SessionEnded = "SESSION_ENDED",
        /// Too many attempts: wait.
        RateLimited = "RATE_LIMITED",
        /// Too much to do: wait.
        Overloaded = "OVERLOADED",
        /// There is no such thing, as far as the caller may know.
        NotFound = "NOT_FOUND",
        /// The caller may not do this.
        Forbidden = "FORBIDDEN",
    }
}

/// An expected refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UserError {
    /// What it is called.
    pub code: UserErrorCode,
    /// What to tell people.
    pub message: Cow<'static, str>,
    /// The input it is about, from the field's arguments on.
    pub path: &'static [&'static str],
    /// How long to wait before trying again, where waiting helps.
    pub retry_after: Option<Duration>,
}

impl UserError {
    /// A refusal with a fixed text.
    #[must_use]
    pub fn new(
        code: UserErrorCode,
        path: &'static [&'static str],
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { code, message: message.into(), path, retry_after: None }
    }

    /// The input at `path` is not what it should be.
    #[must_use]
    pub fn invalid(path: &'static [&'static str], error: impl std::fmt::Display) -> Self {
        Self::new(UserErrorCode::InvalidInput, path, error.to_string())
    }

    /// The new password at `path` is weak.
    #[must_use]
    pub fn weak(path: &'static [&'static str], error: &WeakPassword) -> Self {
        Self::new(UserErrorCode::WeakPassword, path, error.to_string())
    }

    /// Too many wrong tries. The text does not say of what: that would tell which names exist.
    #[must_use]
    pub fn rate_limited(wait: Duration) -> Self {
        const MESSAGE: &str = "there were too many tries: wait before the next one";
        let refusal = Self::new(UserErrorCode::RateLimited, &["input"], MESSAGE);
        Self { retry_after: Some(wait), ..refusal }
    }

    /// There is more to hash than there are cores for.
    #[must_use]
    pub fn overloaded(wait: Duration) -> Self {
        const MESSAGE: &str = "there is too much to do at the moment: try again soon";
        let refusal = Self::new(UserErrorCode::Overloaded, &["input"], MESSAGE);
        Self { retry_after: Some(wait), ..refusal }
    }

    /// There is nothing of the id at `path` that the caller may know of.
    #[must_use]
    pub fn not_found(path: &'static [&'static str]) -> Self {
        Self::new(UserErrorCode::NotFound, path, "there is none with this id")
    }
}
