//! Response for paths that are not served.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

pub(super) async fn not_found() -> Response {
    let body =
        json!({ "errors": [{ "message": "there is nothing here; GraphQL is at /graphql" }] });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}
