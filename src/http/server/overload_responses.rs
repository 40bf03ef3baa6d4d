//! Responses that the server sends instead of the router's when it is overloaded.
//!
//! They are built once: an overloaded server must not allocate for each client that it refuses.

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, RETRY_AFTER};
use axum::http::response::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

#[derive(Clone, Debug)]
pub(in crate::http) struct OverloadResponses {
    /// A complete HTTP/1.1 response, written to a connection that is above the limits.
    pub(super) connection_refused: Bytes,
    response_refused: Bytes,
}

impl OverloadResponses {
    /// Responses with these JSON bodies: for a connection that is refused, and for a response that is
    /// refused because unread responses use all memory. `headers` are added to the former; the latter
    /// has them from the router.
    pub(in crate::http) fn new(
        connection_refused: &[u8],
        headers: &[(HeaderName, &'static str)],
        response_refused: Bytes,
    ) -> Self {
        let length = connection_refused.len();
        let mut text = format!(
            "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n\
             content-type: application/json; charset=utf-8\r\ncontent-length: {length}\r\n"
        );
        for (name, value) in headers {
            text.extend([name.as_str(), ": ", value, "\r\n"]);
        }
        text.push_str("\r\n");
        let connection_refused = [text.as_bytes(), connection_refused].concat().into();
        Self { connection_refused, response_refused }
    }

    /// Turns the head of a response into that of the refusal, and returns the body of the refusal.
    pub(super) fn replace_response(&self, head: &mut Parts) -> Body {
        head.status = StatusCode::SERVICE_UNAVAILABLE;
        head.headers.remove(CONTENT_LENGTH);
        head.headers.remove(ETAG);
        head.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        head.headers.insert(CONTENT_TYPE, JSON);
        head.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        Body::from(self.response_refused.clone())
    }
}
