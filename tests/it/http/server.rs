//! The HTTP server against slow, silent and malformed clients.

use std::time::Duration;

use sallyport::http::server::ConnectionLimits;

use super::http2_client::{Frame, Http2Client};
use super::raw_client::{LONG_TIMEOUT, SHORT_LIMITS, Server, head, without_idle_timeouts};

const ALIVE: &str = r#"{"alive":true}"#;

/// Sends a byte every few milliseconds until the server closes the connection; returns all output.
async fn drip(server: &Server, first: String, slowly: &[u8]) -> String {
    let mut client = server.connect().await;
    client.write(first).await;
    let (mut reader, mut writer) = client.split();
    let dripping = async {
        for byte in slowly.iter().cycle() {
            writer.write([*byte]).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = dripping => unreachable!("the loop is endless"),
        said = reader.read_to_end_of_stream() => said,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_says_nothing_is_hung_up_on() {
    let server = Server::start("", SHORT_LIMITS).await;
    assert_eq!(server.connect().await.read_to_end_of_stream().await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_never_ends_is_hung_up_on() {
    let server = Server::start("", SHORT_LIMITS).await;
    let first = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-slow: ".to_owned();
    assert_eq!(drip(&server, first, b"a").await, "");
    // Also after a complete request on the same connection.
    let mut client = server.connect().await;
    assert!(client.get("/healthz").await.ends_with(ALIVE));
    client.write("GET /healthz HTTP/1.1\r\n").await;
    assert_eq!(client.read_to_end_of_stream().await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_answered_and_hung_up_on() {
    let server = Server::start("", SHORT_LIMITS).await;
    let said = drip(&server, head(1000), b" ").await;
    assert!(said.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{said}");
    assert!(
        said.contains(r#""message":"The request body did not arrive in time. Try again.""#),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_answered_before_it_is_sent() {
    let server = Server::start("", SHORT_LIMITS).await;
    let mut client = server.connect().await;
    client.write(head(8_000_000)).await;
    let said = client.read_to_end_of_stream().await;
    assert!(said.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{said}");
    // Without a length, as soon as the limit is exceeded.
    let mut client = server.connect().await;
    let chunked = head(0).replace("content-length: 0", "transfer-encoding: chunked");
    client.write(chunked + "1000\r\n").await;
    for _ in 0..17 {
        client.write([b'x'; 0x1000]).await;
        client.write("\r\n1000\r\n").await;
    }
    let said = client.read_to_end_of_stream().await;
    assert!(said.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_body_is_read_to_its_end_so_that_the_answer_arrives() {
    let server = Server::start(
        "",
        ConnectionLimits { body_timeout: LONG_TIMEOUT, ..without_idle_timeouts() },
    )
    .await;
    let json = head(8_000_000);
    let form = json.replace("application/json", "multipart/form-data; boundary=x");
    let elsewhere = json.replace("/graphql", "/nothing");
    let put = json.replace("POST", "PUT");
    for (request, status) in [(json, 413), (form, 415), (elsewhere, 404), (put, 405)] {
        let mut client = server.connect().await;
        client.write(request).await;
        // The whole body, before the client reads the response.
        for _ in 0..80 {
            client.must_write(vec![b'x'; 100_000]).await;
        }
        let said = client.read_response().await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_body_that_never_ends_is_read_for_a_time() {
    let server = Server::start("", SHORT_LIMITS).await;
    let form = head(1_000_000).replace("application/json", "text/plain");
    let said = drip(&server, form, b"x").await;
    assert!(said.starts_with("HTTP/1.1 415 Unsupported Media Type\r\n"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_one_host() {
    let server = Server::start("", without_idle_timeouts()).await;
    let ask = async |version: &str, hosts: &str| {
        let mut client = server.connect().await;
        client.write(format!("GET /healthz {version}\r\n{hosts}\r\n")).await;
        client.read_response().await
    };
    for hosts in ["", "host: a\r\nhost: a\r\n", "host: a, b\r\n", "host: a@b\r\n", "host: \r\n"] {
        let said = ask("HTTP/1.1", hosts).await;
        assert!(said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{hosts}: {said}");
        assert!(
            said.contains("\r\nx-request-id: ") && said.contains("exactly one valid Host header"),
            "{said}"
        );
    }
    assert!(ask("HTTP/1.1", "host: [::1]:8000\r\n").await.ends_with(ALIVE));
    // HTTP/1.0 does not require the header.
    assert!(ask("HTTP/1.0", "").await.ends_with(ALIVE));
    let mut client = Http2Client::connect(server.connect().await, 1000).await;
    for (hosts, length) in [
        (&[(":authority", "a")][..], ALIVE.len()),
        (&[("host", "a")], ALIVE.len()),
        (&[(":authority", "a"), ("host", "a")], ALIVE.len()),
        (&[(":authority", "a"), ("host", "b")], 0),
        (&[("host", "a"), ("host", "a")], 0),
        (&[], 0),
    ] {
        client.send("GET", "/healthz", hosts, "").await;
        let is_alive = loop {
            match client.next_frame().await {
                (_, Frame::Data(bytes) | Frame::End(bytes)) => break bytes == length,
                (_, Frame::Reset) => break false,
                (_, Frame::Head) => {}
            }
        };
        assert_eq!(is_alive, length > 0, "{hosts:?}");
    }
}

const HEAD_TOO_LARGE: &str = "HTTP/1.1 431 Request Header Fields Too Large\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_head_of_more_than_16_kb_is_refused() {
    let server = Server::start("", without_idle_timeouts()).await;
    let request = |size: usize| {
        format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "y".repeat(size))
    };
    let mut client = server.connect().await;
    client.write(request(15_000)).await;
    assert!(client.read_response().await.ends_with(ALIVE));
    let mut client = server.connect().await;
    client.write(request(17_000)).await;
    let said = client.read_response().await;
    assert!(
        said.starts_with(HEAD_TOO_LARGE)
            && said.contains("\r\nx-content-type-options: nosniff\r\n")
    );
    assert!(said.contains("The request head is too large"), "{said}");
    // A head that does not fit into the read buffer is refused by the library, without a body.
    for size in [100_000, 1_000_000] {
        let mut client = server.connect().await;
        client.write(request(size)).await;
        let said = client.read_to_end_of_stream().await;
        // Unread bytes of the request may cause a reset that discards the response.
        assert!(
            said.starts_with(HEAD_TOO_LARGE) && said.ends_with("\r\n\r\n") || said.is_empty(),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_http_is_refused() {
    let server = Server::start("", without_idle_timeouts()).await;
    for bytes in ["\x16\x03\x01\x02\x00\x01\x00", "EHLO there\r\n\r\n", "GET /\0 HTTP/1.1\r\n\r\n"]
    {
        let mut client = server.connect().await;
        client.write(bytes).await;
        let said = client.read_to_end_of_stream().await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lengths_or_a_length_beside_chunks_are_no_request() {
    let server = Server::start("", without_idle_timeouts()).await;
    for lengths in [
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5, 6",
        "transfer-encoding: chunked, identity",
        "content-length: +5",
    ] {
        let mut client = server.connect().await;
        let request = head(5).replace("content-length: 5", lengths);
        client.write(request + "hello").await;
        let said = client.read_to_end_of_stream().await;
        assert!(said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{lengths}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_says_nothing_keeps_nobody_out() {
    let server = Server::start("", ConnectionLimits::default()).await;
    let files = rlimit::increase_nofile_limit(12_000).unwrap();
    // Both ends of each connection are in this process.
    let count = 5000.min(files / 2 - 500);
    let mut crowd = Vec::new();
    for _ in 0..count {
        crowd.push(server.connect().await);
    }
    for _ in 0..10 {
        assert!(server.connect().await.get("/healthz").await.ends_with(ALIVE));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_too_many_is_refused_until_another_ends() {
    let limits = ConnectionLimits { max_connections: 2, ..ConnectionLimits::default() };
    let server = Server::start("", limits).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    assert!(first.get("/healthz").await.ends_with(ALIVE));
    assert!(second.get("/healthz").await.ends_with(ALIVE));
    let said = server.connect().await.read_to_end_of_stream().await;
    assert!(said.starts_with("HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n"), "{said}");
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    for line in ["cache-control: no-store", "x-content-type-options: nosniff", "connection: close"]
    {
        assert!(head.lines().any(|found| found == line), "{line} in {head}");
    }
    assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{said}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "SERVICE_UNAVAILABLE");
    drop(first);
    server.wait_for_free_connection().await;
    assert!(second.get("/healthz").await.ends_with(ALIVE));
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_is_spoken_to_who_begins_with_it() {
    let server = Server::start("", SHORT_LIMITS).await;
    let mut client = server.connect().await;
    client.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    // Empty settings; then the head of stream 1: GET http /healthz of localhost (RFC 7541).
    client.write([0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
    let fields = b"\x82\x86\x04\x08/healthz\x01\x09localhost";
    client.write([0, 0, 23, 1, 5, 0, 0, 0, 1]).await;
    client.write(fields).await;
    let mut frames = Vec::new();
    while !frames.windows(ALIVE.len()).any(|part| part == ALIVE.as_bytes()) {
        frames.extend(client.read_some().await);
    }
    assert_eq!(frames[3], 4, "settings come first");
    // A head on stream 1 that starts with status 200, entry 8 of the static table.
    let is_head = |part: &[u8]| part[0] == 1 && part[2..6] == [0, 0, 0, 1] && part[6] == 0x88;
    assert!(frames.windows(7).any(is_head), "{frames:?}");
    // The idle timeout applies to this connection, too.
    client.read_to_end_of_stream().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_is_answered_after_the_server_was_told_to_stop() {
    let server = Server::start("", ConnectionLimits::default()).await;
    let body = r#"{"query":"{ __typename }"}"#;
    let mut under_way = server.connect().await;
    under_way.write(head(body.len())).await;
    let mut idle = server.connect().await;
    assert!(idle.get("/healthz").await.ends_with(ALIVE));
    let mut silent = server.connect().await;
    // The server has seen the head once it answers another request that came later.
    assert!(server.connect().await.get("/healthz").await.ends_with(ALIVE));
    let stopped = server.stop();
    assert_eq!(idle.read_to_end_of_stream().await, "");
    assert_eq!(silent.read_to_end_of_stream().await, "");
    under_way.write(body).await;
    let said = under_way.read_to_end_of_stream().await;
    assert!(said.ends_with(r#"{"data":{"__typename":"Query"}}"#), "{said}");
    stopped.await.unwrap();
}
