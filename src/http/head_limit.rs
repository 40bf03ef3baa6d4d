//! Size limit of the head of a request.
//!
//! A head above this limit is refused with a message. A head that does not fit into the read buffer of
//! the server, which is a little larger, is refused by the HTTP library with the status alone.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};

/// Bytes of the target and the headers.
const MAX_BYTES: usize = 16 * 1024;

/// Bytes of a header beside its name and its value.
const SEPARATORS: usize = ": \r\n".len();

pub(super) fn is_too_large(request: &Request) -> bool {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let header =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + SEPARATORS;
    target + request.headers().iter().map(header).sum::<usize>() > MAX_BYTES
}
