//! Whether the process is alive, and whether it can do its work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::auth::{Auth, Check};

/// Alive. It asks nobody: a database that is away is no reason to restart the process.
pub(super) async fn alive() -> Response {
    Json(json!({ "alive": true })).into_response()
}

/// Ready, or why not.
pub(super) async fn ready(State(auth): State<Arc<Auth>>) -> Response {
    let checks = auth.system.readiness().await;
    let told = |check: Check| {
        let (Ok(words) | Err(words)) = check.outcome;
        (check.name.to_owned(), Value::from(words))
    };
    let reasons: Vec<String> = checks.iter().filter_map(Check::impediment).collect();
    let ready = reasons.is_empty();
    let checks: Map<String, Value> = checks.into_iter().map(told).collect();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = Json(json!({ "ready": ready, "reasons": reasons, "checks": checks }));
    (status, body).into_response()
}
