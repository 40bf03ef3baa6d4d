//! Upgrade of a request to a WebSocket.

use std::sync::Arc;

use async_graphql::Executor;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::extract::{FromRequestParts, Request};
use axum::http::header::UPGRADE;
use axum::response::Response;

use super::socket::{MAX_MESSAGE_BYTES, Socket};
use crate::http::graphql::engine::Engine;
use crate::http::graphql::rejection::Rejection;
use crate::http::graphql::response;
use crate::http::graphql::subscribers::SubscriberPermit;
use crate::http::media_type::MediaType;
use crate::telemetry::RequestId;

const PROTOCOL: &str = "graphql-transport-ws";

/// Each WebSocket has a read buffer.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Bytes that may wait to be written before the WebSocket is closed.
const MAX_WRITE_BUFFER_BYTES: usize = 1024 * 1024;

/// Whether the request asks for a WebSocket.
pub(in crate::http::graphql) fn is_requested(request: &Request) -> bool {
    let upgrade = request.headers().get(UPGRADE);
    upgrade.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Opens a WebSocket. `may_open` is whether the page that sent the request may do so.
pub(in crate::http::graphql) async fn open<E: Executor>(
    engine: Arc<Engine<E>>,
    request: Request,
    may_open: bool,
    acquire_permit: impl FnOnce() -> Option<SubscriberPermit>,
) -> Response {
    let id = request.extensions().get::<RequestId>().copied();
    let (mut parts, _) = request.into_parts();
    let upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection> =
        WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let accepted = match upgrade {
        _ if !may_open => Err(Rejection::OtherOrigin),
        Err(rejection) => {
            let reason = rejection.body_text();
            Err(Rejection::Malformed(format!("The WebSocket handshake is invalid: {reason}.")))
        }
        Ok(upgrade) => {
            let upgrade = upgrade.protocols([PROTOCOL]);
            match upgrade.selected_protocol() {
                None => Err(Rejection::OtherProtocol),
                Some(_) => {
                    acquire_permit().map(|permit| (upgrade, permit)).ok_or(Rejection::TooMany)
                }
            }
        }
    };
    match accepted {
        Err(rejection) => response::rejected(rejection, MediaType::Json, id),
        // The library cuts off a message above its limit without a close code. With twice our limit it
        // passes most of them on, so that the client can be told.
        Ok((upgrade, permit)) => upgrade
            .max_message_size(2 * MAX_MESSAGE_BYTES)
            .max_frame_size(2 * MAX_MESSAGE_BYTES)
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
            .on_upgrade(move |socket| {
                RequestId::part_of(id, Socket::new(socket, engine, permit, id).run())
            }),
    }
}
