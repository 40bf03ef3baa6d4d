//! Contents of the log, and secrets that are never in it.

use serde_json::{Value, json};

use super::server::{Exchange, PASSWORD, Server, login_body, request};
use crate::subscriptions::client::Client;

const JSON: &str = "content-type: application/json\r\n";

fn post(server: &Server, headers: &str, body: &Value) -> String {
    request(server.address, "POST", "/graphql", &format!("{JSON}{headers}"), &body.to_string())
}

fn log_in(server: &Server) -> String {
    let login = request(server.address, "POST", "/graphql", JSON, &login_body());
    let token = login.split("\"accessToken\":\"").nth(1).and_then(|rest| rest.split('"').next());
    token.expect("a token").to_owned()
}

/// Stops the server; returns the log lines about operations, and all lines.
fn operations(server: Server) -> (Vec<Value>, Vec<String>) {
    let log = server.stop("TERM");
    let lines = log.iter().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    (lines.filter(|line| line["message"] == "operation").collect(), log)
}

#[test]
fn each_operation_is_one_line_of_json_without_a_secret() {
    let server = Server::start("");
    let token = log_in(&server);
    // Line breaks and commands for terminals wherever a client can put them.
    let forged = "x\r\n{\"level\":\"ERROR\"}\u{1b}[2J canary-1";
    let bearer = format!("authorization: Bearer {token}\r\nuser-agent: canary-2\t\u{9b}2J\r\n");
    post(
        &server,
        &bearer,
        &json!({ "query": "query Me { viewer { sessions { nodes { id } } } }" }),
    );
    for body in [
        json!({ "query": "{ viewer { id } }", "operationName": forged }),
        json!({ "query": forged }),
        json!({ "query": "query canary3 { nothing }" }),
        json!({ "query": format!("query {} {{ viewer {{ id }} }}", "n".repeat(3000)) }),
        json!({ "query": "mutation($u: String!) { login(input: { username: $u, password: \"canary-4\" })
                          { errors { code } } }", "variables": { "u": forged } }),
        json!({ "query": "mutation { register(input: { username: \"ada\", password: \"canary-5-orbit-quartz\",
                          email: \"a\\r\\nb@example.com\" }) { errors { code } } }" }),
        json!({ "query": "mutation { refresh(input: { refreshToken: \"canary-6\" }) { errors { code } } }" }),
    ] {
        post(&server, "", &body);
    }
    request(server.address, "POST", "/graphql", JSON, "{ canary-7");
    let (operations, log) = operations(server);
    assert_eq!(operations.len(), 10, "{log:#?}");
    let line = |name: &str| operations.iter().find(|line| line["operation"] == name).unwrap();
    let logged = line("LogIn");
    assert_eq!((&logged["type"], &logged["outcome"]), (&json!("mutation"), &json!("ok")));
    // The tries so far, the account, and the new session: its row, the account's, its event, and whether the
    // account has second factors by now.
    assert_eq!((&logged["status"], &logged["db_statements"]), (&json!(200), &json!(6)));
    let (all, database) =
        (logged["duration_ms"].as_f64().unwrap(), logged["db_ms"].as_f64().unwrap());
    assert!(database > 0.0 && database < all, "{logged}");
    assert_eq!(logged["request_id"].as_str().unwrap().len(), 32);
    let me = line("Me");
    assert_eq!((&me["type"], &me["outcome"]), (&json!("query"), &json!("ok")));
    // The viewer, and a page of sessions.
    assert!(me["db_statements"].as_u64().unwrap() >= 2, "{me}");
    assert!(operations.iter().any(|line| line["outcome"] == "GRAPHQL_PARSE_FAILED"));
    assert!(operations.iter().any(|line| line["operation"] == "n".repeat(100)));
    let log = log.join("\n");
    for secret in ["canary-", PASSWORD, &token, "\u{1b}"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test]
async fn each_subscription_is_one_line_once_it_is_over() {
    let server = Server::start("");
    let token = log_in(&server);
    let bearer = format!("authorization: Bearer {token}\r\n");
    let mut socket = Client::connect_as(server.address, Some(&token)).await;
    socket.subscribe("1", "subscription Told { sessionEnded { reason } }", Value::Null).await;
    socket.subscribe("2", "subscription Stopped { sessionEnds { reason } }", Value::Null).await;
    socket.subscribe("3", "subscription Wrong { nothing }", Value::Null).await;
    assert_eq!(socket.error_code("3").await, "GRAPHQL_VALIDATION_FAILED");
    socket.send_json(&json!({ "type": "complete", "id": "2" })).await;
    let body = json!({ "query": "subscription Streamed { sessionEnded { reason } }" }).to_string();
    let mut stream = Exchange::begin(
        server.address,
        &format!(
            "POST /graphql HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
             accept: text/event-stream\r\n{JSON}{bearer}content-length: {}\r\n\r\n{body}",
            body.len()
        ),
    )
    .unwrap();
    // It answers once it has begun to listen.
    assert_eq!(stream.line(), "HTTP/1.1 200 OK");
    post(&server, &bearer, &json!({ "query": "mutation { logout { endedCount } }" }));
    assert_eq!(socket.next("1").await["sessionEnded"]["reason"], "LOGOUT");
    assert_eq!(socket.receive_json().await, json!({ "type": "complete", "id": "1" }));
    assert!(stream.answer().unwrap().contains("event: complete"));
    let metrics = request(server.metrics, "GET", "/metrics", "", "");
    let counted = "sallyport_operations_total{type=\"subscription\",outcome=\"ok\"} 3\n";
    assert!(metrics.contains(counted), "{metrics}");

    let (operations, log) = operations(server);
    let line = |name: &str| operations.iter().find(|line| line["operation"] == name).unwrap();
    for name in ["Told", "Stopped", "Streamed"] {
        let outcome = (&line(name)["type"], &line(name)["outcome"]);
        assert_eq!(outcome, (&json!("subscription"), &json!("ok")), "{name}");
    }
    for line in [line("Told"), line("Streamed")] {
        assert!(line["db_statements"].as_u64().unwrap() > 0, "{line}");
        assert!(line["db_ms"].as_f64().unwrap() > 0.0, "{line}");
        assert!(line["duration_ms"].as_f64() >= line["db_ms"].as_f64(), "{line}");
    }
    let id = |line: &Value| line["request_id"].as_str().unwrap().to_owned();
    let refused = |line: &&Value| line["outcome"] == "GRAPHQL_VALIDATION_FAILED";
    let refused = operations.iter().find(refused).unwrap();
    assert_eq!(id(refused), id(line("Told")), "the id of the socket's request");
    assert_ne!(id(line("Streamed")), id(line("Told")));
    // Those, the login and the logout: neither the socket nor the stream is one more.
    assert_eq!(operations.len(), 6, "{log:#?}");
}

#[test]
fn metrics_have_a_port_of_their_own() {
    let server = Server::start("");
    request(server.address, "POST", "/graphql", JSON, &login_body());
    let metrics = request(server.metrics, "GET", "/metrics", "", "");
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
    assert!(metrics.contains("application/openmetrics-text"), "{metrics}");
    assert!(metrics.contains("sallyport_logins_total{result=\"succeeded\"} 1\n"), "{metrics}");
    assert!(metrics.trim_end().ends_with("# EOF"), "{metrics}");
    assert!(request(server.address, "GET", "/metrics", "", "").starts_with("HTTP/1.1 404"));
    assert!(request(server.metrics, "POST", "/graphql", JSON, "{}").starts_with("HTTP/1.1 404"));
}

/// More lines than a pipe holds (64 kB, some 250 lines).
const UNREAD: usize = 500;

#[test]
fn a_reader_of_the_log_that_stands_still_stops_nothing() {
    let (server, reader) = Server::start_unread("");
    for number in 0..UNREAD {
        let query = format!("query Number{number} {{ __typename }}");
        let answer = post(&server, "", &json!({ "query": query }));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{number}: {answer}");
    }
    let health = request(server.address, "GET", "/healthz", "", "");
    assert!(health.starts_with("HTTP/1.1 200 "), "{health}");
    let metrics = request(server.metrics, "GET", "/metrics", "", "");
    assert!(metrics.contains("sallyport_log_lines_dropped_total 0\n"), "{metrics}");
    drop(reader);
    let (operations, _) = operations(server);
    let names: Vec<_> = operations.iter().map(|line| line["operation"].as_str().unwrap()).collect();
    let asked: Vec<_> = (0..UNREAD).map(|number| format!("Number{number}")).collect();
    assert_eq!(names, asked);
}

#[test]
fn a_server_whose_log_nobody_reads_ends_when_it_is_told_to() {
    let (mut server, reader) = Server::start_unread("");
    for _ in 0..UNREAD {
        post(&server, "", &json!({ "query": "query Me { __typename }" }));
    }
    server.signal("TERM");
    assert!(server.gone().success());
    drop(reader);
}
