//! What every request passes on its way in, and its answer on its way out.
//!
//! Rule: one middleware. A layer for each of these steps would be a copy of the routes behind it and
//! a future on the heap, for every request.
//!
//! Nobody waits for ever, and nobody is left without an answer. What takes too long goes on where it
//! was begun, so a logout is done all the same while its client is told to ask again; an answer that
//! goes on and on, as a subscription's, begins in time.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;

use super::client_address::TrustedProxies;
use super::graphql::{head_too_large, host_missing, late_response, panic_response};
use super::origins::{self, Origins};
use super::server::NoHost;
use super::{client_address, head, record, security_headers};
use crate::metrics::Metrics;
use crate::telemetry::RequestIds;

/// The header of every answer that holds the request's id.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How long an answer may take: longer than any the database may.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What the steps need.
pub(super) struct Passage {
    /// Where ids come from.
    pub ids: RequestIds,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// Whose word on the client's address counts.
    pub proxies: TrustedProxies,
    /// Whose pages may read the answers.
    pub origins: Origins,
    /// Whether clients come by https, whoever ends the TLS.
    pub tls: bool,
    /// How long an answer may take.
    pub patience: Duration,
}

/// The middleware.
pub(super) async fn pass(
    State(passage): State<Arc<Passage>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = passage.ids.next();
    request.extensions_mut().insert(id);
    client_address::find(&mut request, &passage.proxies);
    let mut response = id.scope(passage.answer(request, next)).await;
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

impl Passage {
    async fn answer(&self, request: Request, next: Next) -> Response {
        let asked = record::Asked::of(&request);
        let listed = self.origins.listed_sender(request.headers());
        let answer = async {
            if request.extensions().get::<NoHost>().is_some() {
                host_missing()
            } else if head::is_too_large(&request) {
                head_too_large()
            } else {
                next.run(request).await
            }
        };
        let answer = AssertUnwindSafe(answer).catch_unwind();
        let mut response = match tokio::time::timeout(self.patience, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => panic_response(),
            Err(_) => {
                tracing::error!("a request took too long");
                late_response()
            }
        };
        security_headers::add(&mut response, self.tls);
        if let Some(origin) = listed {
            origins::let_read(origin, &mut response);
        }
        asked.record(&self.metrics, &response);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::telemetry::RequestId;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use axum::{Extension, Router, middleware};
    use tower::ServiceExt;

    async fn panic() {
        panic!("no answer")
    }

    fn app(patience: Duration) -> Router {
        let passage = Passage {
            ids: RequestIds::new(Arc::new(SeededEntropy::new(1))),
            metrics: Arc::default(),
            proxies: TrustedProxies::default(),
            origins: Origins::new(&[], &[], ""),
            tls: false,
            patience,
        };
        let ids = |Extension(id): Extension<RequestId>| async move {
            format!("{id} {}", RequestId::current().unwrap())
        };
        Router::new()
            .route("/", get(ids))
            .route("/never", get(std::future::pending::<()>))
            .route("/panic", get(panic))
            .layer(middleware::from_fn_with_state(Arc::new(passage), pass))
    }

    /// The request's id in the header of the answer, the status, and the body.
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
        let (header, _, body) = ask(app(PATIENCE), "/").await;
        assert_eq!(body, format!("{header} {header}"));
    }

    #[tokio::test]
    async fn each_request_has_an_id_of_its_own_whatever_it_brings() {
        let app = app(PATIENCE);
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
        let (id, status, body) = ask(app(PATIENCE), "/panic").await;
        assert_eq!(status, 500);
        assert!(body.contains("INTERNAL_SERVER_ERROR") && body.contains(&id), "{body}");
    }
}
