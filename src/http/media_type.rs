//! Media types of request bodies and responses: `Content-Type` and `Accept` (RFC 9110, sections 8.3
//! and 12.5.1).
//!
//! A GraphQL response is `application/json` wherever the client leaves the choice open: clients that
//! send `*/*` handle errors best where the status is 200.

use std::cmp::Reverse;

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::quality_values::{QualityValue, elements};

/// Whether the body of a request is declared as JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    is_declared_as(headers, "application/json")
}

/// Whether the body of a request is declared as a form without files.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    is_declared_as(headers, "application/x-www-form-urlencoded")
}

fn is_declared_as(headers: &HeaderMap, media_type: &str) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| essence(value).eq_ignore_ascii_case(media_type))
}

/// Whether the client names HTML, as browsers that navigate do and GraphQL clients do not.
pub(super) fn accepts_html(headers: &HeaderMap) -> bool {
    elements(headers, &ACCEPT).any(|range| essence(range).eq_ignore_ascii_case("text/html"))
}

/// Whether the client accepts a type that Django REST framework produces, whatever its quality. A client that
/// names none accepts any.
pub(super) fn accepts_json_or_html(headers: &HeaderMap) -> bool {
    const TYPES: [&str; 5] = ["*/*", "application/*", "application/json", "text/*", "text/html"];
    let mut ranges = elements(headers, &ACCEPT).map(essence).filter(|range| !range.is_empty());
    let matches = |range: &str| TYPES.iter().any(|name| range.eq_ignore_ascii_case(name));
    ranges.next().is_none_or(|first| matches(first) || ranges.any(matches))
}

/// A media type without its parameters.
fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// Media type of a GraphQL response (GraphQL over HTTP).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/json`: the status of every well formed request is 200.
    Json,
    /// `application/graphql-response+json`: the status depends on whether anything was executed.
    GraphqlResponse,
}

impl MediaType {
    fn essence(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::GraphqlResponse => "application/graphql-response+json",
        }
    }

    /// Status of the response to a well formed request of which nothing was executed.
    pub(super) fn status_of_request_error(self) -> StatusCode {
        match self {
            Self::Json => StatusCode::OK,
            Self::GraphqlResponse => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }
}

/// Forms of a GraphQL response that a client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AcceptedTypes {
    /// The preferred type of a single response.
    pub(super) single: Option<MediaType>,
    /// Whether the client names `text/event-stream`. A wildcard does not request a stream.
    pub(super) event_stream: bool,
}

/// The forms that the `Accept` headers accept.
pub(super) fn negotiate(headers: &HeaderMap) -> AcceptedTypes {
    let ranges: Vec<_> = QualityValue::all(headers, &ACCEPT).collect();
    if ranges.is_empty() && headers.get_all(ACCEPT).iter().all(HeaderValue::is_empty) {
        return AcceptedTypes { single: Some(MediaType::Json), event_stream: false };
    }
    let event_stream = ranges
        .iter()
        .any(|range| range.quality > 0 && range.name.eq_ignore_ascii_case("text/event-stream"));
    let json = preference(&ranges, MediaType::Json);
    let graphql_response = preference(&ranges, MediaType::GraphqlResponse);
    let single = match (json, graphql_response) {
        (None, None) => None,
        (json, graphql_response) if graphql_response > json => Some(MediaType::GraphqlResponse),
        _ => Some(MediaType::Json),
    };
    AcceptedTypes { single, event_stream }
}

/// Quality, then precision, then position of the matching range.
type Preference = (u16, Precision, Reverse<usize>);

/// `None` where the type is not accepted. Of several matching ranges the most precise one counts.
fn preference(ranges: &[QualityValue], media_type: MediaType) -> Option<Preference> {
    let matching = ranges.iter().enumerate().filter_map(|(position, range)| {
        Some((precision(range.name, media_type)?, Reverse(position), range.quality))
    });
    let (precision, position, quality) = matching.max()?;
    (quality > 0).then_some((quality, precision, position))
}

/// How precisely a range names a media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Any,
    Application,
    Exact,
}

/// `None` where the range does not match the media type.
fn precision(range: &str, media_type: MediaType) -> Option<Precision> {
    match range {
        "*/*" => Some(Precision::Any),
        range if range.eq_ignore_ascii_case("application/*") => Some(Precision::Application),
        range if range.eq_ignore_ascii_case(media_type.essence()) => Some(Precision::Exact),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: Option<MediaType> = Some(MediaType::Json);
    const GRAPHQL_RESPONSE: Option<MediaType> = Some(MediaType::GraphqlResponse);

    fn negotiated(values: &[&str]) -> Option<MediaType> {
        let values = values.iter().map(|value| (ACCEPT, HeaderValue::from_str(value).unwrap()));
        negotiate(&values.collect()).single
    }

    #[test]
    fn a_stream_is_wanted_where_it_is_named() {
        for (accept, stream) in [
            ("text/event-stream", true),
            ("application/json, Text/Event-Stream;q=0.1", true),
            ("text/event-stream;q=0", false),
            ("text/*, */*", false),
        ] {
            let headers = [(ACCEPT, HeaderValue::from_static(accept))];
            assert_eq!(negotiate(&headers.into_iter().collect()).event_stream, stream, "{accept}");
        }
    }

    #[test]
    fn clients_get_what_they_like_best() {
        for (accept, media_type) in [
            ("*/*", JSON),
            ("application/*", JSON),
            ("application/json", JSON),
            ("application/json; charset=utf-8", JSON),
            ("APPLICATION/GraphQL-Response+JSON", GRAPHQL_RESPONSE),
            ("application/graphql-response+json; charset=utf-8", GRAPHQL_RESPONSE),
            ("application/graphql-response+json,application/json;q=0.9", GRAPHQL_RESPONSE),
            ("application/graphql-response+json;q=0.8 , application/json", JSON),
            ("application/graphql-response+json, application/json", GRAPHQL_RESPONSE),
            ("application/json, application/graphql-response+json", JSON),
            ("application/json, multipart/mixed", JSON),
            ("*/*, application/graphql-response+json", GRAPHQL_RESPONSE),
            ("application/*, application/graphql-response+json;q=0.1", JSON),
            ("*/*;q=0.1, application/graphql-response+json;q=0", JSON),
            ("application/json;q=0, */*", GRAPHQL_RESPONSE),
            ("text/html, */*;q=0.001", JSON),
        ] {
            assert_eq!(negotiated(&[accept]), media_type, "{accept}");
        }
    }

    #[test]
    fn without_accept_it_is_json() {
        assert_eq!(negotiated(&[]), JSON);
        assert_eq!(negotiated(&[""]), JSON);
    }

    #[test]
    fn several_headers_are_one_list() {
        let both = ["text/html", "application/graphql-response+json"];
        assert_eq!(negotiated(&both), GRAPHQL_RESPONSE);
    }

    #[test]
    fn nothing_of_ours_is_not_acceptable() {
        for accept in [
            "text/html",
            "application/xml, text/event-stream",
            "application/json;q=0",
            "*/*;q=0.0",
            "application/json;q=2",
            "application/json;q=0.1234",
            "application/json;q=",
            "application/json;q=1.001",
        ] {
            assert_eq!(negotiated(&[accept]), None, "{accept}");
        }
    }

    #[test]
    fn browsers_want_a_page_and_clients_do_not() {
        let accepts = |accept: &'static str| {
            accepts_html(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]))
        };
        assert!(accepts("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(accepts("application/json, Text/HTML;q=0.5"));
        assert!(!accepts("*/*"));
        assert!(!accepts(
            "application/graphql-response+json, application/json;q=0.9, text/event-stream"
        ));
        assert!(!accepts_html(&HeaderMap::new()));
    }
}
