//! The answers where there is none: a resolver panicked, which would otherwise be a closed
//! connection, or takes too long; or the request came to no route at all.

use axum::http::StatusCode;
use axum::response::Response;

use super::accept::MediaType;
use super::rejection::Rejection;
use super::{errors, response};
use crate::telemetry::RequestId;

/// The answer to a request that panicked, as to every internal error. The hook has logged the panic.
pub(in crate::http) fn panic_response() -> Response {
    response::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        MediaType::Json,
        errors::internal_error(),
        RequestId::current(),
    )
}

/// The answer to a request that took too long.
pub(in crate::http) fn late_response() -> Response {
    const MESSAGE: &str = "this took too long; try again";
    let error = errors::coded(MESSAGE, "SERVICE_UNAVAILABLE");
    response::error(StatusCode::SERVICE_UNAVAILABLE, MediaType::Json, error, RequestId::current())
}

/// The answer to a request whose head is too large to be looked at.
pub(in crate::http) fn head_too_large() -> Response {
    response::rejected(Rejection::HeadTooLarge, MediaType::Json, RequestId::current())
}

/// The answer to a request of which nobody can say to which host it goes.
pub(in crate::http) fn host_missing() -> Response {
    response::rejected(Rejection::NoHost, MediaType::Json, RequestId::current())
}

/// The body of the answer on a connection that is one too many.
pub(in crate::http) fn full_body() -> Vec<u8> {
    unavailable("too many connections are open; try again")
}

/// The body of the answer where too many others are not read.
pub(in crate::http) fn unread_body() -> Vec<u8> {
    unavailable("too many answers wait to be read by their clients; try again")
}

fn unavailable(message: &'static str) -> Vec<u8> {
    let error = errors::coded(message, "SERVICE_UNAVAILABLE");
    response::text(&async_graphql::Response::from_errors(vec![error]))
}
