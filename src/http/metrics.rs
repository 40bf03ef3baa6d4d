//! The door of the monitoring, on a port of its own: what is counted is nobody else's business.

use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::graphql::Subscribers;
use crate::auth::Auth;
use crate::metrics;

/// The routes of the port of the metrics.
pub fn metrics_router(auth: Arc<Auth>, subscribers: Arc<Subscribers>) -> Router {
    let text = move || async move {
        let text = auth.system.metrics_text(subscribers.open());
        ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
    };
    Router::new().route("/metrics", get(text))
}
