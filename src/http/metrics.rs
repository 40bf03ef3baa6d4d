//! Router of the metrics listener, which is separate from that of the API so that metrics are not
//! public.

use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::graphql::Subscribers;
use crate::auth::Auth;
use crate::metrics;

pub fn metrics_router(auth: Arc<Auth>, subscribers: Arc<Subscribers>) -> Router {
    let text = move || async move {
        let text = auth.system.metrics_text(subscribers.open());
        ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
    };
    Router::new().route("/metrics", get(text))
}
