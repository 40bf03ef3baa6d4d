//! Responses as Django REST framework renders them: compact JSON, and the same headers.

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::http::operation_log::RequestOutcome;
use crate::metrics::Outcome;

/// One answer of a view.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    body: Vec<u8>,
    /// Whole seconds to wait before the next attempt.
    retry_after: Option<u64>,
}

/// What is wrong with a request as a whole.
#[derive(Serialize)]
struct Detail<'a> {
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
}

/// Fields and what is wrong with each, in their order.
struct FieldErrors<'a>(&'a [(&'a str, &'a str)]);

impl Serialize for FieldErrors<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(field, message)| (field, [message])))
    }
}

impl Answer {
    pub(super) fn new(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self { status, body, retry_after: None },
            Err(error) => {
                tracing::error!(%error, "serialization of a response failed");
                Self::internal_error()
            }
        }
    }

    /// The empty object, for success without data.
    pub(super) fn done() -> Self {
        Self { status: StatusCode::OK, body: b"{}".to_vec(), retry_after: None }
    }

    pub(super) fn detail(status: StatusCode, detail: &str) -> Self {
        Self::new(status, &Detail { detail, code: None })
    }

    pub(super) fn coded(status: StatusCode, detail: &str, code: &str) -> Self {
        Self::new(status, &Detail { detail, code: Some(code) })
    }

    pub(super) fn field_errors(errors: &[(&str, &str)]) -> Self {
        Self::new(StatusCode::BAD_REQUEST, &FieldErrors(errors))
    }

    /// The log has the reason.
    pub(super) fn internal_error() -> Self {
        let body = br#"{"detail":"A server error occurred."}"#.to_vec();
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, body, retry_after: None }
    }

    #[must_use]
    pub(super) fn after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.extensions_mut().insert(RequestOutcome(outcome(self.status)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(VARY, HeaderValue::from_static("Accept"));
        headers.insert(ALLOW, HeaderValue::from_static("POST, OPTIONS"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer realm="api""#));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

fn outcome(status: StatusCode) -> Outcome {
    match status {
        StatusCode::UNAUTHORIZED => Outcome::Unauthenticated,
        StatusCode::TOO_MANY_REQUESTS => Outcome::Other,
        StatusCode::SERVICE_UNAVAILABLE => Outcome::Unavailable,
        status if status.is_server_error() => Outcome::Internal,
        status if status.is_client_error() => Outcome::BadUserInput,
        _ => Outcome::Ok,
    }
}
