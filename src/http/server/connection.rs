//! One connection: HTTP/1.1, or HTTP/2 where its first bytes say so.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, EXPECT, RETRY_AFTER};
use axum::http::response::Parts;
use axum::http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;

use super::activity::{Activity, MAX_HELD, Turn};
use super::answer::{Bounds, InBinary, Watched};
use super::body::Punctual;
use super::host::{self, NoHost};
use super::memory::Memory;
use super::progress::{Patience, Progress};
use super::stream::{ConnectionStream, Upgrades};
use super::{Limits, MAX_BUFFER};
use crate::http::graphql::unread_body;

/// How many requests an HTTP/2 connection may have under way. A browser sends more one after the other.
const MAX_STREAMS: u32 = 16;

/// How many bytes of one request body, and of all on its connection, may come unasked for.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 4 * STREAM_WINDOW;

/// How often an HTTP/2 client is asked whether it is still there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: ConnectionStream,
    peer: SocketAddr,
    router: Router,
    limits: Arc<Limits>,
    memory: Arc<Memory>,
    mut stopping: watch::Receiver<bool>,
) {
    // Answers are small: waiting to fill a packet would only make them late.
    stream.send_at_once();
    let patience = Patience::new(Arc::clone(&limits), Arc::clone(&memory));
    let activity = Arc::new(Activity::new(memory));
    let service = Answering {
        router: TowerToHyperService::new(router),
        peer,
        activity: Arc::clone(&activity),
        upgrades: stream.upgrades(),
        is_shared: limits.is_shared(peer.ip()),
        limits: Arc::clone(&limits),
    };
    let builder = builder(patience.clone());
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    // Of HTTP/1.1; each stream of HTTP/2 has its own.
    let progress = Arc::<Progress>::default();
    let work = async {
        let is_idle = tokio::select! {
            // What goes wrong here goes wrong at the client: it left, it does not speak HTTP, or it
            // does not read what it asked for.
            _ = patience.with(connection.as_mut(), &progress) => return,
            () = patience.ends() => return,
            () = activity.ceases(limits.first_request, limits.idle) => true,
            _ = stopping.wait_for(|stopping| *stopping) => false,
        };
        connection.as_mut().graceful_shutdown();
        let given_up = async {
            if is_idle {
                tokio::time::sleep(limits.farewell).await;
            } else {
                activity.ends(limits.farewell).await;
            }
        };
        tokio::select! {
            _ = patience.with(connection.as_mut(), &progress) => {}
            () = patience.ends() => {}
            () = given_up => {}
        }
    };
    Arc::clone(&progress).scope(work).await;
}

/// Hands the requests of a connection to the routes.
struct Answering {
    router: TowerToHyperService<Router>,
    peer: SocketAddr,
    activity: Arc<Activity>,
    upgrades: Upgrades,
    /// Whether many clients come through the connection.
    is_shared: bool,
    limits: Arc<Limits>,
}

impl Service<Request<Incoming>> for Answering {
    type Response = Response<Watched>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let Self { activity, limits, .. } = self;
        let exchange = activity.begin();
        let is_http_2 = request.version() == Version::HTTP_2;
        // On HTTP/2 a stream ends alone, and who expects to be told whether to send has not sent.
        let drains = !is_http_2 && !request.headers().contains_key(EXPECT);
        let mut request = request.map(|body| Punctual::new(body, drains, limits, activity));
        if !host::is_named(&request) {
            request.extensions_mut().insert(NoHost);
        }
        request.extensions_mut().insert(ConnectInfo(self.peer));
        // Answers of HTTP/1.1 stand in line by themselves, and the clients of a proxy must not wait for
        // one of them.
        let takes_turns = is_http_2 && !self.is_shared;
        if takes_turns {
            request.extensions_mut().insert(Turn::new(activity, limits.stalled));
        }
        let answer = self.router.call(request);
        let upgrades = self.upgrades.clone();
        let connection = if takes_turns { MAX_HELD } else { usize::MAX };
        let most = Bounds { connection, all: limits.answers };
        Box::pin(async move {
            let (mut head, body) = answer.await?.into_parts();
            if head.status == StatusCode::SWITCHING_PROTOCOLS {
                upgrades.begin();
            }
            let is_owned = head.extensions.get::<InBinary>().is_none();
            let watched = match Watched::new(body, exchange, is_owned, most) {
                Ok(watched) => watched,
                Err(exchange) => Watched::free(unread(&mut head), exchange),
            };
            let watched = if is_http_2 { watched } else { watched.of_http_1() };
            Ok(Response::from_parts(head, watched))
        })
    }
}

/// What is answered where the answers that nobody has read yet take all the memory there is for them.
fn unread(head: &mut Parts) -> Body {
    head.status = StatusCode::SERVICE_UNAVAILABLE;
    head.headers.remove(CONTENT_LENGTH);
    head.headers.remove(ETAG);
    head.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    head.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    Body::from(unread_body())
}

fn builder(streams: Patience) -> Builder<Patience> {
    let mut builder = Builder::new(streams);
    // Slow heads are cut by what moves on the connection, like all that is slow.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(MAX_BUFFER).unwrap_or(u32::MAX))
        .max_send_buf_size(4 * MAX_BUFFER)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}
