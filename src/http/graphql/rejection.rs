//! Why a request is answered without executing anything.

use async_graphql::{ErrorExtensionValues, ServerError};
use axum::http::header::{ACCEPT_ENCODING, ALLOW, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};

use super::accept::MediaType;
use crate::graphql::document::{Refusal, one_line};

/// A request that is not a GraphQL request, or whose document is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rejection {
    /// Not what GraphQL over HTTP calls well formed.
    #[error("{0}")]
    Malformed(String),
    /// Neither GET nor POST.
    #[error("GraphQL is served by POST, and by GET for queries")]
    MethodNotAllowed,
    /// A mutation or subscription by GET: any page could make a browser send it.
    #[error("Only queries run by GET: send this operation by POST")]
    QueriesOnly,
    /// `Accept` names nothing that is served here.
    #[error(
        "This is served as application/json, application/graphql-response+json and text/event-stream"
    )]
    NotAcceptable,
    /// More bytes than any honest request has.
    #[error("The body is too large: at most 64 kB are accepted")]
    TooLarge,
    /// No host, or not one.
    #[error("The request must name one host, in one well formed Host header")]
    NoHost,
    /// More bytes of address and headers than any honest request has.
    #[error("The head of the request is too large: at most 16 kB are accepted")]
    HeadTooLarge,
    /// A body of which only a part came in time.
    #[error("The body did not come in time")]
    TooSlow,
    /// A body for which there is no memory left.
    #[error("Too many large requests are being received: try again")]
    Crowded,
    /// A request behind answers that the client does not read.
    #[error("Earlier answers on this connection are not read: read them and try again")]
    Unread,
    /// An introspection behind too many others.
    #[error("Too many introspections are under way: try again")]
    Introspections,
    /// A body that is not JSON by its own account. Browsers send the other types to other origins
    /// without asking first.
    #[error("The body must be JSON, with Content-Type: application/json")]
    UnsupportedMediaType,
    /// A body that is compressed: how much it would become nobody knows beforehand.
    #[error(
        "The body is compressed (Content-Encoding), and only uncompressed bodies are accepted: send \
         it without Content-Encoding"
    )]
    Compressed,
    /// A socket that a page of another origin wants to open.
    #[error("Pages of this origin may not open a socket here")]
    OtherOrigin,
    /// A socket on which something else is to be spoken.
    #[error("Sockets speak graphql-transport-ws here: name it in Sec-WebSocket-Protocol")]
    OtherProtocol,
    /// One subscription more than there may be at a time.
    #[error("Too many subscriptions are open: close some, or come back later")]
    TooMany,
    /// A well formed request whose document or variables are not.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Rejection {
    /// The status of the answer.
    pub(super) fn status(&self, media_type: MediaType) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::OtherProtocol | Self::NoHost => StatusCode::BAD_REQUEST,
            Self::OtherOrigin => StatusCode::FORBIDDEN,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::MethodNotAllowed | Self::QueriesOnly => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Crowded | Self::Unread | Self::Introspections => StatusCode::SERVICE_UNAVAILABLE,
            Self::UnsupportedMediaType | Self::Compressed => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            // Expected by the clients that send a hash first, and no mistake of theirs.
            Self::Refused(Refusal::DocumentNotFound) => StatusCode::OK,
            Self::Refused(_) => media_type.status_of_request_error(),
        }
    }

    /// The header that says what would be accepted (`Allow`, which a 405 must have, and
    /// `Accept-Encoding`), or when.
    pub(super) fn advice(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::MethodNotAllowed => Some((ALLOW, HeaderValue::from_static("GET, POST"))),
            Self::QueriesOnly => Some((ALLOW, HeaderValue::from_static("POST"))),
            Self::Compressed => Some((ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
            Self::Crowded | Self::Unread | Self::Introspections => {
                Some((RETRY_AFTER, HeaderValue::from_static("1")))
            }
            _ => None,
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
            | Rejection::Crowded
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
