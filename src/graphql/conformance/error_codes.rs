//! Codes of async-graphql's own errors, and their messages without values of the request.
//!
//! Specification: GraphQL (September 2025), section 7.1.2: `extensions` may have more on an error. The
//! clients of this service rely on `extensions.code`.
//! async-graphql 7.2 has errors without a kind: a `ServerError` is a message, positions and a path. The
//! hook for validation (`Extension::validation`) shows that an error is of validation, but not of which
//! rule, and an argument that its type refuses looks like an error of the resolver. So both are
//! recognized by their wording, which tests compare with the library. The messages also repeat values
//! of the request, whether or not the argument is marked as secret.
//! Upstream: <https://github.com/async-graphql/async-graphql/issues/1510> and
//! <https://github.com/async-graphql/async-graphql/issues/1174> (open).
//! Remove when: errors of async-graphql have a kind, and do not repeat values.

use std::borrow::Cow;
use std::collections::HashSet;

use async_graphql::{Pos, ServerError};

/// The code of an error of async-graphql; `None` for an error of a resolver.
/// `arguments_with_variables` has the positions of the arguments with a variable in their values.
pub(in crate::graphql) fn code(
    error: &ServerError,
    is_request_error: bool,
    arguments_with_variables: impl FnOnce() -> HashSet<Pos>,
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
    let is_variable_error = || {
        message.starts_with("Invalid value for argument ") && {
            let arguments = arguments_with_variables();
            error.locations.iter().any(|position| arguments.contains(position))
        }
    };
    Some(match message {
        "Query is too complex." | "Query is nested too deep." => "QUERY_TOO_COMPLEX",
        _ if is_variable_error() => "BAD_USER_INPUT",
        _ => "GRAPHQL_VALIDATION_FAILED",
    })
}

/// Whether this is the message of an `InputValueError`: the argument passed validation, and its type or
/// a validator refused it during execution.
fn is_input_value_error(message: &str) -> bool {
    message.starts_with("Failed to parse \"") || message.starts_with("Expected input type \"")
}

/// The message without a value of the request. The client may have sent a password in the wrong place,
/// and front ends log error messages.
#[must_use]
pub fn without_value(message: &str) -> Cow<'_, str> {
    const NO_SUCH_VALUE: &str = " does not contain the value ";
    if message.starts_with("Expected input type \"")
        && let Some((expected, _)) = message.split_once(", found ")
    {
        return expected.into();
    }
    match message.split_once(NO_SUCH_VALUE) {
        Some((argument, _)) if message.starts_with("Invalid value for argument ") => {
            format!("{argument} does not contain this value.").into()
        }
        _ => message.into(),
    }
}
