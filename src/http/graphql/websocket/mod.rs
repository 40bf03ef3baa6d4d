//! Subscriptions over a WebSocket: `graphql-transport-ws`, as graphql-ws has it, and nothing else.
//!
//! async-graphql-axum's loop accepts any origin and an older protocol, waits for ever, and closes
//! with codes at which clients give up that should come back.

mod close;
mod message;
mod socket;

use std::sync::Arc;

use async_graphql::Executor;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::extract::{FromRequestParts, Request};
use axum::http::header::UPGRADE;
use axum::response::Response;

use self::socket::Socket;
use super::accept::MediaType;
use super::rejection::Rejection;
use super::subscribers::Seat;
use super::{GraphqlEndpoint, response};
use crate::telemetry::RequestId;

/// The sub-protocol.
const PROTOCOL: &str = "graphql-transport-ws";

/// The largest message of a client, as of a request. Of one that is not twice as large the rest is
/// read, so that the client can be told; others are cut off.
const MAX_MESSAGE: usize = 64 * 1024;

/// A buffer for reading; each socket has one.
const READ_BUFFER: usize = 4 * 1024;

/// What may wait to be written before the socket is given up.
const MAX_WAITING: usize = 1024 * 1024;

/// Whether a request asks for a socket.
pub(in crate::http) fn is_asked_for(request: &Request) -> bool {
    let upgrade = request.headers().get(UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Opens a socket, or says why not: pages of some origins may not. `admit` gives the caller a seat.
pub(in crate::http) async fn open<E: Executor>(
    endpoint: Arc<GraphqlEndpoint<E>>,
    request: Request,
    may_open: bool,
    admit: impl FnOnce() -> Option<Seat>,
) -> Response {
    let id = request.extensions().get::<RequestId>().copied();
    let (mut parts, _) = request.into_parts();
    let upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection> =
        WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let admitted = match upgrade {
        _ if !may_open => Err(Rejection::OtherOrigin),
        Err(rejection) => Err(Rejection::Malformed(rejection.body_text())),
        Ok(upgrade) => {
            let upgrade = upgrade.protocols([PROTOCOL]);
            match upgrade.selected_protocol() {
                None => Err(Rejection::OtherProtocol),
                Some(_) => admit().map(|seat| (upgrade, seat)).ok_or(Rejection::TooMany),
            }
        }
    };
    match admitted {
        Err(rejection) => response::rejected(rejection, MediaType::Json, id),
        Ok((upgrade, seat)) => upgrade
            .max_message_size(2 * MAX_MESSAGE)
            .max_frame_size(2 * MAX_MESSAGE)
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WAITING)
            .on_upgrade(move |socket| {
                RequestId::part_of(id, Socket::new(socket, endpoint, seat, id).run())
            }),
    }
}
