//! Request headers that pages of listed origins may send, beside those that the service reads.
//!
//! None of them can be a header that identifies the sender of a request or its address: browsers set
//! those, and pages cannot.

use std::str::FromStr;

use axum::http::HeaderName;

/// Client names of Apollo, and trace ids.
pub(super) const COMMON_HEADERS: [&str; 13] = [
    "apollographql-client-name",
    "apollographql-client-version",
    "traceparent",
    "tracestate",
    "baggage",
    "sentry-trace",
    "x-request-id",
    "x-datadog-trace-id",
    "x-datadog-parent-id",
    "x-datadog-origin",
    "x-datadog-sampling-priority",
    "x-datadog-sampled",
    "x-datadog-tags",
];

/// Headers that only browsers can set (Fetch standard, "forbidden request-header").
const FORBIDDEN_HEADERS: [&str; 21] = [
    "accept-charset",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "date",
    "dnt",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// Name of a header that pages of listed origins may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorsHeader(pub(super) HeaderName);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CorsHeaderError {
    /// The text is no header name.
    #[error("expected the name of a header, such as x-tenant, without wildcards")]
    InvalidName,
    /// Only browsers can set the header.
    #[error("browsers do not let pages send this header, so it cannot be allowed")]
    Forbidden,
}

impl FromStr for CorsHeader {
    type Err = CorsHeaderError;

    fn from_str(text: &str) -> Result<Self, CorsHeaderError> {
        // The list in an environment variable may have spaces after its commas.
        let name = text.trim().parse::<HeaderName>().map_err(|_| CorsHeaderError::InvalidName)?;
        let is_forbidden = FORBIDDEN_HEADERS.contains(&name.as_str())
            || ["proxy-", "sec-", "access-control-"]
                .iter()
                .any(|prefix| name.as_str().starts_with(prefix));
        match name.as_str() {
            // Valid in a header name, but a wildcard to browsers.
            text if text.contains('*') => Err(CorsHeaderError::InvalidName),
            _ if is_forbidden => Err(CorsHeaderError::Forbidden),
            _ => Ok(Self(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_pages_is_one_that_pages_can_send() {
        for text in ["x-tenant", "X-Tenant", " b3", "newrelic "] {
            assert_eq!(text.parse(), Ok(CorsHeader(text.trim().parse().unwrap())), "{text}");
        }
        for text in ["", "*", "x-*", "x tenant", "x-tenant:", "größe", "a\nb"] {
            assert_eq!(text.parse::<CorsHeader>(), Err(CorsHeaderError::InvalidName), "{text}");
        }
        for text in ["Cookie", "set-cookie", "origin", "host", "sec-fetch-site", "proxy-x", "via"] {
            assert_eq!(text.parse::<CorsHeader>(), Err(CorsHeaderError::Forbidden), "{text}");
        }
    }
}
