//! What of an error leaves the house.
//!
//! Rule: every error has a code, a request id and one short line. Our resolvers give their errors a
//! code; what comes without one is async-graphql's own or a mistake of ours. The first is told by
//! its wording, which a test holds against the library; all else is logged and told to nobody.

use std::borrow::Cow;

use async_graphql::{ErrorExtensionValues, PathSegment, Response, ServerError};

use crate::graphql::document::{Prepared, one_line};
use crate::graphql::{INTERNAL, MAX_ERRORS};
use crate::metrics::Outcome;
use crate::telemetry::RequestId;

/// Whether this is a request error of the GraphQL specification: nothing was executed.
pub(super) fn nothing_ran(response: &Response) -> bool {
    response.data == async_graphql::Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Codes the errors of the response to what was `prepared`, and removes what is not for the client.
pub(super) fn settle(response: &mut Response, prepared: &Prepared, id: Option<RequestId>) {
    let nothing_ran = nothing_ran(response);
    response.errors.truncate(MAX_ERRORS);
    for error in &mut response.errors {
        if !is_coded(error) {
            match code(error, nothing_ran, prepared) {
                Some(code) => set(error, "code", code),
                None => hide(error),
            }
        }
        error.message = one_line(&unrepeated(&error.message));
        name(error, id);
    }
}

/// The message without a value that it repeats. The client may have put a password where something
/// else belongs, and what errors say ends up in the logs of front ends.
fn unrepeated(message: &str) -> Cow<'_, str> {
    const NO_SUCH_VALUE: &str = " does not contain the value ";
    if message.starts_with("Expected input type \"")
        && let Some((expected, _)) = message.split_once(", found ")
    {
        return expected.into();
    }
    match message.split_once(NO_SUCH_VALUE) {
        Some((of, _)) if message.starts_with("Invalid value for argument ") => {
            format!("{of} does not contain this value").into()
        }
        _ => message.into(),
    }
}

/// Writes the request's id into the error.
pub(super) fn name(error: &mut ServerError, id: Option<RequestId>) {
    if let Some(id) = id {
        set(error, "requestId", &id.to_string());
    }
}

/// How a request with these errors ended: the code of the first one.
pub(super) fn outcome(errors: &[ServerError]) -> Outcome {
    let Some(first) = errors.first() else { return Outcome::Ok };
    let code = first.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    match code {
        Some(async_graphql::Value::String(code)) => Outcome::parse(code).unwrap_or(Outcome::Other),
        _ => Outcome::Other,
    }
}

/// A fault of ours, as the client is told.
pub(super) fn internal_error() -> ServerError {
    coded(INTERNAL, "INTERNAL_SERVER_ERROR")
}

/// An error of ours.
pub(super) fn coded(message: &str, code: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    set(&mut error, "code", code);
    error
}

/// The code of an error that async-graphql made; `None` where a resolver made it.
fn code(error: &ServerError, nothing_ran: bool, prepared: &Prepared) -> Option<&'static str> {
    // A resolver's error that was made by `?` or `into` keeps its source; the library's have none.
    if error.source.is_some() {
        return None;
    }
    let message = error.message.as_str();
    if is_of_an_input_value(message) {
        return Some("BAD_USER_INPUT");
    }
    if !nothing_ran {
        return None;
    }
    Some(match message {
        "Query is too complex." | "Query is nested too deep." => "QUERY_TOO_COMPLEX",
        _ if is_of_a_variable(error, prepared) => "BAD_USER_INPUT",
        _ => "GRAPHQL_VALIDATION_FAILED",
    })
}

/// Whether a value that does not fit its argument came out of the variables.
fn is_of_a_variable(error: &ServerError, prepared: &Prepared) -> bool {
    if !error.message.starts_with("Invalid value for argument ") {
        return false;
    }
    let arguments = prepared.arguments_with_variables();
    error.locations.iter().any(|place| arguments.contains(place))
}

/// Whether this is the text of an `InputValueError`: an argument that passed validation and that
/// its type or a validator then refused.
fn is_of_an_input_value(message: &str) -> bool {
    message.starts_with("Failed to parse \"") || message.starts_with("Expected input type \"")
}

fn hide(error: &mut ServerError) {
    let path: Vec<String> = error.path.iter().map(segment).collect();
    tracing::error!(error = error.message, path = path.join("."), "a resolver failed");
    let internal = internal_error();
    error.message = internal.message;
    error.extensions = internal.extensions;
}

fn segment(segment: &PathSegment) -> String {
    match segment {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    }
}

fn is_coded(error: &ServerError) -> bool {
    error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some())
}

fn set(error: &mut ServerError, name: &str, value: &str) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set(name, value);
}
