//! Reasons for which a request is rejected before its execution.

use async_graphql::{ErrorExtensionValues, ServerError};
use axum::http::header::{ACCEPT_ENCODING, ALLOW, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};

use crate::graphql::document::{Refusal, one_line};
use crate::http::bounded_body::BodyError;
use crate::http::media_type::MediaType;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rejection {
    /// Not well formed by the GraphQL over HTTP specification.
    #[error("{0}")]
    Malformed(String),
    /// Neither GET nor POST.
    #[error("The method is not supported. Use POST, or GET for queries.")]
    MethodNotAllowed,
    /// A mutation or subscription by GET. Any web page could make a browser send it.
    #[error("GET executes queries only. Send this operation by POST.")]
    QueriesOnly,
    /// `Accept` has no media type that the service can produce.
    #[error(
        "No media type in Accept is supported. Accept application/json, \
         application/graphql-response+json or text/event-stream."
    )]
    NotAcceptable,
    #[error("{}", BodyError::TooLarge)]
    TooLarge,
    #[error("The request must have exactly one valid Host header.")]
    InvalidHost,
    #[error("The request head is too large. The limit is 16 KiB.")]
    HeadTooLarge,
    /// The body did not arrive before its deadline.
    #[error("{}", BodyError::Timeout)]
    BodyTimeout,
    /// Request bodies use all memory that they may use.
    #[error("{}", BodyError::NoMemory)]
    NoBodyMemory,
    /// The client leaves earlier responses of its connection unread.
    #[error("Too many responses on this connection are unread. Read them and try again.")]
    Unread,
    /// The queue of introspections is full.
    #[error("Too many introspection queries are running. Try again later.")]
    Introspections,
    /// The body is not declared as JSON. Web pages can send some other types to other origins without a
    /// preflight request.
    #[error("The request body must be JSON, with Content-Type: application/json.")]
    UnsupportedMediaType,
    /// The body is compressed. Its decompressed size is unknown in advance.
    #[error("{}", BodyError::Compressed)]
    Compressed,
    /// A page of another origin tries to open a WebSocket.
    #[error("Pages of this origin are not allowed to open a WebSocket.")]
    OtherOrigin,
    /// A WebSocket with another subprotocol.
    #[error("The subprotocol must be graphql-transport-ws. Send it in Sec-WebSocket-Protocol.")]
    OtherProtocol,
    /// A quota of subscriptions is used up.
    #[error("Too many subscriptions are open. Close some or try again later.")]
    TooMany,
    /// The request is well formed, but its document or variables are invalid.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Rejection {
    pub(super) fn status(&self, media_type: MediaType) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::OtherProtocol | Self::InvalidHost => StatusCode::BAD_REQUEST,
            Self::OtherOrigin => StatusCode::FORBIDDEN,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::MethodNotAllowed | Self::QueriesOnly => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::NoBodyMemory | Self::Unread | Self::Introspections => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::UnsupportedMediaType | Self::Compressed => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            // APQ clients send a hash first and expect this error; the request is no mistake.
            Self::Refused(Refusal::DocumentNotFound) => StatusCode::OK,
            Self::Refused(_) => media_type.status_of_request_error(),
        }
    }

    /// The header with what is accepted instead (`Allow`, which a 405 must have, or `Accept-Encoding`), or
    /// with the time to wait before a retry.
    pub(super) fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::MethodNotAllowed => Some((ALLOW, HeaderValue::from_static("GET, POST"))),
            Self::QueriesOnly => Some((ALLOW, HeaderValue::from_static("POST"))),
            Self::Compressed => Some((ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
            Self::NoBodyMemory | Self::Unread | Self::Introspections => {
                Some((RETRY_AFTER, HeaderValue::from_static("1")))
            }
            _ => None,
        }
    }
}

impl From<BodyError> for Rejection {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Self::TooLarge,
            BodyError::Timeout => Self::BodyTimeout,
            BodyError::NoMemory => Self::NoBodyMemory,
            BodyError::Compressed => Self::Compressed,
            BodyError::Incomplete => Self::Malformed(error.to_string()),
        }
    }
}

impl From<Rejection> for ServerError {
    fn from(rejection: Rejection) -> Self {
        if let Rejection::Refused(refusal) = rejection {
            return refusal.into();
        }
        let code = match rejection {
            Rejection::OtherOrigin => "FORBIDDEN",
            Rejection::TooMany
            | Rejection::NoBodyMemory
            | Rejection::Unread
            | Rejection::Introspections => "SERVICE_UNAVAILABLE",
            _ => "BAD_USER_INPUT",
        };
        let mut error = Self::new(one_line(&rejection.to_string()), None);
        let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
        extensions.set("code", code);
        error
    }
}
