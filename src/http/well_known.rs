//! Well-known documents: public keys and issuer metadata for resource servers, related origins for browsers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::cors::ANY_ORIGIN;
use super::security_headers::CROSS_ORIGIN;
use crate::auth::{Auth, PUBLIC_KEYS_MAX_AGE};
use crate::crypto::algorithm::SigningAlgorithm;
use crate::crypto::passkey::PasskeyOrigin;

/// Value of `Cache-Control`.
fn cache_control() -> String {
    format!("public, max-age={}", PUBLIC_KEYS_MAX_AGE.as_secs())
}

/// Headers that let pages of any origin read a document.
const PUBLIC: [(HeaderName, HeaderValue); 2] = [ANY_ORIGIN, CROSS_ORIGIN];

/// JSON Web Key Set (RFC 7517, section 5).
pub(super) async fn jwks(State(auth): State<Arc<Auth>>, headers: HeaderMap) -> Response {
    let keys = auth.keys.ring();
    let jwks = keys.jwks();
    let common = [(CACHE_CONTROL, cache_control()), (ETAG, jwks.etag.clone())];
    let if_none_match =
        headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or("");
    let is_current = |tag: &str| tag == "*" || tag.trim_start_matches("W/") == jwks.etag;
    if if_none_match.split(',').map(str::trim).any(is_current) {
        return (StatusCode::NOT_MODIFIED, PUBLIC, common).into_response();
    }
    (PUBLIC, common, [(CONTENT_TYPE, "application/jwk-set+json")], jwks.body.clone())
        .into_response()
}

/// Authorization server metadata (RFC 8414, section 2), without grants and without endpoints for them:
/// GraphQL mutations issue the tokens.
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
    (PUBLIC, [(CACHE_CONTROL, cache_control())], body).into_response()
}

/// Origins of other domains whose pages may use passkeys of this one (WebAuthn, section 5.11.1). Browsers read
/// the document at the domain itself.
pub(super) fn related_origins(origins: &[PasskeyOrigin]) -> Response {
    let origins: Vec<&str> = origins.iter().map(PasskeyOrigin::as_str).collect();
    (PUBLIC, [(CACHE_CONTROL, cache_control())], Json(json!({ "origins": origins })))
        .into_response()
}
