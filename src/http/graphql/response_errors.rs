//! Errors of a GraphQL response, limited to what a client may see.
//!
//! Every error has a code, a request id and a message of one short line. The resolvers give expected
//! errors a code. An error without a code is either one of async-graphql, which is recognized by its
//! wording (tests compare the wording with the library), or an internal error, which is logged and
//! hidden from the client.

use std::borrow::Cow;

use async_graphql::{ErrorExtensionValues, PathSegment, Response, ServerError};

use crate::graphql::document::{PreparedOperation, one_line};
use crate::graphql::{INTERNAL, MAX_ERRORS};
use crate::metrics::Outcome;
use crate::telemetry::RequestId;

/// Whether this is a request error (GraphQL specification, section 7.1.2): nothing was executed.
pub(super) fn is_request_error(response: &Response) -> bool {
    response.data == async_graphql::Value::Null
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
            match code(error, is_request_error, prepared) {
                Some(code) => set_extension(error, "code", code),
                None => hide_internal(error),
            }
        }
        error.message = one_line(&without_value(&error.message));
        add_request_id(error, id);
    }
}

/// The message without a value of the request. The client may have sent a password in the wrong place,
/// and front ends log error messages.
fn without_value(message: &str) -> Cow<'_, str> {
    const NO_SUCH_VALUE: &str = " does not contain the value ";
    if message.starts_with("Expected input type \"")
        && let Some((expected, _)) = message.split_once(", found ")
    {
        return expected.into();
    }
    match message.split_once(NO_SUCH_VALUE) {
        Some((argument, _)) if message.starts_with("Invalid value for argument ") => {
            format!("{argument} does not contain this value").into()
        }
        _ => message.into(),
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
        Some(async_graphql::Value::String(code)) => Outcome::parse(code).unwrap_or(Outcome::Other),
        _ => Outcome::Other,
    }
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

/// The code of an error of async-graphql; `None` for an error of a resolver.
fn code(
    error: &ServerError,
    is_request_error: bool,
    prepared: &PreparedOperation,
) -> Option<&'static str> {
    // Errors of resolvers, converted by `?` or `into`, have a source; those of the library have none.
    if error.source.is_some() {
        return None;
    }
    let message = error.message.as_str();
    if is_input_value_error(message) {
        return Some("BAD_USER_INPUT");
    }
    if !is_request_error {
        return None;
    }
    Some(match message {
        "Query is too complex." | "Query is nested too deep." => "QUERY_TOO_COMPLEX",
        _ if is_variable_error(error, prepared) => "BAD_USER_INPUT",
        _ => "GRAPHQL_VALIDATION_FAILED",
    })
}

/// Whether an argument is invalid because of the value of a variable.
fn is_variable_error(error: &ServerError, prepared: &PreparedOperation) -> bool {
    if !error.message.starts_with("Invalid value for argument ") {
        return false;
    }
    let arguments = prepared.arguments_with_variables();
    error.locations.iter().any(|position| arguments.contains(position))
}

/// Whether this is the message of an `InputValueError`: the argument passed validation, and its type or
/// a validator refused it during execution.
fn is_input_value_error(message: &str) -> bool {
    message.starts_with("Failed to parse \"") || message.starts_with("Expected input type \"")
}

fn hide_internal(error: &mut ServerError) {
    let path: Vec<String> = error.path.iter().map(path_segment).collect();
    tracing::error!(error = error.message, path = path.join("."), "a resolver failed");
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
