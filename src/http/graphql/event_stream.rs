//! Subscriptions as server-sent events, by the graphql-sse protocol in distinct connections mode.
//!
//! If the session ends, the stream sends its last events and `complete`, after which the client stops.
//! If the access token is no longer valid or the server stops, the stream breaks off, and the client
//! reconnects with new headers. Nothing is buffered for a slow client: its subscription waits.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::Response;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::logged_stream::LoggedStream;
use super::subscribers::{Authorization, MAX_SECONDS_AFTER_END, SubscriberPermit};
use super::{response, response_errors};
use crate::graphql::StartSignal;
use crate::http::header_names::X_ACCEL_BUFFERING;
use crate::http::operation_log::RequestOutcome;

const AUTHORIZATION_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Number of checks without an event after which a comment shows that the connection is alive.
const HEARTBEAT_CHECKS: u8 = 15;

const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// With an empty `data` field: browsers ignore an event without one.
const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata:\n\n");

struct EventStream {
    responses: BoxStream<'static, async_graphql::Response>,
    permit: SubscriberPermit,
    checks: Interval,
    checks_since_event: u8,
    /// Seconds since the end of the session was noticed. Its last event may take some.
    seconds_after_end: u8,
    is_complete: bool,
}

/// A response that streams a subscription.
///
/// It is returned once the subscription has begun or was refused. From then on the client misses no
/// event.
pub(super) async fn stream(
    responses: LoggedStream,
    begun: &StartSignal,
    permit: SubscriberPermit,
) -> Response {
    let mut responses = responses.boxed();
    tokio::select! {
        first = responses.next() => responses = stream::iter(first).chain(responses).boxed(),
        () = begun.wait() => {}
    }
    let mut checks = interval(AUTHORIZATION_CHECK_INTERVAL);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stream = EventStream {
        responses,
        permit,
        checks,
        checks_since_event: 0,
        seconds_after_end: 0,
        is_complete: false,
    };
    let events = stream::unfold(stream, |mut stream| async move {
        let bytes = stream.next().await?;
        Some((Ok::<_, Infallible>(bytes), stream))
    });
    // A comment at once, which tells the client that it is connected.
    let first = stream::once(async { Ok(COMMENT) });
    http_response(Body::from_stream(first.chain(events)))
}

/// A stream of a single response.
pub(super) fn single(response: &async_graphql::Response) -> Response {
    let outcome = response_errors::outcome(&response.errors);
    let mut http = http_response(Body::from([next_event(response), COMPLETE].concat()));
    http.extensions_mut().insert(RequestOutcome(outcome));
    http
}

fn http_response(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

fn next_event(response: &async_graphql::Response) -> Bytes {
    let mut event = b"event: next\ndata: ".to_vec();
    // Serialized JSON has no line breaks, so one `data` line is enough.
    event.extend(response::to_json(response));
    event.extend(b"\n\n");
    event.into()
}

impl EventStream {
    async fn next(&mut self) -> Option<Bytes> {
        while !self.is_complete {
            tokio::select! {
                response = self.responses.next() => {
                    self.checks_since_event = 0;
                    self.is_complete = response.is_none();
                    return Some(response.map_or(COMPLETE, |response| next_event(&response)));
                }
                _ = self.checks.tick() => {
                    self.checks_since_event += 1;
                    match self.permit.authorization() {
                        Authorization::TokenRejected(_) => return None,
                        Authorization::SessionEnded
                            if self.seconds_after_end >= MAX_SECONDS_AFTER_END =>
                        {
                            self.is_complete = true;
                            return Some(COMPLETE);
                        }
                        Authorization::SessionEnded => self.seconds_after_end += 1,
                        Authorization::Valid => {}
                    }
                    if self.checks_since_event >= HEARTBEAT_CHECKS {
                        self.checks_since_event = 0;
                        return Some(COMMENT);
                    }
                }
                () = self.permit.stopping() => return None,
            }
        }
        None
    }
}
