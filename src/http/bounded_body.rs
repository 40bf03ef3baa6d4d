//! Request bodies of bounded size, read as a whole.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use http_body::Body as _;

use super::server::{is_body_memory_exhausted, is_body_timeout};

/// Four times the longest document, which leaves space for variables and JSON escapes.
const MAX_BODY_BYTES: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BodyError {
    #[error("The request body is too large. The limit is 64 KiB.")]
    TooLarge,
    /// The body did not arrive before its deadline.
    #[error("The request body did not arrive in time. Try again.")]
    Timeout,
    /// Request bodies use all memory that they may use.
    #[error("The service is receiving too many large requests. Try again later.")]
    NoMemory,
    /// The decompressed size is unknown in advance.
    #[error(
        "The request body is compressed, which is not supported. Send it without Content-Encoding."
    )]
    Compressed,
    #[error("The request body is incomplete.")]
    Incomplete,
}

/// Reads a body. A declared length above the limit is refused before anything is read.
pub(super) async fn read(mut request: Request) -> Result<Bytes, BodyError> {
    if is_compressed(request.headers()) {
        return Err(BodyError::Compressed);
    }
    let declared = usize::try_from(request.body().size_hint().lower()).unwrap_or(usize::MAX);
    if declared > MAX_BODY_BYTES {
        return Err(BodyError::TooLarge);
    }
    DefaultBodyLimit::max(MAX_BODY_BYTES).apply(&mut request);
    Bytes::from_request(request, &()).await.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => BodyError::TooLarge,
        _ if is_body_timeout(&error) => BodyError::Timeout,
        _ if is_body_memory_exhausted(&error) => BodyError::NoMemory,
        _ => BodyError::Incomplete,
    })
}

/// Whether the body has a content coding other than `identity`.
fn is_compressed(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let codings = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let mut codings = codings.map(<[u8]>::trim_ascii).filter(|coding| !coding.is_empty());
    codings.any(|coding| !coding.eq_ignore_ascii_case(b"identity"))
}
