//! Malformed GraphQL requests to the real binary, with their status and code.

use serde_json::{Value, json};

use crate::databases::Database;
use crate::program::{Connection, Process};

const PASSWORD: &str = "tangerine-orbit-quartz-41";

const LOGIN: &str =
    "mutation { login(input: { username: \"admin\", password: \"guess\" }) { errors { code } } }";

#[test]
fn every_hostile_request_is_refused_with_its_code_and_the_process_goes_on() {
    let mut process = Process::start(&Database::sqlite(), "", &[]);
    let query = |more: &str| format!("{{\"query\": \"{{ __typename }}\"{more}}}");
    let login = json!({ "query": LOGIN }).to_string();
    let thousand = format!("[{}]", vec![login.as_str(); 300].join(","));
    let values = |values: String| query(&format!(", \"variables\": {values}"));
    let bodies = [
        ("an array of logins", thousand, 400, "BAD_USER_INPUT"),
        ("an array of one", format!("[{login}]"), 400, "BAD_USER_INPUT"),
        ("brackets without end", "[".repeat(60_000), 400, "BAD_USER_INPUT"),
        ("objects without end", "{\"a\":".repeat(10_000), 400, "BAD_USER_INPUT"),
        ("broken JSON", "{\"query\": \"{ __typename }\"".to_owned(), 400, "BAD_USER_INPUT"),
        ("a byte order mark", format!("\u{feff}{}", query("")), 400, "BAD_USER_INPUT"),
        ("half a surrogate pair", query(", \"operationName\": \"\\ud800\""), 400, "BAD_USER_INPUT"),
        ("a number past all numbers", values("{\"a\": 1e999}".to_owned()), 400, "BAD_USER_INPUT"),
        ("variables that are a list", values("[]".to_owned()), 400, "BAD_USER_INPUT"),
        ("U+0000 in variables", values("{\"a\": \"\\u0000\"}".to_owned()), 200, "BAD_USER_INPUT"),
        (
            "variables too deep",
            values(format!("{{\"a\": {}{}}}", "[".repeat(40), "]".repeat(40))),
            200,
            "QUERY_TOO_COMPLEX",
        ),
        (
            "two thousand variables",
            values(format!("{{\"a\": [{}0]}}", "0,".repeat(2_000))),
            200,
            "QUERY_TOO_COMPLEX",
        ),
        (
            "an operation that is not there",
            query(", \"operationName\": \"a\\u001b[31m\\n\""),
            200,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            "a hash alone",
            "{\"extensions\": {\"persistedQuery\": {\"version\": 1, \"sha256Hash\": \"00\"}}}"
                .to_owned(),
            200,
            "PERSISTED_QUERY_NOT_FOUND",
        ),
        ("100 kB", "x".repeat(100_000), 413, "BAD_USER_INPUT"),
    ];
    for (name, body, status, code) in &bodies {
        let answer = process.post("", body);
        assert_eq!(answer.status, *status, "{name}: {}", answer.body);
        let said: Value = serde_json::from_str(&answer.body).expect(name);
        assert_eq!(said["errors"][0]["extensions"]["code"], *code, "{name}: {}", answer.body);
        assert!(answer.body.len() < 2_000, "{name}");
        assert!(said["errors"][0]["message"].as_str().unwrap().chars().all(|c| !c.is_control()));
    }
    let outside = "GET /../../etc/passwd HTTP/1.1\r\nhost: a\r\n\r\n";
    assert_eq!(process.connect().exchange(outside.as_bytes()).status, 404);
    assert!(process.is_running());
    assert!(works(&mut process.connect()));
}

#[test]
fn a_token_counts_in_its_header_alone_and_once() {
    let process =
        Process::start(&Database::sqlite(), "", &[("SALLYPORT_ADMIN_PASSWORD", PASSWORD)]);
    let login = LOGIN.replace("guess", PASSWORD).replace("errors", "tokens { accessToken } errors");
    let answer = process.post("", &json!({ "query": login }).to_string());
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    let token = answer["data"]["login"]["tokens"]["accessToken"].as_str().unwrap();
    let viewer = |address: &str, headers: &str| {
        let request = format!(
            "GET /graphql?query=%7Bviewer%7Bid%7D%7D{address} HTTP/1.1\r\nhost: a\r\n{headers}\r\n"
        );
        process.connect().exchange(request.as_bytes()).body
    };
    assert!(viewer("", &format!("authorization: bEARER {token}\r\n")).contains("\"id\":\"User:"));
    for body in [
        viewer(&format!("&access_token={token}"), ""),
        viewer("", &format!("authorization: Basic {token}\r\n")),
        viewer("", &format!("authorization: Bearer {token}\r\nauthorization: Bearer {token}\r\n")),
        viewer("", &format!("cookie: access_token={token}\r\n")),
        viewer("", &format!("authorization: Bearer {token}{}\r\n", "A".repeat(9_000))),
    ] {
        assert!(body.contains("\"code\":\"UNAUTHENTICATED\""), "{body}");
    }
}

/// Concurrent hashes are limited to the number of processors, however many requests wait.
#[test]
fn a_flood_of_logins_takes_memory_for_the_cores_alone() {
    const HASH: u64 = 19_456;
    let flags = format!("--throttle false --hashing-memory {HASH}");
    let mut process = Process::start(&Database::sqlite(), &flags, &[]);
    let body = json!({ "query": LOGIN }).to_string();
    let log_in = || {
        let said = process.post("", &body).body;
        assert!(said.contains("INVALID_CREDENTIALS") || said.contains("OVERLOADED"), "{said}");
    };
    log_in();
    let before = process.most_resident();
    std::thread::scope(|scope| {
        for _ in 0..200 {
            scope.spawn(log_in);
        }
    });
    let cores = std::thread::available_parallelism().unwrap().get() as u64;
    // The memory of one hash is already in use before.
    let bound = before + (cores - 1) * HASH + 16 * 1024;
    let after = process.most_resident();
    assert!(
        after < bound,
        "{before} KiB before, {after} KiB at most, {bound} KiB would be too much"
    );
    assert!(process.is_running());
}

#[test]
fn what_is_no_http_ends_its_connection_and_no_other() {
    use std::io::{Read, Write};
    let mut process = Process::start(&Database::sqlite(), "", &[]);
    let mut bystander = process.connect();
    assert!(works(&mut bystander));
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        b"POST /graphql HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"GET / HTTP/1.1\r\nx: \x1b[31m\0\r\n\r\n",
    ] {
        let mut stream = std::net::TcpStream::connect(process.address).unwrap();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{bytes:?}: {answer}");
    }
    assert!(works(&mut bystander));
    assert!(process.is_running());
}

fn works(connection: &mut Connection) -> bool {
    let answer = connection.post("", "{\"query\": \"{ __typename }\"}");
    answer.status == 200 && answer.body == "{\"data\":{\"__typename\":\"Query\"}}"
}
