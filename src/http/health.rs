//! Liveness and readiness probes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::auth::{Auth, Check};

/// Liveness. It does not query the database: restarting the process would not help where the database
/// is unavailable.
pub(super) async fn alive() -> Response {
    Json(json!({ "alive": true })).into_response()
}

/// Readiness, with the result of each check.
pub(super) async fn ready(State(auth): State<Arc<Auth>>) -> Response {
    let checks = auth.system.readiness().await;
    let entry = |check: Check| {
        let (Ok(words) | Err(words)) = check.outcome;
        (check.name.to_owned(), Value::from(words))
    };
    let reasons: Vec<String> = checks.iter().filter_map(Check::impediment).collect();
    let ready = reasons.is_empty();
    let checks: Map<String, Value> = checks.into_iter().map(entry).collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = Json(json!({ "ready": ready, "reasons": reasons, "checks": checks }));
    (status, body).into_response()
}
