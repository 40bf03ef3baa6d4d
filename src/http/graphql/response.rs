//! The answer as bytes.
//!
//! Rule: always JSON, never stored, never guessed at; the fields of `data` stand in the order in
//! which they were asked for.

use std::collections::BTreeMap;

use async_graphql::{ServerError, Value};
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::accept::MediaType;
use super::errors;
use super::rejection::Rejection;
use crate::http::record::Ended;
use crate::telemetry::RequestId;

/// What is sent where an answer cannot be written.
const UNWRITABLE: &str = r#"{"errors":[{"message":"The answer could not be written","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#;

/// The answer to what was handed to the executor.
pub(super) fn executed(answer: async_graphql::Response, media_type: MediaType) -> Response {
    let nothing_ran = errors::nothing_ran(&answer);
    let status = if nothing_ran { media_type.status_of_request_error() } else { StatusCode::OK };
    let mut response = json(status, media_type, &Answer::of(&answer));
    // Ours win: a resolver adds cookies, it does not decide how the answer is read.
    let own = std::mem::replace(response.headers_mut(), answer.http_headers);
    for (name, value) in &own {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

/// The answer to what never came to the executor.
pub(super) fn rejected(
    rejection: Rejection,
    media_type: MediaType,
    id: Option<RequestId>,
) -> Response {
    let status = rejection.status(media_type);
    let advice = rejection.advice();
    let mut response = error(status, media_type, rejection.into(), id);
    response.headers_mut().extend(advice);
    response
}

/// An answer that is one error.
pub(super) fn error(
    status: StatusCode,
    media_type: MediaType,
    mut error: ServerError,
    id: Option<RequestId>,
) -> Response {
    errors::name(&mut error, id);
    let body = Answer { data: None, errors: &[error], extensions: &BTreeMap::new() };
    json(status, media_type, &body)
}

/// The response map of the GraphQL specification (section 7.1).
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

impl<'a> Answer<'a> {
    /// What a client is told of this.
    pub(super) fn of(answer: &'a async_graphql::Response) -> Self {
        // The key itself says that something ran.
        let data = (!errors::nothing_ran(answer)).then_some(&answer.data);
        Self { data, errors: &answer.errors, extensions: &answer.extensions }
    }
}

/// The answer as JSON.
pub(super) fn text(answer: &async_graphql::Response) -> Vec<u8> {
    written(&Answer::of(answer)).unwrap_or_else(|| UNWRITABLE.into())
}

fn written(answer: &Answer<'_>) -> Option<Vec<u8>> {
    let written = serde_json::to_vec(answer);
    written.inspect_err(|error| tracing::error!(%error, "an answer could not be written")).ok()
}

fn json(status: StatusCode, media_type: MediaType, answer: &Answer<'_>) -> Response {
    let (status, body) = match written(answer) {
        Some(body) => (status, Body::from(body)),
        None => (StatusCode::INTERNAL_SERVER_ERROR, Body::from(UNWRITABLE)),
    };
    let mut response = Response::new(body);
    response.extensions_mut().insert(Ended(errors::outcome(answer.errors)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media_type.content_type());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
