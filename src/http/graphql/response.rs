//! HTTP responses with a GraphQL response as body.
//!
//! They are always JSON, never cached, and their type is not guessed. The fields of `data` are in the
//! order in which they were requested.

use std::collections::BTreeMap;

use async_graphql::{ServerError, Value};
use async_graphql_axum::GraphQLResponse;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::rejection::Rejection;
use super::response_errors;
use crate::http::media_type::MediaType;
use crate::http::operation_log::RequestOutcome;
use crate::telemetry::RequestId;

/// The body where a response cannot be serialized.
const NOT_SERIALIZABLE: &str = r#"{"errors":[{"message":"The answer could not be written","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#;

/// The HTTP response for what the executor returned.
pub(super) fn executed(response: async_graphql::Response, media_type: MediaType) -> Response {
    if response_errors::is_request_error(&response) {
        // `GraphQLResponse` would write `"data": null`, which means that the execution started.
        let status = media_type.status_of_request_error();
        return http_response(status, media_type, &ResponseMap::of(&response));
    }
    let outcome = RequestOutcome(response_errors::outcome(&response.errors));
    let challenge = response_errors::challenge(&response.errors);
    // It has the headers of resolvers, such as cookies. They do not replace those set here.
    let mut http = GraphQLResponse::from(response).into_response();
    http.extensions_mut().insert(outcome);
    set_headers(http.headers_mut(), media_type);
    if let Some(challenge) = challenge {
        http.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    http
}

/// The HTTP response for a request that was not executed.
pub(super) fn rejected(
    rejection: Rejection,
    media_type: MediaType,
    id: Option<RequestId>,
) -> Response {
    let status = rejection.status(media_type);
    let header = rejection.header();
    let mut response = error(status, media_type, rejection.into(), id);
    response.headers_mut().extend(header);
    response
}

/// An HTTP response with one error.
pub(super) fn error(
    status: StatusCode,
    media_type: MediaType,
    mut error: ServerError,
    id: Option<RequestId>,
) -> Response {
    response_errors::add_request_id(&mut error, id);
    let body = ResponseMap { data: None, errors: &[error], extensions: &BTreeMap::new() };
    http_response(status, media_type, &body)
}

/// The response map of the GraphQL specification (section 7.1).
#[derive(Serialize)]
pub(super) struct ResponseMap<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

impl<'a> ResponseMap<'a> {
    pub(super) fn of(response: &'a async_graphql::Response) -> Self {
        // By the specification a request error has no `data`, and `"data": null` means that the
        // execution started.
        let data = (!response_errors::is_request_error(response)).then_some(&response.data);
        Self { data, errors: &response.errors, extensions: &response.extensions }
    }
}

pub(super) fn to_json(response: &async_graphql::Response) -> Vec<u8> {
    serialize(&ResponseMap::of(response)).unwrap_or_else(|| NOT_SERIALIZABLE.into())
}

fn serialize(response: &ResponseMap<'_>) -> Option<Vec<u8>> {
    let json = serde_json::to_vec(response);
    json.inspect_err(|error| tracing::error!(%error, "serialization of a response failed")).ok()
}

fn http_response(
    status: StatusCode,
    media_type: MediaType,
    response: &ResponseMap<'_>,
) -> Response {
    let (status, body) = match serialize(response) {
        Some(body) => (status, Body::from(body)),
        None => (StatusCode::INTERNAL_SERVER_ERROR, Body::from(NOT_SERIALIZABLE)),
    };
    let mut http = Response::new(body);
    http.extensions_mut().insert(RequestOutcome(response_errors::outcome(response.errors)));
    *http.status_mut() = status;
    set_headers(http.headers_mut(), media_type);
    http
}

/// Sets the headers of every response, and replaces those of the same names.
fn set_headers(headers: &mut HeaderMap, media_type: MediaType) {
    headers.insert(CONTENT_TYPE, media_type.content_type());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}
