//! What every answer says about itself, whatever it is an answer to.
//!
//! Rule: an answer that says nothing is not kept, not guessed at, not framed, not embedded elsewhere
//! and runs no script. One that says otherwise, a page or a public key, means it.

use axum::http::HeaderName;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::Response;

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// For what is everybody's to read.
pub(super) const READ_ANYWHERE: (HeaderName, HeaderValue) =
    (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));

const NOTHING: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What an answer may say otherwise.
pub(super) const DEFAULTS: [(HeaderName, &str); 6] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, NOTHING),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// Two years, as the lists of browsers ask. Of this host alone: what is beside it is not ours.
const ALWAYS_TLS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Adds them. `tls` is whether clients come by https, whoever ends the TLS.
pub(super) fn add(response: &mut Response, tls: bool) {
    let headers = response.headers_mut();
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, ALWAYS_TLS);
    }
}
