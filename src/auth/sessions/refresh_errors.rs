//! Errors of refresh tokens.

use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::crypto::TokenError;

pub(super) fn refused(code: UserErrorCode) -> Error {
    let message = match code {
        UserErrorCode::RefreshTokenExpired => "The refresh token has expired. Log in again.",
        UserErrorCode::RefreshTokenStale => {
            "The refresh token has just been rotated. Use the new refresh token."
        }
        UserErrorCode::RefreshTokenReused => {
            "The refresh token was used before, so its session has been ended. Log in again."
        }
        UserErrorCode::SessionEnded => "The session has ended. Log in again.",
        _ => "The refresh token is invalid. Log in again.",
    };
    UserError::new(code, Field::RefreshToken, message).into()
}

pub(super) fn unverified(error: TokenError) -> Error {
    refused(match error {
        TokenError::Expired => UserErrorCode::RefreshTokenExpired,
        _ => UserErrorCode::RefreshTokenInvalid,
    })
}

/// Whether no later refresh with the same token can succeed: then its cookie is cleared.
pub(super) fn is_final(error: &Error) -> bool {
    let Error::Refused(error) = error else { return false };
    matches!(
        error.code,
        UserErrorCode::RefreshTokenInvalid
            | UserErrorCode::RefreshTokenExpired
            | UserErrorCode::RefreshTokenReused
            | UserErrorCode::SessionEnded
    )
}
