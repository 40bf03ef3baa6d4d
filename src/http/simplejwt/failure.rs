//! Errors that are no answer of a view: limits, and failures of the service.

use std::time::Duration;

use axum::http::StatusCode;

use super::answer::Answer;
use crate::auth::{Denial, Error, UserError, UserErrorCode};

/// The answer to an error that says nothing about the input. Failures of the service are logged.
///
/// # Errors
/// The error, where it is about the input.
pub(super) fn failure(error: Error) -> Result<Answer, UserError> {
    match error {
        Error::Refused(refused) => match refused.code {
            UserErrorCode::RateLimited => Ok(throttled(seconds(&refused))),
            UserErrorCode::Overloaded => {
                let answer = Answer::detail(StatusCode::SERVICE_UNAVAILABLE, &refused.message);
                Ok(answer.after(seconds(&refused)))
            }
            _ => Err(refused),
        },
        Error::Denied(Denial::Stale(_)) => Ok(unavailable()),
        Error::Unavailable(_) => {
            error.log();
            Ok(unavailable())
        }
        // No view asks for a login.
        Error::Denied(_) | Error::Internal(_) => {
            error.log();
            Ok(Answer::internal_error())
        }
    }
}

/// The answer to an error of a use case that refuses no input of this view.
pub(super) fn unexpected(error: Error) -> Answer {
    failure(error).unwrap_or_else(|refused| {
        Error::from(refused).log();
        Answer::internal_error()
    })
}

fn unavailable() -> Answer {
    const DETAIL: &str = "The service is temporarily unavailable. Try again.";
    Answer::detail(StatusCode::SERVICE_UNAVAILABLE, DETAIL)
}

fn throttled(wait: u64) -> Answer {
    let unit = if wait == 1 { "second" } else { "seconds" };
    let detail = format!("Request was throttled. Expected available in {wait} {unit}.");
    Answer::detail(StatusCode::TOO_MANY_REQUESTS, &detail).after(wait)
}

/// Whole seconds to wait, rounded up: a client that comes back early would be refused again.
fn seconds(refused: &UserError) -> u64 {
    let wait = refused.retry_after.unwrap_or(Duration::from_secs(1));
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
