//! Mapping of errors to what clients see.
//!
//! Every error has a code, and no internal text leaves the service. A fault of the service is logged
//! here, once, with its causes. The client gets the ID of the request, which finds the line.

use async_graphql::{Error, ErrorExtensions};

use crate::auth::{self, Denial};

/// Message while the database is unavailable.
const UNAVAILABLE: &str = "The service is temporarily unavailable. Try again.";

/// Message of an internal error.
pub const INTERNAL: &str =
    "Internal error. The log of the service has the details under the ID of this request.";

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
            error.log();
            unavailable()
        }
        auth::Error::Internal(_) => {
            error.log();
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
