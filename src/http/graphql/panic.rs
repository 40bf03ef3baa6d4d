//! The answers where there is none: a resolver panicked, which would otherwise be a closed
//! connection, or takes too long; or the request came to no route at all.

use std::any::Any;

use axum::http::StatusCode;
use axum::response::Response;

use super::accept::MediaType;
use super::rejection::Rejection;
use super::{errors, response};
use crate::telemetry::RequestId;

/// The answer to a request that panicked: the panic is logged, and the client is told what it is told
/// of every fault of ours.
pub(in crate::http) fn panic_response(panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("not a text");
    tracing::error!(panic = text, "a request panicked");
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
