//! Expected failures as data of a payload.

use std::time::Duration;

use async_graphql::SimpleObject;

use super::error::expose;
use super::types::UserErrorCode;
use crate::auth::{self, Field};

/// Expected failure of a mutation, such as a wrong password.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// Code of the failure, for programs.
    code: UserErrorCode,
    /// Message for people, in English: what is wrong and what to do.
    message: String,
    /// Path of the input that the failure is about, from the arguments of the mutation, e.g.
    /// `["input", "password"]`.
    path: Vec<String>,
    /// Seconds to wait before the next attempt; null if waiting does not help.
    retry_after_seconds: Option<i32>,
}

impl From<auth::UserError> for UserError {
    fn from(refusal: auth::UserError) -> Self {
        Self {
            code: refusal.code.into(),
            message: refusal.message.into_owned(),
            path: path(refusal.field),
            retry_after_seconds: refusal.retry_after.map(seconds),
        }
    }
}

/// The path of a field of a use case's input, from the mutation's arguments on.
fn path(field: Field) -> Vec<String> {
    let name = match field {
        Field::Caller => return Vec::new(),
        Field::Input => return vec!["input".to_owned()],
        Field::Algorithm => "algorithm",
        Field::AttemptId => "attemptId",
        Field::ChallengeToken => "challengeToken",
        Field::Code => "code",
        Field::Credential => "credential",
        Field::CurrentPassword => "currentPassword",
        Field::Email => "email",
        Field::EmailVerified => "emailVerified",
        Field::Filter => "filter",
        Field::Locale => "locale",
        Field::Name => "name",
        Field::NewPassword => "newPassword",
        Field::Note => "note",
        Field::PasskeyId => "passkeyId",
        Field::Password => "password",
        Field::Proof => "proof",
        Field::RefreshToken => "refreshToken",
        Field::Role => "role",
        Field::SessionId => "sessionId",
        Field::SessionName => "sessionName",
        Field::Transport => "transport",
        Field::TrustedDeviceId => "trustedDeviceId",
        Field::UserId => "userId",
        Field::Username => "username",
    };
    vec!["input".to_owned(), name.to_owned()]
}

/// Whole seconds, rounded up: a client that comes back early would be refused again.
fn seconds(wait: Duration) -> i32 {
    i32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX)
}

/// Separates expected failures, which go into the payload, from all other errors.
pub(super) fn expected<T>(
    outcome: Result<T, auth::Error>,
) -> async_graphql::Result<Result<T, Vec<UserError>>> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(auth::Error::Refused(refusal)) => Ok(Err(vec![refusal.into()])),
        Err(error) => Err(expose(error)),
    }
}
