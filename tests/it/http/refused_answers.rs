//! Answers that are refused when they are made, because others wait to be read.

use std::time::Duration;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, ETAG};
use axum::routing::get;
use sallyport::domain::filter::IpBlock;
use sallyport::http::server::Limits;

use super::h2::{H2, Said};
use super::wire::{SHORT, Server};

const HOST: &[(&str, &str)] = &[(":authority", "localhost")];

/// As many requests as a connection of HTTP/2 may have under way.
const ALL: usize = 16;

const LARGE: usize = 300_000;

fn routes() -> Router {
    let headers = [(CACHE_CONTROL, "public, max-age=60"), (ETAG, "\"1\"")];
    Router::new().route("/large", get(move || async move { (headers, vec![b'a'; LARGE]) }))
}

/// Nothing ends for being slow.
fn patient() -> Limits {
    let long = Duration::from_secs(20);
    Limits { first_request: long, idle: long, stalled: long, answer: long, ..SHORT }
}

/// How many bytes of answers are held for a client that asks for all it may before it reads.
async fn held(limits: Limits) -> usize {
    let server = Server::with(routes(), limits).await;
    let mut client = H2::begin(server.connect().await, 0).await;
    for _ in 0..ALL {
        client.send("GET", "/large", HOST, "").await;
    }
    for _ in 0..ALL {
        while client.hear().await.1 != Said::Head {}
    }
    client.open_window(0, 100_000_000).await;
    client.set_window(10_000_000).await;
    let (mut bytes, mut ended) = (0, 0);
    while ended < ALL {
        match client.hear().await.1 {
            Said::Bytes(count) => bytes += count,
            Said::End(count) => (bytes, ended) = (bytes + count, ended + 1),
            said => panic!("{said:?}"),
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_answers_are_bounded_for_each_connection_whatever_was_begun() {
    // Where the bound is passed, by one answer; the others are a few words.
    let bytes = held(patient()).await;
    assert!(bytes > LARGE && bytes < 1024 * 1024 + LARGE + ALL * 1000, "{bytes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_of_a_proxy_is_not_bounded_so() {
    let shared = vec![IpBlock::parse("127.0.0.0/8").unwrap()];
    assert_eq!(held(Limits { shared, ..patient() }).await, ALL * LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_answer_is_kept_by_no_cache() {
    let server = Server::with(routes(), Limits { answers: LARGE, ..patient() }).await;
    let mut unread = H2::begin(server.connect().await, 0).await;
    unread.send("GET", "/large", HOST, "").await;
    while unread.hear().await.1 != Said::Head {}
    let refused = server.connect().await.get("/large").await;
    assert!(refused.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{refused}");
    assert!(refused.contains("\r\ncache-control: no-store\r\n"), "{refused}");
    assert!(!refused.contains("public") && !refused.contains("etag"), "{refused}");
}
