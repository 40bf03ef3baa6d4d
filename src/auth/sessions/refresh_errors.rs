//! Errors of refresh tokens.

use crate::auth::error::Error;
use crate::auth::input_field::Field;
use crate::auth::user_error::{UserError, UserErrorCode};
use crate::crypto::TokenError;

pub(super) fn refused(code: UserErrorCode) -> Error {
    let message = match code {
        UserErrorCode::RefreshTokenExpired => "this refresh token has expired: log in",
        UserErrorCode::RefreshTokenStale => {
            "this refresh token was used a moment ago: use the one that came in its place"
        }
        UserErrorCode::RefreshTokenReused => {
            "this refresh token was used before, so its session was ended: log in"
        }
        UserErrorCode::SessionEnded => "this session has ended: log in",
        _ => "this is not a valid refresh token",
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
