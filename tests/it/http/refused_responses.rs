//! Responses that are refused after their execution, because other responses are unread.

use std::time::Duration;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, ETAG};
use axum::routing::get;
use sallyport::domain::filter::IpBlock;
use sallyport::http::server::ConnectionLimits;

use super::http2_client::{Frame, Http2Client};
use super::raw_client::{SHORT_LIMITS, Server};

const HOST: &[(&str, &str)] = &[(":authority", "localhost")];

/// Maximum number of concurrent requests of an HTTP/2 connection.
const MAX_STREAMS: usize = 16;

const LARGE: usize = 300_000;

fn routes() -> Router {
    let headers = [(CACHE_CONTROL, "public, max-age=60"), (ETAG, "\"1\"")];
    Router::new().route("/large", get(move || async move { (headers, vec![b'a'; LARGE]) }))
}

fn without_timeouts() -> ConnectionLimits {
    let long = Duration::from_secs(20);
    ConnectionLimits {
        first_request_timeout: long,
        idle_timeout: long,
        stall_timeout: long,
        response_timeout: long,
        ..SHORT_LIMITS
    }
}

/// Bytes of responses to a client that sends all its requests before it reads.
async fn bytes_received(limits: ConnectionLimits) -> usize {
    let server = Server::with(routes(), limits).await;
    let mut client = Http2Client::connect(server.connect().await, 0).await;
    for _ in 0..MAX_STREAMS {
        client.send("GET", "/large", HOST, "").await;
    }
    for _ in 0..MAX_STREAMS {
        while client.next_frame().await.1 != Frame::Head {}
    }
    client.open_window(0, 100_000_000).await;
    client.set_window(10_000_000).await;
    let (mut bytes, mut ended) = (0, 0);
    while ended < MAX_STREAMS {
        match client.next_frame().await.1 {
            Frame::Data(count) => bytes += count,
            Frame::End(count) => (bytes, ended) = (bytes + count, ended + 1),
            said => panic!("{said:?}"),
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_answers_are_bounded_for_each_connection_whatever_was_begun() {
    // One response exceeds the limit; the others are refused with a short body.
    let bytes = bytes_received(without_timeouts()).await;
    assert!(bytes > LARGE && bytes < 1024 * 1024 + LARGE + MAX_STREAMS * 1000, "{bytes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_of_a_proxy_is_not_bounded_so() {
    let proxies = vec![IpBlock::parse("127.0.0.0/8").unwrap()];
    assert_eq!(
        bytes_received(ConnectionLimits { proxies, ..without_timeouts() }).await,
        MAX_STREAMS * LARGE
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_answer_is_kept_by_no_cache() {
    let server =
        Server::with(routes(), ConnectionLimits { max_unread_bytes: LARGE, ..without_timeouts() })
            .await;
    let mut unread = Http2Client::connect(server.connect().await, 0).await;
    unread.send("GET", "/large", HOST, "").await;
    while unread.next_frame().await.1 != Frame::Head {}
    let refused = server.connect().await.get("/large").await;
    assert!(refused.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{refused}");
    assert!(refused.contains("\r\ncache-control: no-store\r\n"), "{refused}");
    assert!(!refused.contains("public") && !refused.contains("etag"), "{refused}");
}
