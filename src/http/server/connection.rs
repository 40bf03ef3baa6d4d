//! One connection: HTTP/1.1, or HTTP/2 where its first bytes say so.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::activity::Activity;
use super::body::{Punctual, Watched};
use super::places::Place;
use super::{Limits, MAX_BUFFER};

/// How many requests an HTTP/2 connection may have under way.
const MAX_STREAMS: u32 = 64;

/// How often an HTTP/2 client is asked whether it is still there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: Held,
    peer: SocketAddr,
    router: Router,
    limits: Arc<Limits>,
    mut stopping: watch::Receiver<bool>,
) {
    // Answers are small: waiting to fill a packet would only make them late.
    let _ = stream.stream.set_nodelay(true);
    let activity = Arc::new(Activity::default());
    let answering = TowerToHyperService::new(router);
    let service = service_fn(|request: Request<Incoming>| {
        let exchange = activity.begin();
        let mut request = request.map(|body| Punctual::new(body, limits.body));
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = answering.call(request);
        async move { answer.await.map(|answer| answer.map(|body| Watched::new(body, exchange))) }
    });
    let builder = builder();
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let is_idle = tokio::select! {
        // What goes wrong here goes wrong at the client: it left, or it does not speak HTTP.
        _ = connection.as_mut() => return,
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
        _ = connection => {}
        () = given_up => {}
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Slow heads are cut by what moves on the connection, like all that is slow.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(MAX_BUFFER).unwrap_or(u32::MAX))
        .max_send_buf_size(4 * MAX_BUFFER)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}

/// A connection and its place among those there may be. A socket that a request was upgraded to
/// takes both along.
pub(super) struct Held {
    stream: TcpStream,
    _place: Place,
}

impl Held {
    pub(super) fn new(stream: TcpStream, place: Place) -> Self {
        Self { stream, _place: place }
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(&mut self.get_mut().stream)
    }
}

impl AsyncRead for Held {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, buffer)
    }
}

impl AsyncWrite for Held {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}
