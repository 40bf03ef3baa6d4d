//! The headers that pages of listed origins may send, beside those that the service reads.
//!
//! Rule: nothing that a page may send here counts for anything: what says who calls, and from where,
//! is a browser's to write.

use std::str::FromStr;

use axum::http::HeaderName;

/// Names of Apollo's clients, and ids of traces.
pub(super) const USUAL_HEADERS: [&str; 13] = [
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

/// Headers that are a browser's to write and no page's (Fetch, "forbidden request-header").
const BROWSERS_HEADERS: [&str; 21] = [
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

/// A header that pages of listed origins may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageHeader(pub(super) HeaderName);

/// A text that names no such header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageHeaderError {
    /// No name of a header.
    #[error("a header is given by its name alone, such as x-tenant; there are no patterns")]
    NoName,
    /// One that browsers let no page send.
    #[error("browsers let no page send this header, so it cannot be allowed")]
    Browsers,
}

impl FromStr for PageHeader {
    type Err = PageHeaderError;

    fn from_str(text: &str) -> Result<Self, PageHeaderError> {
        // A list in a variable may have spaces after its commas.
        let name = text.trim().parse::<HeaderName>().map_err(|_| PageHeaderError::NoName)?;
        let is_browsers = BROWSERS_HEADERS.contains(&name.as_str())
            || ["proxy-", "sec-", "access-control-"]
                .iter()
                .any(|prefix| name.as_str().starts_with(prefix));
        match name.as_str() {
            // Valid in a name, and "any" to a browser.
            text if text.contains('*') => Err(PageHeaderError::NoName),
            _ if is_browsers => Err(PageHeaderError::Browsers),
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
            assert_eq!(text.parse(), Ok(PageHeader(text.trim().parse().unwrap())), "{text}");
        }
        for text in ["", "*", "x-*", "x tenant", "x-tenant:", "größe", "a\nb"] {
            assert_eq!(text.parse::<PageHeader>(), Err(PageHeaderError::NoName), "{text}");
        }
        for text in ["Cookie", "set-cookie", "origin", "host", "sec-fetch-site", "proxy-x", "via"] {
            assert_eq!(text.parse::<PageHeader>(), Err(PageHeaderError::Browsers), "{text}");
        }
    }
}
