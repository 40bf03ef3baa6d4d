//! Cross-origin resource sharing (Fetch standard): permissions for pages of listed origins.
//!
//! The `Access-Control` headers of a response name the origin of the request only if it is listed.

use std::time::Duration;

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
    AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::Response;
use tower_http::cors::{AllowCredentials, AllowOrigin, CorsLayer};

use super::cors_headers::{COMMON_HEADERS, CorsHeader};
use super::header_names::{CSRF_HEADERS, REQUEST_ID};
use super::origin_check::AllowedOrigins;

/// Time for which browsers cache the response to a preflight request.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_hours(1);

/// Response headers that pages may read, beside those that the standard always allows.
const EXPOSED_HEADERS: [HeaderName; 3] = [REQUEST_ID, RETRY_AFTER, WWW_AUTHENTICATE];

/// Allows pages of any origin to read a public response, without credentials.
pub(super) const ANY_ORIGIN: (HeaderName, HeaderValue) =
    (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

/// Answers preflight requests and allows pages of listed origins to read responses; `None` where no
/// origin is listed. Pages may send the `extra` headers beside the common ones.
pub(super) fn layer(origins: &AllowedOrigins, extra: &[CorsHeader]) -> Option<CorsLayer> {
    if !origins.has_listed() {
        return None;
    }
    let (allowed, credentials) = (origins.clone(), origins.clone());
    let needed = [AUTHORIZATION, CONTENT_TYPE].into_iter().chain(CSRF_HEADERS);
    let common = COMMON_HEADERS.map(HeaderName::from_static);
    let extra = extra.iter().map(|CorsHeader(name)| name.clone());
    let headers: Vec<_> = needed.chain(common).chain(extra).collect();
    Some(
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(move |origin, _| allowed.is_listed(origin)))
            .allow_credentials(AllowCredentials::predicate(move |origin, _| {
                credentials.is_listed(origin)
            }))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(headers)
            .expose_headers(EXPOSED_HEADERS)
            .max_age(PREFLIGHT_MAX_AGE),
    )
}

/// Allows a page of a listed origin to read a response that did not pass the [`layer`]: one of
/// another route, or one of the middleware itself.
pub(super) fn allow_reading(origin: HeaderValue, response: &mut Response) {
    let headers = response.headers_mut();
    if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.append(VARY, HeaderValue::from_static("origin"));
    for name in EXPOSED_HEADERS {
        headers.append(ACCESS_CONTROL_EXPOSE_HEADERS, name.into());
    }
}
