//! Subscriptions as server-sent events, by the graphql-sse protocol (distinct connections mode).
//!
//! Rule: a stream whose session ends says `complete`, after its last event, and the client is done;
//! one whose token is good no more, or whose server stops, breaks off, and the client comes back with
//! fresh headers. A client that reads slowly holds the subscription up; nothing is buffered for it.

use std::convert::Infallible;
use std::time::Duration;

use async_graphql::Response as Answer;
use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::Response;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::recorded::Recorded;
use super::subscribers::{PARTING, Seat, Standing};
use super::{errors, response};
use crate::graphql::Begun;
use crate::http::record::Ended;

/// How often the token is looked at.
const TICK: Duration = Duration::from_secs(1);

/// After so many silent ticks a comment shows that the connection is alive.
const HEARTBEAT: u8 = 15;

const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// Browsers pass an event without data over.
const COMPLETE: Bytes = Bytes::from_static(b"event: complete\ndata:\n\n");

/// A stream to its client.
struct EventStream {
    answers: BoxStream<'static, Answer>,
    seat: Seat,
    ticks: Interval,
    silent: u8,
    /// Ticks since the session was seen to have ended: its last event may take a few.
    parting: u8,
    over: bool,
}

/// A response that streams these answers.
///
/// It is given once the subscription has begun or was refused: a client that is connected misses
/// nothing from then on.
pub(super) async fn stream(answers: Recorded, begun: &Begun, seat: Seat) -> Response {
    let mut answers = answers.boxed();
    tokio::select! {
        first = answers.next() => answers = stream::iter(first).chain(answers).boxed(),
        () = begun.wait() => {}
    }
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stream = EventStream { answers, seat, ticks, silent: 0, parting: 0, over: false };
    let lines = stream::unfold(stream, |mut stream| async move {
        let lines = stream.next().await?;
        Some((Ok::<_, Infallible>(lines), stream))
    });
    // The first bytes tell the client that it is connected.
    let first = stream::once(async { Ok(COMMENT) });
    respond(Body::from_stream(first.chain(lines)))
}

/// A response that is one answer.
pub(super) fn single(answer: &Answer) -> Response {
    let outcome = errors::outcome(&answer.errors);
    let mut response = respond(Body::from([next(answer), COMPLETE].concat()));
    response.extensions_mut().insert(Ended(outcome));
    response
}

fn respond(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies of the nginx kind hold answers back until there is enough of them.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    headers.insert(unbuffered, HeaderValue::from_static("no"));
    response
}

fn next(answer: &Answer) -> Bytes {
    let mut lines = b"event: next\ndata: ".to_vec();
    // JSON has no line breaks of its own.
    lines.extend(response::text(answer));
    lines.extend(b"\n\n");
    lines.into()
}

impl EventStream {
    async fn next(&mut self) -> Option<Bytes> {
        while !self.over {
            tokio::select! {
                answer = self.answers.next() => {
                    self.silent = 0;
                    self.over = answer.is_none();
                    return Some(answer.map_or(COMPLETE, |answer| next(&answer)));
                }
                _ = self.ticks.tick() => {
                    self.silent += 1;
                    match self.seat.standing() {
                        Standing::TokenOver(_) => return None,
                        Standing::Ended if self.parting >= PARTING => {
                            self.over = true;
                            return Some(COMPLETE);
                        }
                        Standing::Ended => self.parting += 1,
                        Standing::Good => {}
                    }
                    if self.silent >= HEARTBEAT {
                        self.silent = 0;
                        return Some(COMMENT);
                    }
                }
                () = self.seat.stopping() => return None,
            }
        }
        None
    }
}
