//! What resource servers read: the public keys, and where they are.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::origins::ANYBODY;
use super::security_headers::READ_ANYWHERE;
use crate::auth::{Auth, PUBLIC_KEYS_MAX_AGE};
use crate::crypto::algorithm::SigningAlgorithm;

/// How long verifiers may keep the keys.
fn cache() -> String {
    format!("public, max-age={}", PUBLIC_KEYS_MAX_AGE.as_secs())
}

/// What everybody may read, pages of any origin included.
const PUBLIC: [(HeaderName, HeaderValue); 2] = [ANYBODY, READ_ANYWHERE];

/// The public keys (RFC 7517, section 5).
pub(super) async fn jwks(State(auth): State<Arc<Auth>>, headers: HeaderMap) -> Response {
    let keys = auth.keys.ring();
    let jwks = keys.jwks();
    let common = [(CACHE_CONTROL, cache()), (ETAG, jwks.etag.clone())];
    let asked = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or("");
    let known = |tag: &str| tag == "*" || tag.trim_start_matches("W/") == jwks.etag;
    if asked.split(',').map(str::trim).any(known) {
        return (StatusCode::NOT_MODIFIED, PUBLIC, common).into_response();
    }
    (PUBLIC, common, [(CONTENT_TYPE, "application/jwk-set+json")], jwks.body.clone())
        .into_response()
}

/// What there is to know of the issuer (RFC 8414, section 2). There are no grants and no endpoints
/// for them: tokens are given by the GraphQL mutations.
pub(super) async fn authorization_server(State(auth): State<Arc<Auth>>) -> Response {
    let issuer = &auth.guard.issuer().issuer;
    let algorithms: Vec<&str> = SigningAlgorithm::ALL.iter().map(|one| one.as_str()).collect();
    let body: Json<Value> = Json(json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": [],
        "grant_types_supported": [],
        "access_token_signing_alg_values_supported": algorithms,
    }));
    (PUBLIC, [(CACHE_CONTROL, cache())], body).into_response()
}
