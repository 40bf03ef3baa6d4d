//! Serving a router on a listener, with responses of this service's form on overload.

use axum::Router;
use tokio::net::TcpListener;

use super::graphql::{too_many_connections_body, too_many_unread_body};
use super::security_headers;
use super::server::{self, ConnectionLimits, OverloadResponses};

/// Serves until `stop` completes, and then until the requests in progress are answered.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    stop: impl Future<Output = ()> + Send,
) {
    let overload = OverloadResponses::new(
        &too_many_connections_body(),
        &security_headers::DEFAULTS,
        too_many_unread_body().into(),
    );
    server::serve(listener, router, limits, overload, stop).await;
}
