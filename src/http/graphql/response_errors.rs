//! Errors of a GraphQL response, limited to what a client may see.
//!
//! Every error has a code, a request id and a message of one short line. The resolvers give expected
//! errors a code. An error without a code is either one of async-graphql, which gets the code of
//! [`PreparedOperation::error_code`], or an internal error, which is logged and hidden from the client.

use async_graphql::{ErrorExtensionValues, PathSegment, Response, ServerError, Value};
use axum::http::HeaderValue;

use crate::graphql::document::{PreparedOperation, one_line};
use crate::graphql::{INTERNAL, MAX_ERRORS, without_value};
use crate::metrics::Outcome;
use crate::telemetry::RequestId;

/// Whether this is a request error (GraphQL specification, section 7.1.2): nothing was executed.
pub(super) fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Adds codes and the request id to the errors, hides internal errors and shortens messages.
pub(super) fn sanitize(
    response: &mut Response,
    prepared: &PreparedOperation,
    id: Option<RequestId>,
) {
    let is_request_error = is_request_error(response);
    response.errors.truncate(MAX_ERRORS);
    for error in &mut response.errors {
        if !has_code(error) {
            match prepared.error_code(error, is_request_error) {
                Some(code) => set_extension(error, "code", code),
                None => hide_internal(error),
            }
        }
        error.message = one_line(&without_value(&error.message));
        add_request_id(error, id);
    }
}

pub(super) fn add_request_id(error: &mut ServerError, id: Option<RequestId>) {
    if let Some(id) = id {
        set_extension(error, "requestId", &id.to_string());
    }
}

/// The outcome of a request with these errors, by the code of the first one.
pub(super) fn outcome(errors: &[ServerError]) -> Outcome {
    let Some(first) = errors.first() else { return Outcome::Ok };
    let code = first.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    match code {
        Some(Value::String(code)) => Outcome::parse(code).unwrap_or(Outcome::Other),
        _ => Outcome::Other,
    }
}

/// The challenge of `WWW-Authenticate` where a field requires a fresher login (RFC 9470, section 3).
pub(super) fn challenge(errors: &[ServerError]) -> Option<HeaderValue> {
    let max_age = errors.iter().find_map(|error| {
        let extensions = error.extensions.as_ref()?;
        let reason = extensions.get("reason")?;
        let is_required = *reason == Value::String("REAUTHENTICATION_REQUIRED".to_owned());
        if is_required { extensions.get("maxAge") } else { None }
    })?;
    let text = format!(r#"Bearer error="insufficient_user_authentication", max_age={max_age}"#);
    HeaderValue::try_from(text).ok()
}

/// An internal error, as clients see it.
pub(super) fn internal_error() -> ServerError {
    with_code(INTERNAL, "INTERNAL_SERVER_ERROR")
}

pub(super) fn with_code(message: &str, code: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    set_extension(&mut error, "code", code);
    error
}

fn hide_internal(error: &mut ServerError) {
    let path: Vec<String> = error.path.iter().map(path_segment).collect();
    tracing::error!(error = error.message, path = path.join("."), "resolver failed");
    let internal = internal_error();
    error.message = internal.message;
    error.extensions = internal.extensions;
}

fn path_segment(segment: &PathSegment) -> String {
    match segment {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    }
}

fn has_code(error: &ServerError) -> bool {
    error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some())
}

fn set_extension(error: &mut ServerError, name: &str, value: &str) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set(name, value);
}
