//! Clients that ask and do not read, and what is held for them.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use sallyport::domain::filter::IpBlock;
use sallyport::http::server::Limits;
use serde_json::json;

use super::h2::{H2, Said};
use super::wire::{NEVER, SHORT, Server, head, in_time, patient};

const HOST: &[(&str, &str)] = &[(":authority", "localhost")];

fn very_patient() -> Limits {
    Limits { stalled: NEVER, answer: SHORT.answer * 20, ..patient() }
}

/// As many requests as a connection of HTTP/2 may have under way.
const ALL: usize = 16;

/// Its answers do not fit into what a connection may leave unread.
const SCHEMA: &str = "{ __schema { types { name description fields { name description } \
                      inputFields { name description } enumValues { name description } } } }";

const LARGE: usize = 32 * 1024 * 1024;

/// How long an answer has nothing to say between its two parts.
const QUIET: Duration = Duration::from_secs(2);

async fn two_parts() -> Body {
    let parts = stream::iter([Duration::ZERO, QUIET]).then(|wait| async move {
        tokio::time::sleep(wait).await;
        Ok::<_, Infallible>(Bytes::from_static(b"part"))
    });
    Body::from_stream(parts)
}

/// More parts than anybody reads.
async fn many_parts() -> Body {
    Body::from_stream(stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![b'a'; 4000]))))
}

fn routes() -> Router {
    Router::new()
        .route("/large", get(|| async { vec![b'a'; LARGE] }))
        .route("/medium", get(|| async { vec![b'a'; 800_000] }))
        .route("/small", get(|| async { "small" }))
        .route("/two", get(two_parts))
        .route("/many", get(many_parts))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_reads_ends_whatever_else_moves_on_its_connection() {
    let server = Server::with(routes(), patient()).await;
    for window in [0, 1, 100] {
        for path in ["/medium", "/many"] {
            let mut client = H2::begin(server.connect().await, window).await;
            let unread = client.send("GET", path, HOST, "").await;
            let mut last = client.send("HEAD", "/small", HOST, "").await;
            in_time(async {
                loop {
                    match client.hear().await {
                        (stream, Said::Reset) if stream == unread => break,
                        (stream, Said::Head) if stream == last => {
                            tokio::time::sleep(SHORT.stalled / 10).await;
                            last = client.send("HEAD", "/small", HOST, "").await;
                        }
                        (_, said) => assert_ne!(said, Said::Reset),
                    }
                }
            })
            .await;
            // The connection and its other streams go on.
            let next = client.send("HEAD", "/small", HOST, "").await;
            while client.hear().await != (next, Said::Head) {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_read_byte_by_byte_ends_too() {
    let server = Server::with(routes(), Limits { stalled: NEVER, ..patient() }).await;
    let mut client = H2::begin(server.connect().await, 0).await;
    let unread = client.send("GET", "/medium", HOST, "").await;
    client.open_window(unread, 1).await;
    in_time(async {
        loop {
            match client.hear().await {
                (_, Said::Bytes(1)) => {
                    tokio::time::sleep(SHORT.stalled / 5).await;
                    client.open_window(unread, 1).await;
                }
                (_, Said::Reset) => break,
                (_, said) => assert_eq!(said, Said::Head),
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_nothing_to_say_waits_for_nobody() {
    let server = Server::with(routes(), Limits { stalled: QUIET / 2, ..patient() }).await;
    let stream = async {
        let mut client = H2::begin(server.connect().await, 100).await;
        client.send("GET", "/two", HOST, "").await;
        let mut said = Vec::new();
        while !matches!(said.last(), Some(Said::End(_))) {
            said.push(client.hear().await.1);
        }
        said
    };
    let connection = async {
        let mut client = server.connect().await;
        client.write("GET /two HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
        client.rest().await
    };
    let (stream, connection) = tokio::join!(stream, connection);
    assert_eq!(stream, [Said::Head, Said::Bytes(4), Said::Bytes(4), Said::End(0)]);
    assert!(connection.ends_with("4\r\npart\r\n4\r\npart\r\n0\r\n\r\n"), "{connection}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_http_1_that_reads_nothing_ends() {
    for request in ["GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(3), {
        let line = "GET /many HTTP/1.1\r\nhost: localhost\r\n\r\n";
        line.to_owned()
    }] {
        let server = Server::with(routes(), Limits { connections: 1, ..patient() }).await;
        let mut client = server.connect().await;
        client.write(request).await;
        server.until_free().await;
        // What is read now is what the system had taken.
        assert!(client.rest().await.len() < LARGE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_http_2_whose_bytes_nobody_takes_ends_with_its_streams() {
    let server = Server::with(routes(), Limits { connections: 1, ..patient() }).await;
    let mut client = H2::begin(server.connect().await, 100_000_000).await;
    client.open_window(0, 100_000_000).await;
    client.send("GET", "/large", HOST, "").await;
    client.send("GET", "/large", HOST, "").await;
    // What moves in the other direction does not help.
    let moving = async {
        loop {
            tokio::time::sleep(SHORT.stalled / 2).await;
            client.send("HEAD", "/small", HOST, "").await;
        }
    };
    tokio::select! {
        () = moving => unreachable!("it goes on for ever"),
        () = server.until_free() => {}
    }
    assert!(client.rest().await < LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_answers_are_bounded_in_all() {
    let limits = Limits { answers: 800_000, stalled: NEVER, ..patient() };
    let server = Server::with(routes(), limits).await;
    let mut unread = H2::begin(server.connect().await, 0).await;
    unread.send("GET", "/medium", HOST, "").await;
    while unread.hear().await.1 != Said::Head {}
    let refused = server.connect().await.get("/medium").await;
    assert!(refused.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{refused}");
    assert!(refused.contains("\r\nretry-after: 1\r\n"), "{refused}");
    assert!(refused.contains("SERVICE_UNAVAILABLE"), "{refused}");
    // Small ones have room all the same.
    assert!(server.connect().await.get("/small").await.ends_with("small"));
    // It is free again with the connection.
    drop(unread);
    let freed =
        async { while !server.connect().await.get("/medium").await.starts_with("HTTP/1.1 200") {} };
    in_time(freed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_unread_answers_begins_no_other_request_until_they_are_read() {
    let server = Server::start("", very_patient()).await;
    let mut client = H2::begin(server.connect().await, 0).await;
    for _ in 0..ALL {
        client.post(SCHEMA).await;
    }
    let mut heads = 0;
    let waiting = async {
        loop {
            heads += usize::from(client.hear().await.1 == Said::Head);
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(3), waiting).await;
    assert!(heads > 0 && heads < ALL, "{heads} answers were made");
    // They are right, if slow, for a client that reads.
    client.open_window(0, 100_000_000).await;
    client.set_window(10_000_000).await;
    let mut ended = 0;
    while ended < ALL {
        let (_, said) = client.hear().await;
        assert_ne!(said, Said::Reset);
        ended += usize::from(matches!(said, Said::End(_)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_share_the_connection_of_a_proxy_do_not_wait_for_one_another() {
    let shared = vec![IpBlock::parse("127.0.0.0/8").unwrap()];
    let server = Server::start("", Limits { shared, ..very_patient() }).await;
    let mut client = H2::begin(server.connect().await, 0).await;
    for _ in 0..ALL {
        client.post(SCHEMA).await;
    }
    for _ in 0..ALL {
        while client.hear().await.1 != Said::Head {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_do_not_end_are_bounded_in_all_and_small_ones_have_room() {
    let limits = Limits { bodies: 64 * 1024, body: Duration::from_secs(2), ..patient() };
    let server = Server::start("", limits).await;
    let mut crowd = Vec::new();
    for _ in 0..6 {
        let mut client = server.connect().await;
        client.write(head(60_000)).await;
        client.write(vec![b' '; 50_000]).await;
        crowd.push(client);
    }
    let body = json!({ "query": "{ __typename }" }).to_string();
    let mut client = server.connect().await;
    client.write(head(body.len()) + &body).await;
    assert!(client.answer().await.ends_with(r#"{"data":{"__typename":"Query"}}"#));
    let mut said = Vec::new();
    for client in &mut crowd {
        said.push(client.rest().await);
    }
    let count = |part: &str| said.iter().filter(|said| said.contains(part)).count();
    let refused = count("Too many large requests are being received");
    assert!(refused > 0, "{said:?}");
    assert_eq!(refused, count("HTTP/1.1 503 Service Unavailable\r\n"));
    assert_eq!(refused + count("HTTP/1.1 408 Request Timeout\r\n"), 6, "{said:?}");
}
