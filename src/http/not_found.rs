//! Response for paths that are not served.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

pub(super) async fn not_found() -> Response {
    let body = json!({ "errors": [{ "message": "Path not found. GraphQL is at /graphql." }] });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}
