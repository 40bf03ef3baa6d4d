//! Clients that send requests and do not read the responses.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use sallyport::domain::filter::IpBlock;
use sallyport::http::server::ConnectionLimits;
use serde_json::json;

use super::http2_client::{Frame, Http2Client};
use super::raw_client::{
    LONG_TIMEOUT, SHORT_LIMITS, Server, head, with_timeout, without_idle_timeouts,
};

const HOST: &[(&str, &str)] = &[(":authority", "localhost")];

fn with_slow_readers() -> ConnectionLimits {
    ConnectionLimits {
        stall_timeout: LONG_TIMEOUT,
        response_timeout: SHORT_LIMITS.response_timeout * 20,
        ..without_idle_timeouts()
    }
}

/// Maximum number of concurrent requests of an HTTP/2 connection.
const MAX_STREAMS: usize = 16;

/// The responses to all requests of a connection exceed its limit of unread bytes.
const SCHEMA: &str = "{ __schema { types { name description fields { name description } \
                      inputFields { name description } enumValues { name description } } } }";

const LARGE: usize = 32 * 1024 * 1024;

/// Time between the two parts of a response.
const PAUSE: Duration = Duration::from_secs(2);

async fn two_parts() -> Body {
    let parts = stream::iter([Duration::ZERO, PAUSE]).then(|wait| async move {
        tokio::time::sleep(wait).await;
        Ok::<_, Infallible>(Bytes::from_static(b"part"))
    });
    Body::from_stream(parts)
}

/// An endless body.
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
    let server = Server::with(routes(), without_idle_timeouts()).await;
    for window in [0, 1, 100] {
        for path in ["/medium", "/many"] {
            let mut client = Http2Client::connect(server.connect().await, window).await;
            let unread = client.send("GET", path, HOST, "").await;
            let mut last = client.send("HEAD", "/small", HOST, "").await;
            with_timeout(async {
                loop {
                    match client.next_frame().await {
                        (stream, Frame::Reset) if stream == unread => break,
                        (stream, Frame::Head) if stream == last => {
                            tokio::time::sleep(SHORT_LIMITS.stall_timeout / 10).await;
                            last = client.send("HEAD", "/small", HOST, "").await;
                        }
                        (_, said) => assert_ne!(said, Frame::Reset),
                    }
                }
            })
            .await;
            // The connection and its other streams stay open.
            let next = client.send("HEAD", "/small", HOST, "").await;
            while client.next_frame().await != (next, Frame::Head) {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_read_byte_by_byte_ends_too() {
    let server = Server::with(
        routes(),
        ConnectionLimits { stall_timeout: LONG_TIMEOUT, ..without_idle_timeouts() },
    )
    .await;
    let mut client = Http2Client::connect(server.connect().await, 0).await;
    let unread = client.send("GET", "/medium", HOST, "").await;
    client.open_window(unread, 1).await;
    with_timeout(async {
        loop {
            match client.next_frame().await {
                (_, Frame::Data(1)) => {
                    tokio::time::sleep(SHORT_LIMITS.stall_timeout / 5).await;
                    client.open_window(unread, 1).await;
                }
                (_, Frame::Reset) => break,
                (_, said) => assert_eq!(said, Frame::Head),
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_nothing_to_say_waits_for_nobody() {
    let server = Server::with(
        routes(),
        ConnectionLimits { stall_timeout: PAUSE / 2, ..without_idle_timeouts() },
    )
    .await;
    let stream = async {
        let mut client = Http2Client::connect(server.connect().await, 100).await;
        client.send("GET", "/two", HOST, "").await;
        let mut said = Vec::new();
        while !matches!(said.last(), Some(Frame::End(_))) {
            said.push(client.next_frame().await.1);
        }
        said
    };
    let connection = async {
        let mut client = server.connect().await;
        client.write("GET /two HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
        client.read_to_end_of_stream().await
    };
    let (stream, connection) = tokio::join!(stream, connection);
    assert_eq!(stream, [Frame::Head, Frame::Data(4), Frame::Data(4), Frame::End(0)]);
    assert!(connection.ends_with("4\r\npart\r\n4\r\npart\r\n0\r\n\r\n"), "{connection}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_http_1_that_reads_nothing_ends() {
    for request in ["GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(3), {
        let line = "GET /many HTTP/1.1\r\nhost: localhost\r\n\r\n";
        line.to_owned()
    }] {
        let server = Server::with(
            routes(),
            ConnectionLimits { max_connections: 1, ..without_idle_timeouts() },
        )
        .await;
        let mut client = server.connect().await;
        client.write(request).await;
        server.wait_for_free_connection().await;
        // The rest of the data comes from the buffers of the system.
        assert!(client.read_to_end_of_stream().await.len() < LARGE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_http_2_whose_bytes_nobody_takes_ends_with_its_streams() {
    let server =
        Server::with(routes(), ConnectionLimits { max_connections: 1, ..without_idle_timeouts() })
            .await;
    let mut client = Http2Client::connect(server.connect().await, 100_000_000).await;
    client.open_window(0, 100_000_000).await;
    client.send("GET", "/large", HOST, "").await;
    client.send("GET", "/large", HOST, "").await;
    // Requests in the other direction are no progress of the responses.
    let moving = async {
        loop {
            tokio::time::sleep(SHORT_LIMITS.stall_timeout / 2).await;
            client.send("HEAD", "/small", HOST, "").await;
        }
    };
    tokio::select! {
        () = moving => unreachable!("it goes on for ever"),
        () = server.wait_for_free_connection() => {}
    }
    assert!(client.read_to_end_of_stream().await < LARGE);
}

/// Heads have no part that waits, and a stream that the client cancels has nothing that times out.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_http_2_that_takes_no_bytes_ends_though_its_responses_were_cancelled() {
    let server =
        Server::with(routes(), ConnectionLimits { max_connections: 1, ..without_idle_timeouts() })
            .await;
    let mut client = Http2Client::connect(server.connect().await, 100_000_000).await;
    client.open_window(0, 100_000_000).await;
    let cancelling = async {
        loop {
            let unread = client.send("GET", "/large", HOST, "").await;
            tokio::time::sleep(SHORT_LIMITS.stall_timeout / 3).await;
            client.reset(unread).await;
            client.send("HEAD", "/small", HOST, "").await;
        }
    };
    tokio::select! {
        () = cancelling => unreachable!("it goes on for ever"),
        () = server.wait_for_free_connection() => {}
    }
    assert!(client.read_to_end_of_stream().await < LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_answers_are_bounded_in_all() {
    let limits = ConnectionLimits {
        max_unread_bytes: 800_000,
        stall_timeout: LONG_TIMEOUT,
        ..without_idle_timeouts()
    };
    let server = Server::with(routes(), limits).await;
    let mut unread = Http2Client::connect(server.connect().await, 0).await;
    unread.send("GET", "/medium", HOST, "").await;
    while unread.next_frame().await.1 != Frame::Head {}
    let refused = server.connect().await.get("/medium").await;
    assert!(refused.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{refused}");
    assert!(refused.contains("\r\nretry-after: 1\r\n"), "{refused}");
    assert!(refused.contains("SERVICE_UNAVAILABLE"), "{refused}");
    // Small responses are not refused.
    assert!(server.connect().await.get("/small").await.ends_with("small"));
    // The memory is released when the connection ends.
    drop(unread);
    let freed =
        async { while !server.connect().await.get("/medium").await.starts_with("HTTP/1.1 200") {} };
    with_timeout(freed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_unread_answers_begins_no_other_request_until_they_are_read() {
    let server = Server::start("", with_slow_readers()).await;
    let mut client = Http2Client::connect(server.connect().await, 0).await;
    for _ in 0..MAX_STREAMS {
        client.post(SCHEMA).await;
    }
    let mut heads = 0;
    let waiting = async {
        loop {
            heads += usize::from(client.next_frame().await.1 == Frame::Head);
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(3), waiting).await;
    assert!(heads > 0 && heads < MAX_STREAMS, "{heads} answers were made");
    // A client that reads gets all of them.
    client.open_window(0, 100_000_000).await;
    client.set_window(10_000_000).await;
    let mut ended = 0;
    while ended < MAX_STREAMS {
        let (_, said) = client.next_frame().await;
        assert_ne!(said, Frame::Reset);
        ended += usize::from(matches!(said, Frame::End(_)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_share_the_connection_of_a_proxy_do_not_wait_for_one_another() {
    let proxies = vec![IpBlock::parse("127.0.0.0/8").unwrap()];
    let server = Server::start("", ConnectionLimits { proxies, ..with_slow_readers() }).await;
    let mut client = Http2Client::connect(server.connect().await, 0).await;
    for _ in 0..MAX_STREAMS {
        client.post(SCHEMA).await;
    }
    for _ in 0..MAX_STREAMS {
        while client.next_frame().await.1 != Frame::Head {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_do_not_end_are_bounded_in_all_and_small_ones_have_room() {
    let limits = ConnectionLimits {
        max_body_bytes: 64 * 1024,
        body_timeout: Duration::from_secs(2),
        ..without_idle_timeouts()
    };
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
    assert!(client.read_response().await.ends_with(r#"{"data":{"__typename":"Query"}}"#));
    let mut said = Vec::new();
    for client in &mut crowd {
        said.push(client.read_to_end_of_stream().await);
    }
    let count = |part: &str| said.iter().filter(|said| said.contains(part)).count();
    let refused = count("The service is receiving too many large requests");
    assert!(refused > 0, "{said:?}");
    assert_eq!(refused, count("HTTP/1.1 503 Service Unavailable\r\n"));
    assert_eq!(refused + count("HTTP/1.1 408 Request Timeout\r\n"), 6, "{said:?}");
}
