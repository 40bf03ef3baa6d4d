//! The loop under the routes: connections in, requests to the router, answers out.
//!
//! Rule: whatever a client does or leaves undone, it holds one connection for a bounded time, with
//! bounded memory, and there are so many connections and no more. `axum::serve` has no such bounds:
//! a few thousand silent connections keep everybody else out for good.

mod activity;
mod answer;
mod body;
mod connection;
mod host;
mod memory;
mod places;
mod progress;
mod stream;
mod warning;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::memory::Memory;
use self::places::Places;
use self::stream::ConnectionStream;
use self::warning::WarningInterval;
use super::graphql::full_body;
use super::security_headers;
use crate::domain::filter::IpBlock;

pub(super) use activity::Turn;
pub(super) use answer::InBinary;
pub(super) use body::{is_crowded, is_late};
pub(super) use host::NoHost;

/// How many bytes the buffer of a connection may have. What is in it and no more than a head may be
/// (see [`super::head`]) is answered by the routes; what does not fit, by the library, in no words.
const MAX_BUFFER: usize = 24 * 1024;

/// How long nothing is accepted after the system had no file left for a connection.
const BREATH: Duration = Duration::from_millis(200);

/// How much of the service one client may hold.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many connections there may be at once, sockets included.
    pub connections: usize,
    /// How many of them may come from one address.
    pub of_address: usize,
    /// Connections of trusted proxies: not counted by address (nor are this machine's own), and not
    /// subject to the turns of their requests.
    pub shared: Vec<IpBlock>,
    /// How long a new connection may take over the head of its first request.
    pub first_request: Duration,
    /// How long nothing may move on a connection: neither a request nor a part of an answer. Longer
    /// than a minute, which is how long common proxies keep theirs.
    pub idle: Duration,
    /// How long a request may take over its body.
    pub body: Duration,
    /// How long a connection that is told to go may take to do so.
    pub farewell: Duration,
    /// How long no byte of an answer may be read that waits to be, and how long a request waits for
    /// earlier answers of its connection to be read.
    pub stalled: Duration,
    /// How long a client may take to read all of an answer.
    pub answer: Duration,
    /// How many bytes of unread answers there may be beside the first few of each connection.
    pub answers: usize,
    /// How many bytes of request bodies there may be beside the first few of each connection.
    pub bodies: usize,
}

impl Limits {
    /// Whether many clients come through this peer.
    fn is_shared(&self, peer: IpAddr) -> bool {
        self.shared.iter().any(|block| block.contains(peer.to_canonical()))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            of_address: 1000,
            shared: Vec::new(),
            first_request: Duration::from_secs(8),
            idle: Duration::from_secs(75),
            body: Duration::from_secs(8),
            farewell: Duration::from_secs(1),
            stalled: Duration::from_secs(5),
            answer: Duration::from_secs(30),
            answers: 64 * 1024 * 1024,
            bodies: 64 * 1024 * 1024,
        }
    }
}

/// Serves until `stop`, and then until the requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()> + Send,
) {
    let (limits, places) = (Arc::new(limits), Arc::new(Places::default()));
    let (full, memory) = (full(), Arc::<Memory>::default());
    let warning = WarningInterval::default();
    let (stopping, stopped) = watch::channel(false);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.as_mut() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause(&error).await;
                continue;
            }
        };
        // Refused, not left to wait: a client that hears nothing waits for its own time-out.
        let Some(place) = places.take(peer.ip(), &limits) else {
            if warning.is_over() {
                let Limits { connections, of_address, .. } = *limits;
                tracing::warn!(connections, of_address, "no more connections: refusing");
            }
            // As far as its buffer takes it at once: one that is too many is not waited for.
            let _ = stream.try_write(&full);
            continue;
        };
        tracing::trace!(%peer, "a connection begins");
        let stream = ConnectionStream::new(stream, place);
        let (limits, memory) = (Arc::clone(&limits), Arc::clone(&memory));
        let (router, stopped) = (router.clone(), stopped.clone());
        tokio::spawn(connection::serve(stream, peer, router, limits, memory, stopped));
    }
    drop((listener, stopped));
    stopping.send_replace(true);
    // Every connection has a receiver.
    stopping.closed().await;
}

/// What is told to whoever is one too many, in bytes: there is no connection to answer on.
fn full() -> Vec<u8> {
    let body = full_body();
    let length = body.len();
    let mut text = format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n\
         content-type: application/json; charset=utf-8\r\ncontent-length: {length}\r\n"
    );
    for (name, value) in security_headers::DEFAULTS {
        text.extend([name.as_str(), ": ", value, "\r\n"]);
    }
    text.push_str("\r\n");
    [text.into_bytes(), body].concat()
}

/// A client that went away before it was accepted costs nothing; else the system has no file left,
/// and a loop without a pause would only burn its time.
async fn pause(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "a connection could not be accepted");
        tokio::time::sleep(BREATH).await;
    }
}
