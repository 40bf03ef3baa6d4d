//! Errors of use cases.
//!
//! Three kinds: an expected failure, which is part of the answer ([`UserError`]); a caller without the
//! authority ([`Denial`]); and a failure of the service itself.

use std::error::Error as _;
use std::time::Duration;

use super::user_error::UserError;
use crate::crypto::CryptoError;
use crate::domain::assurance::Assurance;
use crate::domain::words;
use crate::revocation::Stale;
use crate::store;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An expected failure, which is data in the answer.
    #[error("{0}")]
    Refused(#[from] UserError),
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The database is away; trying again may help.
    #[error("The service is temporarily unavailable. Try again.")]
    Unavailable(#[source] store::Error),
    /// A bug or a broken installation.
    #[error("Internal error.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Logs a failure of the service with its causes, which clients do not see.
    pub fn log(&self) {
        let mut causes = Vec::new();
        let mut cause = self.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        tracing::error!(causes = causes.join(": "), "{self}");
    }
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

/// Reason why a caller is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The request carries no valid access token of an active session.
    #[error("{0}")]
    Unauthenticated(UnauthenticatedReason),
    /// The caller is logged in without the required role.
    #[error("You do not have the required role.")]
    Forbidden,
    /// The caller is logged in, but longer ago or by a weaker proof than required (RFC 9470, section 3).
    #[error(
        "The login is too old or too weak for this operation. Reauthenticate, and use the new access token."
    )]
    ReauthenticationRequired { max_age: Option<Duration>, assurance: Option<Assurance> },
    /// The set of ended sessions is too old to know whether the session is active.
    #[error(transparent)]
    Stale(#[from] Stale),
}

words! {
    /// Reason why a request counts as unauthenticated: `extensions.reason` of the error.
    UnauthenticatedReason {
        NoToken = "NO_TOKEN",
        Malformed = "MALFORMED",
        /// The token was not issued here, or was changed.
        Invalid = "INVALID",
        /// The client should refresh.
        Expired = "EXPIRED",
        /// A token of another kind than an access token.
        WrongType = "WRONG_TYPE",
        /// The client should log in.
        SessionEnded = "SESSION_ENDED",
        /// The account was deactivated.
        UserInactive = "USER_INACTIVE",
    }
}

impl std::fmt::Display for UnauthenticatedReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoToken => {
                "The access token is missing. Send the header `Authorization: Bearer <token>`."
            }
            Self::Malformed => "The access token is malformed. Log in again.",
            Self::Invalid => "The access token is invalid. Refresh it, or log in again.",
            Self::Expired => "The access token has expired. Refresh it.",
            Self::WrongType => "The token is of another type. Send an access token.",
            Self::SessionEnded => "The session has ended. Log in again.",
            Self::UserInactive => {
                "The account is deactivated. Ask an administrator to activate it."
            }
        })
    }
}
