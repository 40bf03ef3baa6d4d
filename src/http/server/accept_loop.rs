//! Accept loop: one task for each connection within the limits, a 503 for the others.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::connection;
use super::connection_stream::ConnectionStream;
use super::limits::ConnectionLimits;
use super::overload_responses::OverloadResponses;
use super::server_state::ServerState;
use super::warning_interval::WarningInterval;
use crate::http::quota::Quota;

/// Pause after an error of `accept`, such as no free file descriptor. Without it the loop would use
/// a whole processor until a descriptor is free.
const ACCEPT_ERROR_PAUSE: Duration = Duration::from_millis(200);

/// Serves until `stop` completes, and then until the requests in progress are answered.
pub(in crate::http) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    overload: OverloadResponses,
    stop: impl Future<Output = ()> + Send,
) {
    let quota = Arc::new(Quota::new(limits.max_connections, limits.max_per_address));
    let server = Arc::new(ServerState::new(limits, overload));
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
                pause_after(&error).await;
                continue;
            }
        };
        // Refused with an answer: a client that hears nothing waits for its own timeout.
        let Some(permit) = quota.acquire(server.limits.counted_address(peer.ip())) else {
            if warning.is_over() {
                let connections = server.limits.max_connections;
                let of_address = server.limits.max_per_address;
                tracing::warn!(connections, of_address, "too many connections; refusing new ones");
            }
            // One attempt without waiting: the loop must not wait for a client.
            let _ = stream.try_write(&server.overload.connection_refused);
            continue;
        };
        tracing::trace!(%peer, "connection accepted");
        let stream = ConnectionStream::new(stream, server.limits.stall_timeout, permit);
        let (server, router, stopped) = (Arc::clone(&server), router.clone(), stopped.clone());
        tokio::spawn(connection::serve(stream, peer, router, server, stopped));
    }
    drop((listener, stopped));
    stopping.send_replace(true);
    // Every connection has a receiver, so this completes when the last connection has ended.
    stopping.closed().await;
}

/// Waits after an error of `accept`, except where only the client closed its connection.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!(%error, "accepting a connection failed; retrying");
        tokio::time::sleep(ACCEPT_ERROR_PAUSE).await;
    }
}
