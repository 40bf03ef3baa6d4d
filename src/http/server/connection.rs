//! One connection: HTTP/1.1, or HTTP/2 if its first bytes are the HTTP/2 preface.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::header::EXPECT;
use axum::http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;

use super::connection_state::{ConnectionState, Exchange, ResponseTurn};
use super::connection_stream::{ConnectionStream, UpgradeFlag};
use super::host_header::{self, InvalidHost};
use super::request_body::DeadlineBody;
use super::response_backpressure::MAX_BUFFERED;
use super::response_body::{ActivityBody, StaticContent};
use super::server_state::ServerState;
use super::write_timeout::{WriteProgress, WriteTimeouts};

/// Size of the read buffer. A head that fits into it and is above the limit of the routes is refused
/// by the routes, with a message; a larger head by the HTTP library, without one.
const MAX_BUFFER: usize = 24 * 1024;

/// Concurrent requests of an HTTP/2 connection. A browser queues further requests.
const MAX_STREAMS: u32 = 16;

/// Flow-control windows: the bytes that a client may send before the server reads, for one request
/// body and for all bodies of its connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 4 * STREAM_WINDOW;

/// Interval of HTTP/2 pings, and the time for the client to answer one.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: ConnectionStream,
    peer: SocketAddr,
    router: Router,
    server: Arc<ServerState>,
    mut stopping: watch::Receiver<bool>,
) {
    stream.disable_nagle();
    let limits = &server.limits;
    let timeouts = WriteTimeouts::new(Arc::clone(&server));
    let state = Arc::new(ConnectionState::new(Arc::clone(&server)));
    let service = ConnectionService {
        router: TowerToHyperService::new(router),
        peer,
        state: Arc::clone(&state),
        upgrade: stream.upgrade_flag(),
        is_proxy: limits.is_proxy(peer.ip()),
    };
    let builder = builder(timeouts.clone());
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // Used by HTTP/1.1; each HTTP/2 stream has a progress of its own.
    let progress = Arc::<WriteProgress>::default();
    let work = async {
        let is_idle = tokio::select! {
            // Errors are the client's: it disconnected, does not speak HTTP, or does not read.
            _ = timeouts.apply(connection.as_mut(), &progress) => return,
            () = state.activity.until_idle(limits.first_request_timeout, limits.idle_timeout) => true,
            _ = stopping.wait_for(|stopping| *stopping) => false,
        };
        connection.as_mut().graceful_shutdown();
        let close_timeout = async {
            if is_idle {
                tokio::time::sleep(limits.close_timeout).await;
            } else {
                state.activity.until_no_request(limits.close_timeout).await;
            }
        };
        tokio::select! {
            _ = timeouts.apply(connection.as_mut(), &progress) => {}
            () = close_timeout => {}
        }
    };
    Arc::clone(&progress).scope(work).await;
}

/// Passes the requests of a connection to the router.
struct ConnectionService {
    router: TowerToHyperService<Router>,
    peer: SocketAddr,
    state: Arc<ConnectionState>,
    upgrade: UpgradeFlag,
    is_proxy: bool,
}

impl Service<Request<Incoming>> for ConnectionService {
    type Response = Response<ActivityBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let state = &self.state;
        let exchange = Exchange::start(state);
        let is_http_2 = request.version() == Version::HTTP_2;
        // An HTTP/2 stream is cancelled by itself, and a client that sent `Expect: 100-continue` has
        // not sent its body.
        let drains = !is_http_2 && !request.headers().contains_key(EXPECT);
        let mut request = request.map(|body| DeadlineBody::new(body, drains, state));
        if !host_header::names_one_host(&request) {
            request.extensions_mut().insert(InvalidHost);
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        // HTTP/1.1 handles requests one by one anyway, and the clients of a proxy must not wait for
        // each other.
        let takes_turns = is_http_2 && !self.is_proxy;
        if takes_turns {
            let max_wait = state.server.limits.stall_timeout;
            request.extensions_mut().insert(ResponseTurn::new(state, max_wait));
        }
        let response = self.router.call(request);
        let upgrade = self.upgrade.clone();
        let max_of_connection = if takes_turns { MAX_BUFFERED } else { usize::MAX };
        Box::pin(async move {
            let (mut head, body) = response.await?.into_parts();
            if head.status == StatusCode::SWITCHING_PROTOCOLS {
                upgrade.set();
            }
            let is_in_memory = head.extensions.get::<StaticContent>().is_none();
            let body = match ActivityBody::new(body, exchange, is_in_memory, max_of_connection) {
                Ok(body) => body,
                Err(exchange) => {
                    let overload = &exchange.connection().server.overload;
                    let body = overload.replace_response(&mut head);
                    ActivityBody::uncounted(body, exchange)
                }
            };
            let body = if is_http_2 { body } else { body.of_http_1() };
            Ok(Response::from_parts(head, body))
        })
    }
}

fn builder(streams: WriteTimeouts) -> Builder<WriteTimeouts> {
    let mut builder = Builder::new(streams);
    // No `header_read_timeout`: idle detection ends slow heads, with one timeout for the first head
    // and another one for the later ones.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(MAX_BUFFER).unwrap_or(u32::MAX))
        .max_send_buf_size(4 * MAX_BUFFER)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL);
    builder
}
