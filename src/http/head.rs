//! How large the head of a request may be.
//!
//! Rule: what is refused here is refused in words. The loop under the routes refuses by itself what
//! does not fit into its buffer, which is a little larger, and says no more than the status.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};

/// How many bytes the address and the headers may have.
const MAX: usize = 16 * 1024;

/// What a header takes beside its name and its value.
const SEPARATORS: usize = ": \r\n".len();

/// Whether it has more.
pub(super) fn is_too_large(request: &Request) -> bool {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let header =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + SEPARATORS;
    target + request.headers().iter().map(header).sum::<usize>() > MAX
}
