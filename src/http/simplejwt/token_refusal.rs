//! Refusals of tokens, in the words of SimpleJWT.

use axum::http::StatusCode;

use super::answer::Answer;
use crate::auth::{TokenRefusal, TokenStatus, TokenType};

/// Reasons that SimpleJWT has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Invalid,
    Expired,
    WrongType,
    /// Rotated, or its session has ended.
    Blacklisted,
}

impl Refused {
    /// Why a token is of no use to a view that takes tokens of any type; `None` if it is.
    pub(super) fn of_any(status: &TokenStatus) -> Option<Self> {
        Some(match status.reason? {
            TokenRefusal::Expired => Self::Expired,
            TokenRefusal::Rotated | TokenRefusal::SessionEnded => Self::Blacklisted,
            TokenRefusal::Malformed
            | TokenRefusal::Invalid
            | TokenRefusal::WrongType
            | TokenRefusal::Foreign => Self::Invalid,
        })
    }

    /// Why a token is of no use to a view that takes refresh tokens; `None` if it is.
    pub(super) fn of_refresh(status: &TokenStatus) -> Option<Self> {
        let refused = Self::of_any(status);
        let is_other = status.kind == Some(TokenType::Access)
            || status.reason == Some(TokenRefusal::WrongType);
        // SimpleJWT looks at the expiry first, and blacklists refresh tokens only.
        if is_other && refused != Some(Self::Expired) { Some(Self::WrongType) } else { refused }
    }

    pub(super) fn answer(self) -> Answer {
        let detail = match self {
            Self::Invalid => "Token is invalid",
            Self::Expired => "Token is expired",
            Self::WrongType => "Token has wrong type",
            Self::Blacklisted => "Token is blacklisted",
        };
        Answer::coded(StatusCode::UNAUTHORIZED, detail, "token_not_valid")
    }
}
