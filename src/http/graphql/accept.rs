//! In which media type an answer is written: what `Accept` asks for (RFC 9110, section 12.5.1).
//!
//! Rule: `application/json` wherever the client leaves the choice open. Clients that only say `*/*`
//! read errors best where the status is 200.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use crate::http::weighted::Weighted;

/// A media type of GraphQL over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/json`, in which 200 is the status of every well formed request.
    Json,
    /// `application/graphql-response+json`, in which the status tells whether anything ran.
    GraphqlResponse,
}

impl MediaType {
    /// The essence of the media type.
    fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::GraphqlResponse => "application/graphql-response+json",
        }
    }

    /// The status of an answer to a well formed request of which nothing could be executed.
    pub(super) fn status_of_request_error(self) -> StatusCode {
        match self {
            Self::Json => StatusCode::OK,
            Self::GraphqlResponse => StatusCode::BAD_REQUEST,
        }
    }

    /// The value of `Content-Type`.
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }
}

/// In which forms these headers accept an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// The form of a single answer that they like best.
    pub(super) single: Option<MediaType>,
    /// Whether they name `text/event-stream`: "anything" is no wish for a stream.
    pub(super) stream: bool,
}

/// What these headers accept.
pub(super) fn negotiate(headers: &HeaderMap) -> Accepted {
    let ranges: Vec<_> = Weighted::all(headers, &ACCEPT).collect();
    if ranges.is_empty() && headers.get_all(ACCEPT).iter().all(HeaderValue::is_empty) {
        return Accepted { single: Some(MediaType::Json), stream: false };
    }
    let stream = ranges
        .iter()
        .any(|range| range.quality > 0 && range.name.eq_ignore_ascii_case("text/event-stream"));
    let json = preference(&ranges, MediaType::Json);
    let graphql_response = preference(&ranges, MediaType::GraphqlResponse);
    let single = match (json, graphql_response) {
        (None, None) => None,
        (json, graphql_response) if graphql_response > json => Some(MediaType::GraphqlResponse),
        _ => Some(MediaType::Json),
    };
    Accepted { single, stream }
}

/// How much a media type is liked: by quality, then by how exactly it is named, then by how early.
type Preference = (u16, Precision, std::cmp::Reverse<usize>);

/// `None` where it is not accepted. Of several ranges that match, the most exact one counts.
fn preference(ranges: &[Weighted], media_type: MediaType) -> Option<Preference> {
    let matching = ranges.iter().enumerate().filter_map(|(place, range)| {
        Some((precision(range.name, media_type)?, std::cmp::Reverse(place), range.quality))
    });
    let (precision, place, quality) = matching.max()?;
    (quality > 0).then_some((quality, precision, place))
}

/// How exactly a range names a media type.
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
        range if range.eq_ignore_ascii_case(media_type.name()) => Some(Precision::Exact),
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
            assert_eq!(negotiate(&headers.into_iter().collect()).stream, stream, "{accept}");
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
}
