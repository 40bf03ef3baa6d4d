//! Error responses to requests that did not reach the GraphQL endpoint or failed in it: panics,
//! timeouts, invalid heads and overload.

use axum::http::StatusCode;
use axum::response::Response;

use super::rejection::Rejection;
use super::{response, response_errors};
use crate::http::media_type::MediaType;
use crate::telemetry::RequestId;

/// The response to a request that panicked. The panic hook has logged the panic.
pub(in crate::http) fn panic_response() -> Response {
    response::error(
        StatusCode::INTERNAL_SERVER_ERROR,
        MediaType::Json,
        response_errors::internal_error(),
        RequestId::current(),
    )
}

/// The response to a request that is not answered before its deadline.
pub(in crate::http) fn timeout_response() -> Response {
    const MESSAGE: &str = "The request took too long. Try again.";
    let error = response_errors::with_code(MESSAGE, "SERVICE_UNAVAILABLE");
    response::error(StatusCode::SERVICE_UNAVAILABLE, MediaType::Json, error, RequestId::current())
}

pub(in crate::http) fn head_too_large() -> Response {
    response::rejected(Rejection::HeadTooLarge, MediaType::Json, RequestId::current())
}

pub(in crate::http) fn invalid_host() -> Response {
    response::rejected(Rejection::InvalidHost, MediaType::Json, RequestId::current())
}

/// The body of the response on a connection above the limits.
pub(in crate::http) fn too_many_connections_body() -> Vec<u8> {
    unavailable("Too many connections are open. Try again later.")
}

/// The body of the response where unread responses use all memory.
pub(in crate::http) fn too_many_unread_body() -> Vec<u8> {
    unavailable("Too many responses are unread by their clients. Try again later.")
}

fn unavailable(message: &'static str) -> Vec<u8> {
    let error = response_errors::with_code(message, "SERVICE_UNAVAILABLE");
    response::to_json(&async_graphql::Response::from_errors(vec![error]))
}
