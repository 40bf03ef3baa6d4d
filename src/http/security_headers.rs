//! Security headers of every response.
//!
//! By default a response is not cached, its type is not guessed, it is not framed or embedded by
//! other origins, and it runs no script. Pages and public keys set some of the headers otherwise.

use axum::http::HeaderName;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::Response;

use super::header_names::CROSS_ORIGIN_RESOURCE_POLICY;

/// For responses that pages of any origin may load.
pub(super) const CROSS_ORIGIN: (HeaderName, HeaderValue) =
    (CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));

const ALLOW_NOTHING: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Headers that are added where the response does not have them.
pub(super) const DEFAULTS: [(HeaderName, &str); 6] = [
    (CACHE_CONTROL, "no-store"),
    (CONTENT_SECURITY_POLICY, ALLOW_NOTHING),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
];

/// Two years, as the preload lists of browsers require. Without `includeSubDomains`: subdomains may
/// belong to others.
const TWO_YEARS_TLS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// `tls`: whether the URL of the service is https, also where a proxy ends the TLS.
pub(super) fn add(response: &mut Response, tls: bool) {
    let headers = response.headers_mut();
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, TWO_YEARS_TLS);
    }
}
