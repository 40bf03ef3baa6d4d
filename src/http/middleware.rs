//! Middleware of every request: request id, client address, head limit, deadline, panics, security
//! headers, CORS and the log.
//!
//! One middleware for all steps: a layer for each would clone the routes behind it and allocate a
//! future, for every request.
//!
//! Every request is answered within the deadline. Work that takes longer is completed in the
//! background, so a logout takes effect although its client is told to try again. The deadline is for
//! the head of the response: a subscription streams its body for as long as it likes.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;

use super::client_address::TrustedProxies;
use super::graphql::{head_too_large, invalid_host, panic_response, timeout_response};
use super::header_names::REQUEST_ID;
use super::operation_log::LoggedRequest;
use super::origin_check::AllowedOrigins;
use super::server::InvalidHost;
use super::{client_address, cors, head_limit, security_headers};
use crate::metrics::Metrics;
use crate::telemetry::RequestIds;

/// Deadline of a response. Longer than all timeouts of the database, whose errors say more.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct MiddlewareState {
    pub ids: RequestIds,
    pub metrics: Arc<Metrics>,
    pub proxies: TrustedProxies,
    pub origins: AllowedOrigins,
    /// Whether the URL of the service is https, also where a proxy ends the TLS.
    pub tls: bool,
    pub timeout: Duration,
}

/// The middleware function, for [`axum::middleware::from_fn_with_state`].
pub(super) async fn run(
    State(state): State<Arc<MiddlewareState>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = state.ids.next();
    request.extensions_mut().insert(id);
    client_address::insert(&mut request, &state.proxies);
    let mut response = id.scope(state.respond(request, next)).await;
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

impl MiddlewareState {
    async fn respond(&self, request: Request, next: Next) -> Response {
        let logged = LoggedRequest::start(&request);
        let listed_origin = self.origins.listed_sender(request.headers());
        let response = async {
            if request.extensions().get::<InvalidHost>().is_some() {
                invalid_host()
            } else if head_limit::is_too_large(&request) {
                head_too_large()
            } else {
                next.run(request).await
            }
        };
        let response = AssertUnwindSafe(response).catch_unwind();
        let mut response = match tokio::time::timeout(self.timeout, response).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => panic_response(),
            Err(_) => {
                tracing::error!("request timed out");
                timeout_response()
            }
        };
        security_headers::add(&mut response, self.tls);
        if let Some(origin) = listed_origin {
            cors::allow_reading(origin, &mut response);
        }
        logged.finish(&self.metrics, &response);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::telemetry::RequestId;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use axum::{Extension, Router};
    use tower::ServiceExt;

    async fn panic() {
        panic!("no answer")
    }

    fn app(timeout: Duration) -> Router {
        let state = MiddlewareState {
            ids: RequestIds::new(Arc::new(SeededEntropy::new(1))),
            metrics: Arc::default(),
            proxies: TrustedProxies::default(),
            origins: AllowedOrigins::new(&[], ""),
            tls: false,
            timeout,
        };
        let ids = |Extension(id): Extension<RequestId>| async move {
            format!("{id} {}", RequestId::current().unwrap())
        };
        Router::new()
            .route("/", get(ids))
            .route("/never", get(std::future::pending::<()>))
            .route("/panic", get(panic))
            .layer(from_fn_with_state(Arc::new(state), run))
    }

    /// Request id in the header of the response, status, and body.
    async fn ask(app: Router, path: &str) -> (String, u16, String) {
        let request = Request::get(path).header(REQUEST_ID, "mine").body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        let header = response.headers()[REQUEST_ID].to_str().unwrap().to_owned();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1000).await.unwrap();
        (header, status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_header_the_request_and_the_task_have_the_same_id() {
        let (header, _, body) = ask(app(RESPONSE_TIMEOUT), "/").await;
        assert_eq!(body, format!("{header} {header}"));
    }

    #[tokio::test]
    async fn each_request_has_an_id_of_its_own_whatever_it_brings() {
        let app = app(RESPONSE_TIMEOUT);
        let (first, second) = (ask(app.clone(), "/").await.0, ask(app, "/").await.0);
        assert_ne!(first, second);
        assert_ne!(first, "mine");
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_to_try_again() {
        let (id, status, body) = ask(app(Duration::from_millis(1)), "/never").await;
        assert_eq!(status, 503);
        assert!(body.contains("SERVICE_UNAVAILABLE") && body.contains(&id), "{body}");
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let (id, status, body) = ask(app(RESPONSE_TIMEOUT), "/panic").await;
        assert_eq!(status, 500);
        assert!(body.contains("INTERNAL_SERVER_ERROR") && body.contains(&id), "{body}");
    }
}
