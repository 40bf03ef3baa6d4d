//! Hostile documents and messages over a WebSocket: documents are refused with their codes, messages
//! close the WebSocket with theirs, without effect on the process after thousands of both.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::corpus::documents;
use crate::databases::Database;
use crate::program::Process;
use crate::proof::rounds;
use crate::subscriptions::client::Client;

/// Reaction to a message.
#[derive(Debug, PartialEq)]
enum End {
    /// Close code.
    Closed(u16),
    /// Closed without a code.
    CutOff,
    /// Error code of the operation; the WebSocket stays open.
    Refused(String),
}

use End::{Closed, CutOff};

type Row = (&'static str, Message, End);

fn refused(code: &str) -> End {
    End::Refused(code.to_owned())
}

fn text(text: &str) -> Message {
    Message::text(text)
}

fn init(payload: &str) -> Message {
    Message::text(format!(r#"{{"type": "connection_init", "payload": {payload}}}"#))
}

fn bearer(token: &str) -> Message {
    init(&format!(r#"{{"Authorization": "Bearer {token}"}}"#))
}

fn subscribe(payload: &str) -> Message {
    Message::text(format!(r#"{{"type": "subscribe", "id": "1", "payload": {payload}}}"#))
}

fn with_variables(variables: &str) -> Message {
    let document = "subscription($a: String) { sessionEnds(after: $a) { reason } }";
    subscribe(&format!(r#"{{"query": "{document}", "variables": {variables}}}"#))
}

/// First messages on a WebSocket.
fn first_messages() -> Vec<Row> {
    let no_utf8 = b"{\"type\": \"\xff\"}".to_vec();
    let no_utf8 = Message::Frame(Frame::message(no_utf8, OpCode::Data(Data::Text), true));
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJhIn0.";
    vec![
        ("nothing", text(""), Closed(4400)),
        ("no JSON", text(r#"{"type": "connection_init""#), Closed(4400)),
        ("null", text("null"), Closed(4400)),
        ("a list of messages", text(r#"[{"type": "connection_init"}]"#), Closed(4400)),
        ("a byte order mark", text("\u{feff}{\"type\": \"connection_init\"}"), Closed(4400)),
        ("bytes", Message::binary(&br#"{"type": "connection_init"}"#[..]), Closed(4400)),
        ("what is no UTF-8", no_utf8, CutOff),
        ("a message of the server", text(r#"{"type": "connection_ack"}"#), Closed(4400)),
        ("a message of another protocol", text(r#"{"type": "start", "id": "1"}"#), Closed(4400)),
        ("a payload that is a list", init("[]"), Closed(4400)),
        ("a payload that is a text", init(r#""Bearer x""#), Closed(4400)),
        ("brackets without end", init(&format!(r#"{{"a": {}"#, "[".repeat(50_000))), Closed(4400)),
        ("half a surrogate pair", init(r#"{"a": "\ud800"}"#), Closed(4400)),
        ("a number past all numbers", init(r#"{"a": 1e999}"#), Closed(4400)),
        ("a token that is none", bearer("x"), Closed(4403)),
        ("an empty token", bearer(""), Closed(4403)),
        ("a token with U+0000", bearer(r"a\u0000b"), Closed(4403)),
        ("a token with line breaks and escapes", bearer(r"a\r\nb\u001b[31m"), Closed(4403)),
        ("a token of 60 kB", bearer(&"A".repeat(60_000)), Closed(4403)),
        ("a token that is not signed", bearer(unsigned), Closed(4403)),
        ("a token that is a number", init(r#"{"authorization": 5}"#), Closed(4403)),
        ("a token in a list", init(r#"{"authorization": ["Bearer x"]}"#), Closed(4403)),
        ("a subscription", subscribe(r#"{"query": "{a}"}"#), Closed(4401)),
        ("100 kB", init(&format!("\"{}\"", "x".repeat(100_000))), Closed(1009)),
        ("a megabyte", init(&format!("\"{}\"", "x".repeat(1_000_000))), CutOff),
    ]
}

/// Messages after `connection_init`.
fn later_messages() -> Vec<Row> {
    let long = "x".repeat(60_000);
    let nested = format!(r#"{{"a": {}{}}}"#, "[".repeat(40), "]".repeat(40));
    let many = format!(r#"{{"a": [{}0]}}"#, "0,".repeat(2_000));
    let hash = r#"{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "00"}}}"#;
    vec![
        ("a second beginning", init("{}"), Closed(4429)),
        ("no payload", text(r#"{"type": "subscribe", "id": "1"}"#), Closed(4400)),
        ("no id", text(r#"{"type": "subscribe", "payload": {"query": "{a}"}}"#), Closed(4400)),
        (
            "an id of 60 kB",
            Message::text(format!(r#"{{"type": "complete", "id": "{long}"}}"#)),
            Closed(4400),
        ),
        ("no document", subscribe("{}"), Closed(4400)),
        ("a document that is a number", subscribe(r#"{"query": 1}"#), Closed(4400)),
        ("a list of operations", subscribe(r#"[{"query": "{a}"}]"#), Closed(4400)),
        ("variables that are a list", with_variables("[]"), Closed(4400)),
        ("variables that are a text", with_variables(r#""x""#), Closed(4400)),
        ("U+0000", with_variables(r#"{"a": "\u0000"}"#), refused("BAD_USER_INPUT")),
        ("variables too deep", with_variables(&nested), refused("QUERY_TOO_COMPLEX")),
        ("two thousand variables", with_variables(&many), refused("QUERY_TOO_COMPLEX")),
        (
            "an operation that is not there",
            subscribe(r#"{"query": "{a}", "operationName": "\u001b[31m"}"#),
            refused("GRAPHQL_VALIDATION_FAILED"),
        ),
        (
            "a mutation",
            subscribe(r#"{"query": "mutation {logout {endedCount}}"}"#),
            refused("GRAPHQL_VALIDATION_FAILED"),
        ),
        (
            "a query",
            subscribe(r#"{"query": "{viewer {id}}"}"#),
            refused("GRAPHQL_VALIDATION_FAILED"),
        ),
        ("a hash alone", subscribe(hash), refused("PERSISTED_QUERY_NOT_FOUND")),
        ("60 kB", subscribe(&format!(r#"{{"query": "{long}"}}"#)), refused("QUERY_TOO_COMPLEX")),
        ("100 kB", subscribe(&format!(r#"{{"query": "{long}{long}"}}"#)), Closed(1009)),
    ]
}

/// Sends a message and returns the reaction.
async fn reaction_to(client: &mut Client, message: Message) -> End {
    client.try_send(message).await;
    match client.receive_or_close_code().await {
        Err(Some(code)) => Closed(code),
        Err(None) => CutOff,
        Ok(said) => {
            assert_eq!((&said["type"], &said["id"]), (&json!("error"), &json!("1")), "{said}");
            assert!(said.to_string().len() < 2_000, "{said}");
            refused(said["payload"][0]["extensions"]["code"].as_str().unwrap())
        }
    }
}

async fn send_messages(process: &Process) {
    for (name, message, end) in first_messages() {
        let mut client = Client::connect(process.address).await;
        assert_eq!(reaction_to(&mut client, message).await, end, "{name} at first");
    }
    for (name, message, end) in later_messages() {
        let mut client = Client::connect_as(process.address, None).await;
        assert_eq!(reaction_to(&mut client, message).await, end, "{name} later");
    }
}

async fn send_documents(client: &mut Client) {
    for hostile in &documents() {
        client.subscribe("1", &hostile.document, Value::Null).await;
        assert_eq!(client.error_code("1").await, hostile.code, "{}", hostile.name);
    }
}

#[tokio::test]
async fn every_hostile_document_and_message_is_refused_over_a_socket() {
    let mut process = Process::start(&Database::sqlite(), "", &[]);
    send_documents(&mut Client::connect_as(process.address, None).await).await;
    send_messages(&process).await;
    assert!(process.is_running());
}

#[tokio::test]
async fn thousands_of_them_leave_the_process_as_it_was() {
    let mut process = Process::start(&Database::sqlite(), "", &[]);
    // Warms up the allocator and the caches.
    let mut before = 0;
    for round in 0..rounds(26, 70) {
        if round == rounds(10, 20) {
            before = process.resident();
        }
        let mut client = Client::connect_as(process.address, None).await;
        send_documents(&mut client).await;
        send_messages(&process).await;
    }
    let after = process.resident();
    assert!(process.is_running());
    assert!(after < before + rounds(2, 4) as u64 * 1024, "{before} KiB before, {after} KiB after");
}
