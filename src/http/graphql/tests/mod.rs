//! GraphQL over HTTP through a router, with a small schema.

mod error_codes;
mod internal_errors;
mod requests;
mod responses;
mod schema;

use std::sync::Arc;

use async_graphql::Schema;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use serde_json::{Value, json};
use tower::ServiceExt;

use self::schema::{Caller, Mutation, Query, Ticks};
use super::engine::Engine;
use super::http_request::respond;
use crate::entropy::SeededEntropy;
use crate::graphql::ExecutionExtension;
use crate::graphql::document::Limits;
use crate::http::TrustedProxies;
use crate::http::middleware::{self, MiddlewareState, RESPONSE_TIMEOUT};
use crate::http::origin_check::AllowedOrigins;
use crate::telemetry::RequestIds;

const JSON: &str = "application/json";
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

fn app() -> Router {
    let schema = Schema::build(Query, Mutation, Ticks).extension(ExecutionExtension).finish();
    let engine = Engine::new(schema, Limits::default(), Arc::default());
    let state = MiddlewareState {
        ids: RequestIds::new(Arc::new(SeededEntropy::new(1))),
        metrics: Arc::default(),
        proxies: TrustedProxies::default(),
        origins: AllowedOrigins::new(&[], ""),
        tls: false,
        timeout: RESPONSE_TIMEOUT,
    };
    Router::new()
        .fallback(move |request: Request| async move {
            respond(&engine, request, |request| request.data(Caller("somebody")), || None).await
        })
        .layer(from_fn_with_state(Arc::new(state), middleware::run))
}

/// A response, with its body also as text for the order of its members.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap()
    }

    fn message(&self) -> &str {
        self.body["errors"][0]["message"].as_str().unwrap()
    }
}

/// Sends a request and checks the properties of every response.
async fn send(request: Request) -> Answer {
    let response = app().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap();
    let answer = Answer { status: parts.status, headers: parts.headers, text, body };

    assert!(
        answer.header("content-type").unwrap().ends_with("+json; charset=utf-8")
            || answer.header("content-type") == Some("application/json; charset=utf-8")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let id = answer.header("x-request-id").unwrap();
    for error in answer.body["errors"].as_array().into_iter().flatten() {
        let message = error["message"].as_str().unwrap();
        assert!(message.chars().count() <= 301 && !message.contains('\n'), "{message}");
        assert!(error["extensions"]["code"].is_string(), "{error}");
        assert_eq!(error["extensions"]["requestId"], id);
    }
    answer
}

fn post(body: impl Into<Body>) -> Request {
    Request::post("/").header(CONTENT_TYPE, JSON).body(body.into()).unwrap()
}

fn accepting(accept: &str, mut request: Request) -> Request {
    request.headers_mut().insert(ACCEPT, accept.parse().unwrap());
    request
}

/// Posts a query and its variables.
async fn ask(accept: &str, query: &str, variables: Value) -> Answer {
    let body = json!({ "query": query, "variables": variables });
    send(accepting(accept, post(body.to_string()))).await
}

fn get(parameters: &str) -> Request {
    Request::get(format!("/?{parameters}")).body(Body::empty()).unwrap()
}
