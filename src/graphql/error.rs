//! Mapping of errors to what clients see.
//!
//! Every error has a code, and no internal text leaves the service. A fault of the service is logged
//! here, once, with its causes. The client gets the ID of the request, which finds the line.

use std::error::Error as _;
use std::time::Duration;

use async_graphql::{Error, ErrorExtensions, SimpleObject};

use super::types::UserErrorCode;
use crate::auth::{self, Denial, Field};

/// Message while the database is unavailable.
const UNAVAILABLE: &str = "the service is not available at the moment; try again";

/// Message of an internal error.
pub const INTERNAL: &str = "Something went wrong here; the log has it under this request's id";

/// The error as a client sees it at the top level of the response. Faults of the service are logged.
#[expect(clippy::needless_pass_by_value, reason = "it is used with map_err")]
pub(super) fn expose(error: auth::Error) -> Error {
    match &error {
        auth::Error::Refused(refusal) => bad_input(refusal.to_string()),
        auth::Error::Denied(Denial::Unauthenticated(reason)) => {
            with_code(reason.to_string(), "UNAUTHENTICATED")
                .extend_with(|_, extensions| extensions.set("reason", reason.as_str()))
        }
        auth::Error::Denied(Denial::ReauthenticationRequired { max_age, assurance }) => {
            with_code(error.to_string(), "UNAUTHENTICATED").extend_with(|_, extensions| {
                extensions.set("reason", "REAUTHENTICATION_REQUIRED");
                if let Some(max_age) = max_age {
                    extensions.set("maxAge", max_age.as_secs());
                }
                if let Some(assurance) = assurance {
                    extensions.set("assurance", assurance.as_str());
                }
            })
        }
        auth::Error::Denied(Denial::Forbidden) => with_code(error.to_string(), "FORBIDDEN"),
        auth::Error::Denied(Denial::Stale(_)) => unavailable(),
        auth::Error::Unavailable(_) => {
            log(&error);
            unavailable()
        }
        auth::Error::Internal(_) => {
            log(&error);
            with_code(INTERNAL, "INTERNAL_SERVER_ERROR")
        }
    }
}

/// The database is unavailable, and the log has the reason already.
pub(super) fn unavailable() -> Error {
    with_code(UNAVAILABLE, "SERVICE_UNAVAILABLE")
}

/// The input is wrong, in a field without a payload.
pub(super) fn bad_input(message: impl Into<String>) -> Error {
    with_code(message, "BAD_USER_INPUT")
}

/// The field is closed to this caller, or to all.
pub(super) fn forbidden(message: impl Into<String>) -> Error {
    with_code(message, "FORBIDDEN")
}

fn with_code(message: impl Into<String>, code: &'static str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

fn log(error: &auth::Error) {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    tracing::error!(causes = causes.join(": "), "{error}");
}

/// An expected failure, told as data.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// What it is called.
    code: UserErrorCode,
    /// What to tell people.
    message: String,
    /// The input that it is about, from the field's arguments on.
    path: Vec<String>,
    /// How long to wait before trying again, where waiting helps.
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
        Field::Input => return vec!["input".to_owned()],
        Field::Algorithm => "algorithm",
        Field::AttemptId => "attemptId",
        Field::CurrentPassword => "currentPassword",
        Field::Email => "email",
        Field::Filter => "filter",
        Field::Name => "name",
        Field::NewPassword => "newPassword",
        Field::Note => "note",
        Field::Password => "password",
        Field::RefreshToken => "refreshToken",
        Field::Role => "role",
        Field::SessionId => "sessionId",
        Field::SessionName => "sessionName",
        Field::Transport => "transport",
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
