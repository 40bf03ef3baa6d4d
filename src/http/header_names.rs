//! Names of HTTP headers for which the `http` crate has no constants.

use axum::http::HeaderName;

/// Id of the request, in every response.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A page can send these headers only by a script, and to another origin only after a preflight
/// request. The second one is Apollo's, which its users know.
pub(super) const CSRF_HEADERS: [HeaderName; 2] = [
    HeaderName::from_static("x-sallyport-csrf"),
    HeaderName::from_static("apollo-require-preflight"),
];

/// Relation of the page that caused a request to this service (Fetch Metadata). Browsers set it.
pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

pub(super) const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Turns off the buffering of a response by nginx and similar proxies.
pub(super) const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
